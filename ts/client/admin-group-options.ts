import type { SeglogError } from '../errors/seglog-error.js'
import type { TopicPartition } from './consumer-options.js'
import { flag, integer, isObject, type OptionRules, oneOf, rule, text } from './options.js'

/** The coordinator's word for where a group stands; Assigning and Reconciling are of the consumer protocol. */
export type GroupState =
  | 'Stable'
  | 'PreparingRebalance'
  | 'CompletingRebalance'
  | 'Assigning'
  | 'Reconciling'
  | 'Empty'
  | 'Dead'
  | (string & {})

export interface GroupListing {
  groupId: string
  /** Empty where the broker is too old to say. */
  state: GroupState
  /** 'consumer' for consumers; others use groups too. Empty for one that only keeps offsets. */
  protocolType: string
  /** 'classic', 'consumer', or what newer brokers know besides. Empty where the broker is too old to say. */
  type: string
}

export interface GroupMemberDescription {
  memberId: string
  groupInstanceId: string | null
  clientId: string
  clientHost: string
  /** What it subscribed to by name; empty while a classic group rebalances. */
  topics: string[]
  /** What the leader or the broker gave it. */
  assignment: TopicPartition[]
}

export interface GroupDescription {
  groupId: string
  state: GroupState
  protocolType: string
  /** Name of the assignor; null while a classic group rebalances, and without members. */
  assignor: string | null
  members: GroupMemberDescription[]
}

/** Some partitions of a topic, or all of them. */
export interface TopicPart {
  topic: string
  partitions?: readonly number[]
}

/** Where to set the offsets of a group. */
export type ResetTarget =
  | { to: 'earliest' | 'latest' }
  /** Moved into the log where it lies outside. */
  | { to: 'offset'; offset: bigint | number }
  /** The first record at or after it, in milliseconds; the end if there is none. */
  | { to: 'timestamp'; timestamp: number }
  /** So many records on, or back with a negative number; moved into the log. */
  | { to: 'shift'; by: bigint | number }

export interface OffsetReset extends TopicPartition {
  /** What the group has, null for nothing. */
  committed: bigint | null
  /** What it is to have. */
  offset: bigint
}

/** How far a group is behind in one partition. What is not known is null, never 0. */
export interface PartitionLag extends TopicPartition {
  groupId: string
  /** Null where the group has committed nothing. */
  committed: bigint | null
  /** Offset after the last record that can be read. */
  end: bigint
  /** Offsets between the two; records that are no longer there do not count. Null where nothing was committed. */
  lag: bigint | null
  /** Age of the first unread record, 0 where there is none. Null where nothing was committed, or it has no timestamp. */
  lagSeconds: number | null
  /** Who has the partition; null for nobody, and while the group rebalances. */
  memberId: string | null
  clientId: string | null
  clientHost: string | null
}

/** What became of one group of a call on several; `error.results` holds these when some failed. */
export interface GroupOutcome {
  groupId: string
  error?: SeglogError
}

const texts = rule('an array of strings', (value) => {
  return Array.isArray(value) && value.every((one) => typeof one === 'string')
})
/** Kafka permits the empty name too. */
const groupId = rule('a string', (value) => typeof value === 'string')
const numbers = rule('an array of partition numbers', (value) => {
  return Array.isArray(value) && value.every((one) => Number.isSafeInteger(one) && one >= 0)
})
const parts = rule('an array of { topic, partitions }', (value) => Array.isArray(value) && value.every(isObject))
const wholeNumber = rule('a whole number', (value) => typeof value === 'bigint' || Number.isSafeInteger(value))
const offset = rule('an offset: a bigint, or a whole number', (value) => {
  return typeof value === 'bigint' ? value >= 0n : Number.isSafeInteger(value) && (value as number) >= 0
})

export const listGroupsRules: OptionRules = { states: texts, types: texts }
export const describeGroupsRules: OptionRules = { groupIds: texts }
export const groupRules: OptionRules = { groupId }
export const deleteGroupRules: OptionRules = { groupId, ifExists: flag }
export const deleteGroupsRules: OptionRules = { groupIds: texts, ifExists: flag }
export const topicPartRules: OptionRules = { topic: text, partitions: numbers }
export const fetchOffsetsRules: OptionRules = { groupId, topics: parts }
export const setOffsetsRules: OptionRules = {
  groupId,
  offsets: rule('an array of { topic, partition, offset }', Array.isArray),
}
export const deleteOffsetsRules: OptionRules = { groupId, topics: parts }
export const lagRules: OptionRules = { groupId }

export const resetOffsetsRules: OptionRules = {
  groupId,
  topics: parts,
  to: oneOf('earliest', 'latest', 'offset', 'timestamp', 'shift'),
  offset,
  timestamp: integer(0),
  by: wholeNumber,
  execute: flag,
}
