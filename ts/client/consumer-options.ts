import { SeglogError } from '../errors/seglog-error.js'
import { decompressLimitBytes } from '../records/codecs/codecs.js'
import { type GroupOptions, type GroupProtocol, groupRules } from './group/group-options.js'
import {
  abortSignal,
  checkOptions,
  flag,
  integer,
  invalidOption,
  isObject,
  type OptionRules,
  oneOf,
  rule,
  text,
} from './options.js'
import type { BrokerExpression, Subscribed } from './subscription.js'

/** Where to begin: an end of the log, an offset of every partition, or the first record at or after a time (ms). */
export type From = 'earliest' | 'latest' | { offset: bigint | number } | { timestamp: number }

export interface ConsumerOptions extends GroupOptions {
  /** Named in the broker's logs. */
  clientId?: string
  /**
   * Where `subscribe` and `assign` begin unless they say otherwise (default 'latest'); in a group, with partitions that
   * nothing was committed of.
   */
  from?: From
  /**
   * What to do when a position has left the log (deleted by retention, or lost): go to an end, or throw
   * OFFSET_OUT_OF_RANGE. Default: 'earliest' for `subscribe`, 'error' for `assign`.
   */
  autoOffsetReset?: 'earliest' | 'latest' | 'error'
  /** Bytes to wait for (default 1). */
  minBytes?: number
  /** Bytes of one fetch (default 50 MiB), and of one partition in it (default 1 MiB). A larger batch comes all the same. */
  maxBytes?: number
  maxBytesPerPartition?: number
  /** Milliseconds a fetch waits for minBytes (default 5,000). The wait is repeated, so this is no limit to the loop. */
  maxWaitTimeInMs?: number
  /** Compare every batch with its checksum (default true). */
  checkCrcs?: boolean
  /** Largest size of one decompressed batch (default 64 MiB). */
  maxDecompressedBytes?: number
  /** Milliseconds between looks for new partitions of subscribed topics (default 300,000). */
  metadataMaxAge?: number
  /** Subscribing to an unknown topic creates it where the broker permits that (default true). */
  allowAutoTopicCreation?: boolean
  /** Ends every wait and loop with ABORTED. */
  signal?: AbortSignal
}

export interface TopicPartition {
  topic: string
  partition: number
}

export interface Assignment extends TopicPartition {
  /** Default: the consumer's `from`. */
  offset?: bigint | number | 'earliest' | 'latest'
}

/** An offset as `consumer.commit()` takes it. */
export interface OffsetToCommit extends TopicPartition {
  /** Of the next record to read: `message.offset + 1n`. */
  offset: bigint | number
  /** Of the last record read (`message.leaderEpoch`): lets the broker see that a log was cut back since. */
  leaderEpoch?: number
  /** Kept with the offset (default ''). */
  metadata?: string
}

export interface CommittedOffset extends TopicPartition {
  /** Of the next record to read; null for none. */
  offset: bigint | null
  leaderEpoch: number | null
  metadata: string | null
}

export type Reset = 'earliest' | 'latest' | 'error'

export interface ReadOptions {
  clientId: string | null
  from: From
  autoOffsetReset: Reset | undefined
  minBytes: number
  maxBytes: number
  maxBytesPerPartition: number
  maxWaitTimeInMs: number
  checkCrcs: boolean
  maxDecompressedBytes: number
  metadataMaxAge: number
  allowAutoTopicCreation: boolean
  signal: AbortSignal | undefined
  /** Empty for none. */
  rackId: string
}

const int32Max = 0x7fffffff

const offsetRule = rule('an offset: a bigint, or a whole number', isOffset)

const fromRule = rule("'earliest', 'latest', { offset } or { timestamp }", (value) => {
  if (value === 'earliest' || value === 'latest') return true
  if (!isObject(value) || Object.keys(value).length !== 1) return false
  return isOffset(value.offset) || (Number.isSafeInteger(value.timestamp) && (value.timestamp as number) >= 0)
})

const consumerRules: OptionRules = {
  clientId: text,
  ...groupRules,
  from: fromRule,
  autoOffsetReset: oneOf('earliest', 'latest', 'error'),
  minBytes: integer(0, int32Max),
  maxBytes: integer(1, int32Max),
  maxBytesPerPartition: integer(1, int32Max),
  maxWaitTimeInMs: integer(0, int32Max),
  checkCrcs: flag,
  maxDecompressedBytes: integer(1),
  metadataMaxAge: integer(1),
  allowAutoTopicCreation: flag,
  signal: abortSignal,
}

/** Checks and completes a consumer's options, but for those of its group. Throws INVALID_OPTION, MISSPELLED_OPTION. */
export function consumerOptions(given: ConsumerOptions = {}): ReadOptions {
  checkOptions('log.consumer()', given, consumerRules)
  return {
    clientId: given.clientId ?? null,
    from: given.from ?? 'latest',
    autoOffsetReset: given.autoOffsetReset,
    minBytes: given.minBytes ?? 1,
    maxBytes: given.maxBytes ?? 50 * 1024 * 1024,
    maxBytesPerPartition: given.maxBytesPerPartition ?? 1024 * 1024,
    maxWaitTimeInMs: given.maxWaitTimeInMs ?? 5_000,
    checkCrcs: given.checkCrcs ?? true,
    maxDecompressedBytes: given.maxDecompressedBytes ?? decompressLimitBytes,
    metadataMaxAge: given.metadataMaxAge ?? 300_000,
    allowAutoTopicCreation: given.allowAutoTopicCreation ?? true,
    signal: given.signal,
    rackId: given.rackId ?? '',
  }
}

