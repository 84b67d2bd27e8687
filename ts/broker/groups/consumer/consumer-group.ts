import { protocolError } from '../../../protocol/errors.js'
import type { CommittedOffsets } from '../committed-offsets.js'
import type { Assignment } from './assignment.js'
import { type ConsumerMember, isReconciled } from './consumer-member.js'
import type { MemberTimers } from './member-timers.js'

/**
 * Where a group of the consumer protocol stands, by Kafka's names. Assigning: a target assignment is to be computed.
 * Reconciling: members are on their way to theirs.
 */
export type ConsumerGroupState = 'Empty' | 'Assigning' | 'Reconciling' | 'Stable'

/**
 * A group of the consumer protocol (KIP-848): the broker assigns, and each member comes to its target by itself, from
 * heartbeat to heartbeat. What is here is what its records in the log say, and changes when they are written; only timers
 * are of the moment.
 */
export class ConsumerGroup {
  readonly type = 'consumer'
  /** For who treats groups alike: the protocol type of consumers. */
  readonly protocolType = 'consumer'
  readonly id: string
  offsets: CommittedOffsets
  readonly members = new Map<string, ConsumerMember>()
  /** What each member is to have in the end, by its id. */
  readonly targets = new Map<string, Assignment>()
  /** The topics that the members' regular expressions stand for. */
  readonly regexes = new Map<string, readonly string[]>()
  /** By member id. */
  readonly timers = new Map<string, MemberTimers>()
  /** Raised by whatever changes what members are to have. */
  epoch = 0
  metadataHash = 0n
  /** The epoch that the targets are for. */
  assignmentEpoch = 0
  /** The log has a record of the topics from before there was a hash of them. */
  hasPartitionMetadata = false
  /** The state of the broker's topics that the hash and the regular expressions are known to be right for. */
  topicsSeen = -1
  /** Members by `group.instance.id`. */
  readonly #staticMembers = new Map<string, string>()
  /** The member that has each partition, or has not given it up yet, by topic id. */
  readonly #owners = new Map<string, Map<number, string>>()
  /** The topics that somebody wants; null until somebody asks. */
  #subscribed: ReadonlySet<string> | null = null

  constructor(id: string, offsets: CommittedOffsets) {
    this.id = id
    this.offsets = offsets
  }

  get state(): ConsumerGroupState {
    if (this.members.size === 0) return 'Empty'
    if (this.epoch > this.assignmentEpoch) return 'Assigning'
    for (const member of this.members.values()) if (!isReconciled(member, this.assignmentEpoch)) return 'Reconciling'
    return 'Stable'
  }

  get isEmpty(): boolean {
    return this.members.size === 0
  }

  /** A member wants the topic, by its name or by a regular expression. */
  isSubscribedTo(topic: string): boolean {
    this.#subscribed ??= this.#subscriptions()
    return this.#subscribed.has(topic)
  }

  /** Throws UNKNOWN_MEMBER_ID. */
  member(id: string): ConsumerMember {
    const member = this.members.get(id)
    if (member !== undefined) return member
    throw protocolError('UNKNOWN_MEMBER_ID', `group ${this.id} has no member ${JSON.stringify(id)}; join it again`)
  }

  staticMember(instanceId: string | null): ConsumerMember | undefined {
    const id = instanceId === null ? undefined : this.#staticMembers.get(instanceId)
    return id === undefined ? undefined : this.members.get(id)
  }

  /** The member that has the partition or has to give it up; undefined where it is free. */
  ownerOf(topicId: string, partition: number): string | undefined {
    return this.#owners.get(topicId)?.get(partition)
  }

  /** How many speak the classic protocol. */
  get classicCount(): number {
    let count = 0
    for (const { classic } of this.members.values()) if (classic !== null) count++
    return count
  }

  /** Puts a member in the place of the one with its id, if there is one. */
  setMember(member: ConsumerMember): void {
    const before = this.members.get(member.id)
    if (before !== undefined) this.#disown(before)
    this.members.set(member.id, member)
    this.#own(member)
    if (before?.instanceId !== member.instanceId) this.#forgetInstance(before)
    if (member.instanceId !== null) this.#staticMembers.set(member.instanceId, member.id)
    this.#subscribed = null
  }

  removeMember(id: string): void {
    const member = this.members.get(id)
    this.timers.get(id)?.clear()
    this.timers.delete(id)
    if (member === undefined) return
    this.members.delete(id)
    this.#disown(member)
    this.#forgetInstance(member)
    this.#subscribed = null
  }

  setRegex(regex: string, topics: readonly string[] | null): void {
    if (topics === null) this.regexes.delete(regex)
    else this.regexes.set(regex, topics)
    this.#subscribed = null
  }

  /** Nothing happens to its members here any more. */
  clearTimers(): void {
    for (const timers of this.timers.values()) timers.clear()
    this.timers.clear()
  }

  #forgetInstance(member: ConsumerMember | undefined): void {
    const instanceId = member?.instanceId ?? null
    // Another member may have taken its place.
    if (instanceId !== null && this.#staticMembers.get(instanceId) === member!.id)
      this.#staticMembers.delete(instanceId)
  }

  #own({ id, assigned, revoking }: ConsumerMember): void {
    for (const held of [assigned, revoking]) {
      for (const [topicId, partitions] of held) {
        let owners = this.#owners.get(topicId)
        if (owners === undefined) {
          owners = new Map()
          this.#owners.set(topicId, owners)
        }
        for (const partition of partitions.keys()) owners.set(partition, id)
      }
    }
  }

  #disown({ id, assigned, revoking }: ConsumerMember): void {
    for (const held of [assigned, revoking]) {
      for (const [topicId, partitions] of held) {
        const owners = this.#owners.get(topicId)
        if (owners === undefined) continue
        // A static member's successor has what it had.
        for (const partition of partitions.keys()) if (owners.get(partition) === id) owners.delete(partition)
        if (owners.size === 0) this.#owners.delete(topicId)
      }
    }
  }

  #subscriptions(): Set<string> {
    const topics = new Set<string>()
    for (const member of this.members.values()) {
      for (const name of member.topics) topics.add(name)
      if (member.regex !== null) for (const name of this.regexes.get(member.regex) ?? []) topics.add(name)
    }
    return topics
  }
}
