import type { ConsumerGroup } from './consumer/consumer-group.js'
import type { Group } from './group.js'

/** A group of either protocol. */
export type AnyGroup = Group | ConsumerGroup
