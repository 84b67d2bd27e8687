import type { Assignor } from './assignor.js'
import { cooperativeSticky } from './cooperative-sticky.js'
import { range } from './range.js'
import { roundRobin } from './round-robin.js'
import { sticky } from './sticky.js'

/** The assignors a consumer can be given, by the names users write. */
export const assignors = {
  range,
  roundRobin,
  sticky,
  'cooperative-sticky': cooperativeSticky,
} as const satisfies Record<string, Assignor>

export type AssignorName = keyof typeof assignors
