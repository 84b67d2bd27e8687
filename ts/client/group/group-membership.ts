import type { SeglogError } from '../../errors/seglog-error.js'
import type { MemberIdentity } from './member-identity.js'
import type { Signal } from './signal.js'

/** One consumer's membership in its group, by either protocol. */
export interface GroupMembership {
  /** Neither in the group nor on its way. */
  readonly isOut: boolean
  /** Who it is in the group now, or was before the join that runs; null for nobody. */
  readonly generation: Tenure | null
  /** A join is under way: what it was before may be over already. */
  readonly isBetweenGenerations: boolean
  /** Between its signs of life. */
  readonly heartbeatIntervalMs: number
  /** Resolves when no join is under way. */
  settled(): Promise<void>
  /** Joins, unless it has. */
  start(): void
  /** Asks for another assignment: what it subscribes to, or what there is of it, is not what it was. */
  rejoin(reason: string): void
  /** Gives up its partitions and leaves. Resolves when it is out. */
  leave(reason: string): Promise<void>
}

/** A time as a member, for as long as what it was given is its own. */
export interface Tenure extends MemberIdentity {
  /** Why the member is none any more, and what it had may be another's already. */
  readonly lost: Signal<SeglogError>
  /** It shared out the partitions. */
  readonly isLeader: boolean
  /** Takes what the coordinator said to a heartbeat, a commit or a fetch of offsets. */
  report(error: SeglogError): void
}

/** The taking up of partitions, which ends early where they are to be others. */
export interface TakingUp {
  readonly ended: Signal
  /** Who asks for the group's offsets; null where the coordinator does not care. */
  readonly reader: MemberIdentity | null
  topicIsGone(topic: string): void
  report(error: SeglogError): void
}
