import type { Logger } from '../../log/logger.js'
import type { MaybePromise } from '../../log/maybe-promise.js'
import type { Timers } from '../timers.js'
import type { Group } from './group.js'
import type { Parking } from './parking.js'

export interface GroupLimits {
  readonly minSessionTimeoutMs: number
  readonly maxSessionTimeoutMs: number
  /** How long the first rebalance of an empty group waits for more members. */
  readonly initialRebalanceDelayMs: number
  readonly maxSize: number
}

/** What the life of a group needs from around it. */
export interface GroupHost {
  readonly timers: Timers
  readonly parking: Parking
  readonly limits: GroupLimits
  readonly logger: Logger
  /** Milliseconds since 1970. */
  clock(): number
  /** Forgets a group that nothing would be lost with: somebody was expected, and did not come. */
  tidy(group: Group): void
  /** Writes the group's record; assignments by member id, empty where there is none. Throws or rejects if it cannot. */
  store(group: Group, assignments: ReadonlyMap<string, Uint8Array>): MaybePromise<void>
}
