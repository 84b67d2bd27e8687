import type { Assignor } from './assignor.js'
import { rangeAssignor } from './range.js'
import { uniformAssignor } from './uniform.js'

/** The assignors of this broker, by the names that members ask for. */
export const assignors: Readonly<Record<string, Assignor>> = { uniform: uniformAssignor, range: rangeAssignor }
