import { protocolError } from '../../protocol/errors.js'
import type { JoinGroupResponse } from '../../protocol/messages/11-join-group.js'
import type { SyncGroupResponse } from '../../protocol/messages/14-sync-group.js'
import type { Deadline } from '../deadline.js'
import { CommittedOffsets } from './committed-offsets.js'
import { joinFailure, syncFailure } from './group-answers.js'
import { checkTransition, type GroupState } from './group-state.js'
import type { Member, Protocols, Timeouts } from './member.js'
import type { Parking } from './parking.js'

/** The protocol type of consumers: only its metadata says which topics a member wants. */
export const consumerProtocolType = 'consumer'

/** The deadlines of one group, by which a phase of its rebalance ends without those who did not come. */
export interface GroupDeadlines {
  readonly join: Deadline
  readonly sync: Deadline
}

/** One group of the classic protocol: who is in it, where it stands, and the offsets it committed. */
export class Group {
  readonly type = 'classic'
  readonly id: string
  readonly members = new Map<string, Member>()
  /** Members to be: they were given an id and are expected to come back with it. */
  readonly pendingJoins = new Map<string, Deadline>()
  /** Members of this generation that have not asked for their assignment. */
  readonly pendingSyncs = new Set<string>()
  offsets = new CommittedOffsets()
  readonly deadlines: GroupDeadlines
  /** Null for a group that only commits offsets. */
  protocolType: string | null = null
  /** The one chosen for this generation. */
  protocolName: string | null = null
  generation = 0
  leaderId: string | null = null
  /** Milliseconds since 1970 when it came into its state; -1 if its record does not say. */
  stateSince: number
  /** Members came since the delay of a first rebalance began. */
  newMemberAdded = false
  /** How much longer a first rebalance may be delayed. */
  delayLeftMs = 0
  /** Topics its members want; null where nobody knows. */
  subscribedTopics: ReadonlySet<string> | null = null
  /** The log has a record of it. */
  stored = false
  #state: GroupState = 'Empty'
  #previousState: GroupState = 'Dead'
  /** Members by `group.instance.id`. */
  readonly #staticMembers = new Map<string, Member>()
  /** How many members have each protocol. */
  readonly #supporters = new Map<string, number>()
  readonly #parking: Parking
  #joined = 0

  constructor(id: string, now: number, parking: Parking, deadlines: (group: Group) => GroupDeadlines) {
    this.id = id
    this.stateSince = now
    this.#parking = parking
    this.deadlines = deadlines(this)
  }

  get state(): GroupState {
    return this.#state
  }

  get previousState(): GroupState {
    return this.#previousState
  }

  get isEmpty(): boolean {
    return this.#state === 'Empty'
  }

  isIn(...states: GroupState[]): boolean {
    return states.includes(this.#state)
  }

  /** Goes on to `state`; TypeError if there is no way. */
  transitionTo(state: GroupState, now: number): void {
    checkTransition(this.id, this.#state, state)
    this.#previousState = this.#state
    this.#state = state
    this.stateSince = now
  }

  /** As its record has it: members are there, nothing is under way. */
  restore(state: 'Empty' | 'Stable', since: number): void {
    this.#state = state
    this.stateSince = since
    this.stored = true
  }

  /** The members that wait for their JoinGroup to be answered. */
  get joined(): number {
    return this.#joined
  }

  get allJoined(): boolean {
    return this.pendingJoins.size === 0 && this.#joined === this.members.size
  }

  /** The longest that any member asks to be waited for. */
  get rebalanceTimeoutMs(): number {
    let longest = 0
    for (const { rebalanceTimeoutMs } of this.members.values()) longest = Math.max(longest, rebalanceTimeoutMs)
    return longest
  }

  staticMember(instanceId: string): Member | undefined {
    return this.#staticMembers.get(instanceId)
  }

  /** The first member decides the protocol type, and leads until another is elected. */
  add(member: Member, protocolType: string): void {
    if (this.members.size === 0) this.protocolType = protocolType
    this.pendingJoins.get(member.id)?.clear()
    this.pendingJoins.delete(member.id)
    this.members.set(member.id, member)
    if (member.instanceId !== null) this.#staticMembers.set(member.instanceId, member)
    this.#countProtocols(member.protocols, 1)
    this.leaderId ??= member.id
  }

  /** What a member says of itself when it joins again. */
  update(
    member: Member,
    { protocols, rebalanceTimeoutMs, sessionTimeoutMs }: Timeouts & { protocols: Protocols },
  ): void {
    this.#countProtocols(member.protocols, -1)
    member.protocols = protocols
    this.#countProtocols(protocols, 1)
    member.rebalanceTimeoutMs = rebalanceTimeoutMs
    member.sessionTimeoutMs = sessionTimeoutMs
  }

  /** Puts another member in the place of a static one, as leader too; the old one's requests are the caller's to answer. */
  replace(old: Member, next: Member): void {
    const leads = this.leaderId === old.id
    const pendingSync = this.pendingSyncs.has(old.id)
    this.remove(old.id)
    this.add(next, this.protocolType!)
    if (leads) this.leaderId = next.id
    if (pendingSync) this.pendingSyncs.add(next.id)
  }

  /** Parks a member's JoinGroup; an earlier one of it, whose client has given up on it, is told to join again. */
  parkJoin(member: Member): Promise<JoinGroupResponse> {
    this.answerJoin(member, joinFailure(member.id, 'REBALANCE_IN_PROGRESS'))
    this.#joined++
    return this.#parking.park((resolve) => {
      member.awaitingJoin = resolve
    })
  }

