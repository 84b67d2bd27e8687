import type { JoinGroupRequest, JoinGroupResponse } from '../../protocol/messages/11-join-group.js'
import type { SyncGroupResponse } from '../../protocol/messages/14-sync-group.js'
import type { Deadline } from '../deadline.js'

/** Protocols in the order a member prefers them, each with what the leader gets to see. */
export type Protocols = JoinGroupRequest['protocols']

export interface Timeouts {
  /** How long the member may take to join again in a rebalance. */
  readonly rebalanceTimeoutMs: number
  /** How long it may be silent. */
  readonly sessionTimeoutMs: number
}

/** What a member says of itself. */
export interface MemberFacts extends Timeouts {
  readonly id: string
  /** Of a static member. */
  readonly instanceId: string | null
  readonly clientId: string
  readonly clientHost: string
  readonly protocols: Protocols
}

export const noAssignment = new Uint8Array(0)

/** One member of a group, with the requests of it that are parked. */
export class Member {
  readonly id: string
  readonly instanceId: string | null
  readonly clientId: string
  readonly clientHost: string
  /** Passes when the member has not been heard of for its session timeout. */
  readonly session: Deadline
  rebalanceTimeoutMs: number
  sessionTimeoutMs: number
  protocols: Protocols
  assignment: Uint8Array = noAssignment
  /** It has not got its first generation yet, so it cannot heartbeat. */
  isNew = false
  /** Answers the parked JoinGroup, or SyncGroup. */
  awaitingJoin: ((response: JoinGroupResponse) => void) | null = null
  awaitingSync: ((response: SyncGroupResponse) => void) | null = null

  constructor(facts: MemberFacts, session: Deadline) {
    this.id = facts.id
    this.instanceId = facts.instanceId
    this.clientId = facts.clientId
    this.clientHost = facts.clientHost
    this.rebalanceTimeoutMs = facts.rebalanceTimeoutMs
    this.sessionTimeoutMs = facts.sessionTimeoutMs
    this.protocols = facts.protocols
    this.session = session
  }

  get isStatic(): boolean {
    return this.instanceId !== null
  }

  /** What it sent for the protocol; empty for one that it does not have. */
  metadata(protocol: string | null): Uint8Array {
    return this.protocols.find(({ name }) => name === protocol)?.metadata ?? noAssignment
  }

  /** The first of its protocols among the candidates. */
  vote(candidates: ReadonlySet<string>): string | undefined {
    return this.protocols.find(({ name }) => candidates.has(name))?.name
  }

  /** It came with the same protocols in the same order, with the same metadata. */
  matches(protocols: Protocols): boolean {
    if (protocols.length !== this.protocols.length) return false
    return protocols.every(({ name, metadata }, i) => {
      const own = this.protocols[i]
      return own.name === name && Buffer.compare(own.metadata, metadata) === 0
    })
  }

  /** A parked request shows that it is there, except of a new member: nobody can tell whether its client still waits. */
  get isHeard(): boolean {
    return !this.isNew && (this.awaitingJoin !== null || this.awaitingSync !== null)
  }
}
