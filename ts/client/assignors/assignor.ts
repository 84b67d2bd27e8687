import type { TopicPartition } from '../consumer-options.js'

/** What the leader of a group knows of one member when it shares out the partitions. */
export interface GroupMember {
  readonly memberId: string
  /** The lasting name of a static member. */
  readonly groupInstanceId: string | null
  readonly topics: readonly string[]
  /** What it says it owns; void where its generation is older than another's. */
  readonly owned: readonly TopicPartition[]
  /** The generation in which it got them; -1 for unknown. */
  readonly generation: number
}

/** Number of partitions of each topic that is there. */
export type PartitionCounts = ReadonlyMap<string, number>

/** Partitions by member id; every member has an entry. */
export type GroupAssignment = Map<string, TopicPartition[]>

/** What a member brings along with its subscription, for assignors that keep partitions where they are. */
export interface Claim {
  readonly owned: readonly TopicPartition[]
  readonly generation: number
}

/** A way to share out a group's partitions. All members of a group use the same. */
export interface Assignor {
  /** Kafka's name for it, which members on other platforms know. */
  readonly name: string
  /** Members keep what they have while the group rebalances, and give up only what goes to another. */
  readonly isCooperative: boolean
  /** What a member sends beside its subscription. */
  userData(claim: Claim): Uint8Array | null
  /** What a member claims, from what it sent; `subscribed` is what the subscription's own fields say. */
  claimOf(subscribed: Claim, userData: Uint8Array | null): Claim
  /**
   * Gives every partition of the subscribed topics that are there to exactly one member that wants it; a cooperative
   * assignor holds back what another member has yet to give up. The same input gives the same answer on every member.
   */
  assign(partitions: PartitionCounts, members: readonly GroupMember[]): GroupAssignment
}