const assignmentRules: OptionRules = {
  topic: text,
  partition: integer(0, int32Max),
  offset: rule(
    "an offset, 'earliest' or 'latest'",
    (value) => value === 'earliest' || value === 'latest' || isOffset(value),
  ),
}

export function checkAssignments(assignments: readonly Assignment[]): void {
  const of = 'consumer.assign()'
  if (!Array.isArray(assignments))
    throw new SeglogError('INVALID_OPTION', `${of} takes an array of { topic, partition, offset }`)
  const seen = new Set<string>()
  for (const one of assignments) {
    requireOptions(of, one, assignmentRules, 'topic', 'partition')
    const name = `${one.topic}-${one.partition}`
    if (seen.has(name)) throw new SeglogError('INVALID_OPTION', `${of} names ${name} twice`)
    seen.add(name)
  }
}

const subscribeRules: OptionRules = { from: fromRule }

export function checkSubscription(
  topics: readonly Subscribed[],
  options: { from?: From },
  protocol: GroupProtocol,
): void {
  const of = 'consumer.subscribe()'
  if (!Array.isArray(topics) || !topics.every(isSubscribed)) {
    const kinds = 'topic names, regular expressions and at most one { re2 }'
    throw new SeglogError('INVALID_OPTION', `${of} takes an array of ${kinds}`)
  }
  const expressions = topics.filter(isExpression)
  if (expressions.length > 1 || (expressions.length === 1 && protocol === 'classic')) {
    const message = `${of}: { re2 } is for the broker to match, once, where \`groupProtocol\` of log.consumer() is 'consumer'`
    throw new SeglogError('INVALID_OPTION', message, { key: 're2' })
  }
  checkOptions(of, options, subscribeRules)
}

const seekRules: OptionRules = { topic: text, partition: integer(0, int32Max), offset: offsetRule }

export function checkSeek(place: TopicPartition & { offset: bigint | number }): void {
  requireOptions('consumer.seek()', place, seekRules, 'topic', 'partition', 'offset')
}

const topicPartitionRules: OptionRules = { topic: text, partition: integer(0, int32Max) }

export function checkTopicPartition(of: string, place: TopicPartition): void {
  requireOptions(of, place, topicPartitionRules, 'topic', 'partition')
}

const topicPartitionsRules: OptionRules = {
  topic: text,
  partitions: rule(
    'an array of partition numbers',
    (value) => Array.isArray(value) && value.every(Number.isSafeInteger),
  ),
}

export function checkTopicPartitions(
  of: string,
  places: readonly { topic: string; partitions?: readonly number[] }[],
  ...required: 'partitions'[]
): void {
  if (!Array.isArray(places)) throw new SeglogError('INVALID_OPTION', `${of} takes an array of { topic, partitions }`)
  for (const place of places) requireOptions(of, place, topicPartitionsRules, 'topic', ...required)
}

const commitRules: OptionRules = {
  topic: text,
  partition: integer(0, int32Max),
  offset: offsetRule,
  leaderEpoch: integer(-1, int32Max),
  metadata: rule('a string', (value) => typeof value === 'string'),
}

export function checkCommit(offsets: readonly OffsetToCommit[], of = 'consumer.commit()'): void {
  if (!Array.isArray(offsets))
    throw new SeglogError('INVALID_OPTION', `${of} takes an array of { topic, partition, offset }`)
  for (const one of offsets) requireOptions(of, one, commitRules, 'topic', 'partition', 'offset')
}

const closeRules: OptionRules = { timeout: integer(0, int32Max) }

export function checkClose(options: { timeout?: number }): void {
  checkOptions('consumer.close()', options, closeRules)
}

const runRules: OptionRules = {
  eachMessage: rule('a function', (value) => typeof value === 'function'),
  eachBatch: rule('a function', (value) => typeof value === 'function'),
  concurrency: integer(1, 10_000),
}

export function checkRun(handlers: { eachMessage?: unknown; eachBatch?: unknown; concurrency?: unknown }): void {
  checkOptions('consumer.run()', handlers ?? null, runRules)
  if ((handlers.eachMessage === undefined) === (handlers.eachBatch === undefined)) {
    throw new SeglogError('INVALID_OPTION', 'consumer.run() takes either `eachMessage` or `eachBatch`')
  }
}

function requireOptions(of: string, given: object, rules: OptionRules, ...required: string[]): void {
  checkOptions(of, given ?? null, rules)
  for (const name of required) {
    const value = (given as Record<string, unknown>)[name]
    if (value === undefined) throw invalidOption(of, name, rules[name].expected, value)
  }
}

function isOffset(value: unknown): value is bigint | number {
  if (typeof value === 'bigint') return value >= 0n && value <= BigInt(Number.MAX_SAFE_INTEGER)
  return Number.isSafeInteger(value) && (value as number) >= 0
}

function isSubscribed(one: unknown): boolean {
  if (typeof one === 'string') return one !== ''
  return isPattern(one) || isExpression(one)
}

function isPattern(value: unknown): value is RegExp {
  return Object.prototype.toString.call(value) === '[object RegExp]'
}

function isExpression(value: unknown): value is BrokerExpression {
  return isObject(value) && typeof value.re2 === 'string' && value.re2 !== '' && Object.keys(value).length === 1
}
