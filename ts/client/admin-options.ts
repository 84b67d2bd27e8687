import type { SeglogError } from '../errors/seglog-error.js'
import { flag, integer, type OptionRules, plainObject, rule, text } from './options.js'

/** Topic configs by Kafka's dotted names; numbers and booleans are written as text. */
export type TopicConfig = Readonly<Record<string, string | number | boolean>>

export interface CallOptions {
  /** Milliseconds the broker may take (default 60,000). */
  timeout?: number
  /** Checks everything, changes nothing. */
  validateOnly?: boolean
}

export interface NewTopic {
  topic: string
  /** Default: the broker's `num.partitions`. */
  partitions?: number
  /** Default: the broker's. */
  replicationFactor?: number
  config?: TopicConfig
  /** An existing topic of this name is no error; it stays as it is. */
  ifNotExists?: boolean
}

export interface CreatedTopic {
  topic: string
  topicId: string
  partitions: number
  /** False where `ifNotExists` met an existing topic. */
  created: boolean
}

/** What became of one topic of a call on several; `error.results` holds these when some failed. */
export interface TopicOutcome {
  topic: string
  error?: SeglogError
}

export interface PartitionDescription {
  partition: number
  /** Node id, -1 for none. */
  leader: number
  leaderEpoch: number
  replicas: number[]
  isr: number[]
}

export interface TopicDescription {
  topic: string
  topicId: string
  isInternal: boolean
  partitions: PartitionDescription[]
}

export interface ConfigEntry {
  value: string | null
  /** Set for this topic, or where it comes from otherwise. */
  source: 'topic' | 'broker' | 'default' | 'unknown'
  isDefault: boolean
  isReadOnly: boolean
  isSensitive: boolean
  documentation: string | null
}

export interface PartitionOffsets {
  topic: string
  partition: number
  /** First offset that can be read. */
  earliest: bigint
  /** Offset of the next record. */
  latest: bigint
}

export interface PartitionOffsetAt {
  topic: string
  partition: number
  /** Of the first record with such a timestamp; null where there is none. */
  offset: bigint | null
  /** Of that record, in milliseconds. */
  timestamp: number | null
  leaderEpoch: number | null
}

const partitionNumbers = rule('an array of partition numbers', (value) => {
  return Array.isArray(value) && value.every((one) => Number.isSafeInteger(one) && one >= 0)
})

const configObject = rule('an object of config names and values', (value) => {
  const kinds = ['string', 'number', 'boolean']
  return plainObject.accepts(value) && Object.values(value as object).every((one) => kinds.includes(typeof one))
})

const timeout = integer(1, 0x7fffffff)

export const callRules: OptionRules = { timeout, validateOnly: flag }

export const newTopicRules: OptionRules = {
  topic: rule('a topic name', (value) => typeof value === 'string'),
  // The broker judges the numbers, so that every client gets the same answer.
  partitions: rule('a whole number', Number.isSafeInteger),
  replicationFactor: rule('a whole number', Number.isSafeInteger),
  config: configObject,
  ifNotExists: flag,
}

export const createTopicsRules: OptionRules = {
  ...callRules,
  topics: rule('an array of { topic, partitions, config }', Array.isArray),
}

export const topicRules: OptionRules = { ...callRules, topic: text }
export const deleteTopicRules: OptionRules = { topic: text, timeout, ifExists: flag }
export const deleteTopicsRules: OptionRules = {
  topics: rule('an array of topic names', isTexts),
  timeout,
  ifExists: flag,
}
export const describeTopicsRules: OptionRules = { topics: rule('an array of topic names', isTexts) }
export const listTopicsRules: OptionRules = { includeInternal: flag }
export const createPartitionsRules: OptionRules = {
  ...callRules,
  topic: text,
  count: rule('a whole number', Number.isSafeInteger),
}

export const configRules: OptionRules = { topic: text, names: rule('an array of config names', isTexts) }

export const alterConfigRules: OptionRules = {
  topic: text,
  set: configObject,
  reset: rule('an array of config names', isTexts),
  validateOnly: flag,
}

export const listOffsetsRules: OptionRules = {
  topic: text,
  partitions: partitionNumbers,
  timestamp: rule(
    "milliseconds, or 'max' for the newest record",
    (value) => value === 'max' || Number.isSafeInteger(value),
  ),
}

export const deleteRecordsRules: OptionRules = {
  topic: text,
  partitions: rule('an array of { partition, offset }', Array.isArray),
  timeout,
}

export const deleteRecordsPartRules: OptionRules = {
  partition: integer(0),
  offset: rule(
    "a bigint of at least 0n, or 'latest'",
    (value) => value === 'latest' || (typeof value === 'bigint' && value >= 0n),
  ),
}

export const adminRules: OptionRules = { clientId: text }

function isTexts(value: unknown): boolean {
  return Array.isArray(value) && value.every((one) => typeof one === 'string')
}