  answerJoin(member: Member, response: JoinGroupResponse): void {
    if (member.awaitingJoin === null) return
    member.awaitingJoin(response)
    member.awaitingJoin = null
    this.#joined--
  }

  /** As `parkJoin`, of a SyncGroup. */
  parkSync(member: Member): Promise<SyncGroupResponse> {
    this.answerSync(member, syncFailure('REBALANCE_IN_PROGRESS'))
    return this.#parking.park((resolve) => {
      member.awaitingSync = resolve
    })
  }

  answerSync(member: Member, response: SyncGroupResponse): void {
    member.awaitingSync?.(response)
    member.awaitingSync = null
  }

  /**
   * Takes a member, or one to be, out of the group. What it has parked is answered UNKNOWN_MEMBER_ID, upon which a client
   * that is still there joins anew.
   */
  remove(memberId: string): void {
    const member = this.members.get(memberId)
    if (member !== undefined) {
      this.answerJoin(member, joinFailure('', 'UNKNOWN_MEMBER_ID'))
      this.answerSync(member, syncFailure('UNKNOWN_MEMBER_ID'))
      member.session.clear()
      this.members.delete(memberId)
      this.#countProtocols(member.protocols, -1)
      if (member.instanceId !== null) this.#staticMembers.delete(member.instanceId)
    }
    if (this.leaderId === memberId) this.leaderId = this.members.keys().next().value ?? null
    this.pendingJoins.get(memberId)?.clear()
    this.pendingJoins.delete(memberId)
    this.pendingSyncs.delete(memberId)
  }

  /**
   * The members in the order they came, the leader replaced by the first that has joined unless it did itself. False if
   * nobody joined.
   */
  electJoined(): boolean {
    const leader = this.leaderId === null ? undefined : this.members.get(this.leaderId)
    if (leader !== undefined && leader.awaitingJoin !== null) return true
    for (const member of this.members.values()) {
      if (member.awaitingJoin === null) continue
      this.leaderId = member.id
      return true
    }
    return false
  }

  /**
   * The member that a request names. Throws UNKNOWN_MEMBER_ID, or FENCED_INSTANCE_ID where another process has taken the
   * static member's place.
   */
  memberOf(memberId: string, instanceId: string | null): Member {
    if (instanceId !== null) {
      const current = this.#staticMembers.get(instanceId)
      if (current !== undefined && current.id !== memberId) {
        const message = `group.instance.id ${instanceId} of group ${this.id} has been taken over by ${current.id}`
        throw protocolError('FENCED_INSTANCE_ID', message)
      }
      if (current === undefined) throw this.#unknownMember(memberId)
    }
    const member = this.members.get(memberId)
    if (member === undefined) throw this.#unknownMember(memberId)
    return member
  }

  /** Throws ILLEGAL_GENERATION unless this is the group's. */
  checkGeneration(generation: number): void {
    if (generation === this.generation) return
    const message = `group ${this.id} is in generation ${this.generation}, not ${generation}`
    throw protocolError('ILLEGAL_GENERATION', message)
  }

  /** Somebody with these protocols can be in this group: one of them is known to every member. */
  supports(protocolType: string, protocols: Protocols): boolean {
    if (this.#state === 'Empty') return protocolType !== '' && protocols.length > 0
    return this.protocolType === protocolType && protocols.some(({ name }) => this.#isCommon(name))
  }

  /** Each member votes for the first of its protocols that all have; most votes win, and the earlier vote a draw. */
  selectProtocol(): string | null {
    const candidates = new Set([...this.#supporters.keys()].filter((name) => this.#isCommon(name)))
    const votes = new Map<string, number>()
    for (const member of this.members.values()) {
      const vote = member.vote(candidates)
      if (vote !== undefined) votes.set(vote, (votes.get(vote) ?? 0) + 1)
    }
    let winner: string | null = null
    for (const [name, count] of votes) if (winner === null || count > votes.get(winner)!) winner = name
    return winner
  }

  /** The group acts on the topic: its offsets there are in use. */
  isSubscribedTo(topic: string): boolean {
    return this.subscribedTopics?.has(topic) ?? this.protocolType === consumerProtocolType
  }

  /** Every member has the protocol. */
  #isCommon(protocol: string): boolean {
    return (this.#supporters.get(protocol) ?? 0) === this.members.size
  }

  #countProtocols(protocols: Protocols, change: 1 | -1): void {
    for (const name of new Set(protocols.map(({ name }) => name))) {
      const count = (this.#supporters.get(name) ?? 0) + change
      if (count === 0) this.#supporters.delete(name)
      else this.#supporters.set(name, count)
    }
  }

  #unknownMember(memberId: string): Error {
    return protocolError(
      'UNKNOWN_MEMBER_ID',
      `group ${this.id} has no member ${JSON.stringify(memberId)}; join it again`,
    )
  }
}
