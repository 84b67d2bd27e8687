import type { SeglogError } from '../errors/seglog-error.js'
import type { TopicPartition } from './consumer-options.js'
import { invalidOption } from './options.js'
import { asSeglogError } from './settle-errors.js'

interface MemberEvent {
  readonly groupId: string
  /** Empty before the first join. */
  readonly memberId: string
  /** -1 before the first join. */
  readonly generation: number
}

/** The group shares out its partitions anew. */
export interface RebalanceEvent extends MemberEvent {
  readonly reason: string
}

export interface AssignedEvent extends MemberEvent {
  /** What is new; none if the rebalance left everything as it was. */
  readonly partitions: readonly TopicPartition[]
  /** All this member has now. */
  readonly assignment: readonly TopicPartition[]
  readonly isLeader: boolean
}

export interface RevokedEvent extends MemberEvent {
  readonly partitions: readonly TopicPartition[]
}

/** The group went on without this member: others may be reading these partitions already. */
export interface LostEvent extends MemberEvent {
  readonly partitions: readonly TopicPartition[]
  readonly error: SeglogError
}

export interface StalledEvent {
  /** What stands still: the whole event loop, blocked by some code, or one handler (or loop) that has not come back. */
  readonly kind: 'event-loop' | 'handler'
  /** Milliseconds, at least. */
  readonly duration: number
  /** The record in hand, if one is. */
  readonly topic?: string
  readonly partition?: number
  readonly offset?: bigint
}

/** What a consumer with a `groupId` tells, by name of the event. */
export interface ConsumerEventMap {
  /** A rebalance begins for this member. */
  rebalance: RebalanceEvent
  /** Before the first record of the partitions: the place to `seek`. Waited for. */
  assigned: AssignedEvent
  /** Before others get the partitions: the place to finish and commit. Waited for, as long as the group does. */
  revoked: RevokedEvent
  /** Waited for; nothing can be committed any more. */
  lost: LostEvent
  /** Nothing was done for too long. */
  stalled: StalledEvent
}

export type ConsumerEventName = keyof ConsumerEventMap
export type ConsumerListener<N extends ConsumerEventName> = (event: ConsumerEventMap[N]) => unknown

const names: readonly string[] = ['rebalance', 'assigned', 'revoked', 'lost', 'stalled'] satisfies ConsumerEventName[]

/** Who listens to a consumer. What listeners throw goes to `onError`: it must not stop the work of the group. */
export class ConsumerEvents {
  private readonly listeners = new Map<string, ((event: never) => unknown)[]>()

  constructor(private readonly onError: (error: SeglogError) => void) {}

  /** Throws INVALID_OPTION for an event that does not exist. */
  on<N extends ConsumerEventName>(name: N, listener: ConsumerListener<N>): void {
    if (!names.includes(name)) throw invalidOption('consumer.on()', 'name', `one of ${names.join(', ')}`, name)
    if (typeof listener !== 'function') throw invalidOption('consumer.on()', 'listener', 'a function', listener)
    this.listeners.set(name, [...(this.listeners.get(name) ?? []), listener])
  }

  off<N extends ConsumerEventName>(name: N, listener: ConsumerListener<N>): void {
    const all = this.listeners.get(name) ?? []
    const at = all.lastIndexOf(listener)
    if (at >= 0) this.listeners.set(name, all.toSpliced(at, 1))
  }

  /** Calls the listeners one after the other, each when the one before is done. Never rejects. */
  async tell<N extends ConsumerEventName>(name: N, event: ConsumerEventMap[N]): Promise<void> {
    for (const listener of this.listeners.get(name) ?? []) {
      try {
        await (listener as ConsumerListener<N>)(event)
      } catch (error) {
        this.onError(asSeglogError(error))
      }
    }
  }
}
