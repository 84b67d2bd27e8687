import type { Protocols } from '../member.js'
import { type Held, nothingHeld } from './assignment.js'

/**
 * Where a member stands on its way to its target assignment. Stable: it has all of it, or is to be told of a newer one.
 * Unrevoked: it is to give up partitions and has not said that it did. Unreleased: it waits for partitions that others
 * have to give up. Unknown: a later version of Kafka wrote what is not understood here.
 */
export type MemberState = 'stable' | 'unrevoked' | 'unreleased' | 'unknown'

/** What a member that speaks the classic protocol joined with. */
export interface ClassicFacts {
  readonly sessionTimeoutMs: number
  readonly protocols: Protocols
}

/** A member is away for a while, as a static member may be, in this epoch. */
export const awayEpoch = -2

/** One member of a consumer group at one moment: never changed, another takes its place. */
export interface ConsumerMember {
  readonly id: string
  /** Of a static member. */
  readonly instanceId: string | null
  readonly rackId: string | null
  readonly clientId: string
  readonly clientHost: string
  /** The names it subscribes to, each once and in order. */
  readonly topics: readonly string[]
  /** The regular expression it subscribes with; null for none. */
  readonly regex: string | null
  /** How long it may take to give up partitions. */
  readonly rebalanceTimeoutMs: number
  /** The assignor it wishes for; null leaves it to others. */
  readonly serverAssignor: string | null
  /** Null for a member that speaks the consumer protocol. */
  readonly classic: ClassicFacts | null
  /** The epoch of the group it has come to: it commits offsets with it. */
  readonly epoch: number
  /** The one before: the answer that told it of a new one may have been lost. */
  readonly previousEpoch: number
  readonly state: MemberState
  readonly assigned: Held
  /** What it is to give up. */
  readonly revoking: Held
}

export function newConsumerMember(id: string): ConsumerMember {
  return {
    id,
    instanceId: null,
    rackId: null,
    clientId: '',
    clientHost: '',
    topics: [],
    regex: null,
    rebalanceTimeoutMs: -1,
    serverAssignor: null,
    classic: null,
    epoch: 0,
    previousEpoch: -1,
    state: 'stable',
    assigned: nothingHeld,
    revoking: nothingHeld,
  }
}

/** It has all that it is to have in this epoch. */
export function isReconciled(member: ConsumerMember, targetEpoch: number): boolean {
  return member.state === 'stable' && member.epoch === targetEpoch
}

/** It says the same of itself: what its record of metadata holds. */
export function saysTheSame(a: ConsumerMember, b: ConsumerMember): boolean {
  return (
    a.instanceId === b.instanceId &&
    a.rackId === b.rackId &&
    a.clientId === b.clientId &&
    a.clientHost === b.clientHost &&
    a.rebalanceTimeoutMs === b.rebalanceTimeoutMs &&
    a.serverAssignor === b.serverAssignor &&
    subscribesTheSame(a, b) &&
    sameClassic(a.classic, b.classic)
  )
}

export function subscribesTheSame(a: ConsumerMember, b: ConsumerMember): boolean {
  return a.regex === b.regex && a.topics.length === b.topics.length && a.topics.every((name, i) => name === b.topics[i])
}

function sameClassic(a: ClassicFacts | null, b: ClassicFacts | null): boolean {
  if (a === null || b === null) return a === b
  if (a.sessionTimeoutMs !== b.sessionTimeoutMs || a.protocols.length !== b.protocols.length) return false
  return a.protocols.every(({ name, metadata }, i) => {
    const other = b.protocols[i]
    return other.name === name && Buffer.compare(other.metadata, metadata) === 0
  })
}
