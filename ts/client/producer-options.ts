import { SeglogError } from '../errors/seglog-error.js'
import { type CodecName, codecNames } from '../records/codecs/codec-name.js'
import type { Bytes, Message } from '../records/message.js'
import {
  abortSignal,
  callback,
  checkOptions,
  flag,
  integer,
  invalidOption,
  type OptionRules,
  oneOf,
  text,
} from './options.js'

/** 0: accepted. 1: in the leader's log. -1 or 'all': on every in-sync replica and on disk. */
export type Acks = 0 | 1 | -1 | 'all'

/** A message that may name its partition. */
export interface PartitionedMessage extends Message {
  partition?: number
}

/** One record to send: a message, or only its value. */
export type ProducerMessage = PartitionedMessage | Bytes

/** Picks the partition of a message that names none; must return a whole number below `partitionCount`. */
export type Partitioner = (choice: { topic: string; partitionCount: number; message: PartitionedMessage }) => number

export interface ProducerOptions {
  /** Named in the broker's logs. */
  clientId?: string
  /** Default 'all'. */
  acks?: Acks
  /** Milliseconds a batch waits for company (default 0: until the end of the turn it was begun in). */
  linger?: number
  /** Bytes at which a batch leaves in any case (default 64 KiB). A larger record gets a batch of its own. */
  batchSize?: number
  /** Bytes of batches not yet answered above which sends wait (default 64 MiB). */
  bufferBytes?: number
  /** Sends that may wait for room; more are refused with BUFFER_FULL (default 1,000,000). */
  maxWaitingSends?: number
  /** Milliseconds a send may wait for room, and a request for its acks (default 30,000). */
  timeout?: number
  /** Of whole batches (default 'none'). */
  compression?: CodecName
  /**
   * Milliseconds from when a batch leaves until it fails, with everything that is tried meanwhile (default 120,000).
   * In-process nothing is tried twice.
   */
  deliveryTimeout?: number
  /** How often a batch is sent again at most (default: as often as `deliveryTimeout` allows). */
  retries?: number
  /**
   * Numbers batches, so that none is stored twice or out of order, however often it is sent; needs acks 'all'. Default:
   * in-process false, over a network true where `acks` permits it. Without it a batch that is sent again may be stored
   * twice, or after later ones.
   */
  idempotent?: boolean
  /** Picks the partition of messages that name none (default: by key as Kafka's own, without key sticky). */
  partitioner?: Partitioner
  /** Sending to an unknown topic creates it where the broker permits that (default true). */
  allowAutoTopicCreation?: boolean
}

export interface ProducerRecord {
  topic: string
  /** Neither the array nor its messages may change until the promise settles. */
  messages: readonly ProducerMessage[]
  /** Overrides the producer's. */
  acks?: Acks
  /** Takes back what is not on its way yet, and ends the wait for the rest (ABORTED). */
  signal?: AbortSignal
}

export interface ProducerBatch {
  topicMessages: readonly { topic: string; messages: readonly ProducerMessage[] }[]
  acks?: Acks
  signal?: AbortSignal
}

export interface SendOptions {
  acks: number
  linger: number
  batchSize: number
  bufferBytes: number
  maxWaitingSends: number
  timeout: number
  compression: CodecName
  deliveryTimeout: number
  retries: number
  idempotent: boolean
  /** The caller asked for it: what cannot be numbered is refused. */
  mustBeIdempotent: boolean
  clientId: string | null
  allowAutoTopicCreation: boolean
  partitioner: Partitioner | null
}

const acksRule = oneOf(0, 1, -1, 'all')
const int32Max = 0x7fffffff

const producerRules: OptionRules = {
  clientId: text,
  acks: acksRule,
  linger: integer(0, int32Max),
  batchSize: integer(128, 1024 ** 3),
  bufferBytes: integer(1024),
  maxWaitingSends: integer(0),
  timeout: integer(1, int32Max),
  compression: oneOf(...codecNames),
  deliveryTimeout: integer(1, int32Max),
  retries: integer(0),
  idempotent: flag,
  partitioner: callback,
  allowAutoTopicCreation: flag,
  transactionalId: text,
}

/** Checks and completes a producer's options; what is not given may depend on where it writes. Throws INVALID_OPTION, MISSPELLED_OPTION, UNSUPPORTED. */
export function producerOptions(given: ProducerOptions = {}, isRemote = false): SendOptions {
  checkOptions('log.producer()', given, producerRules)
  if ('transactionalId' in given) {
    throw new SeglogError('UNSUPPORTED', 'transactions are not available yet; leave out `transactionalId`', {
      key: 'transactionalId',
    })
  }
  const acks = acksNumber(given.acks ?? 'all')
  const idempotent = given.idempotent ?? (isRemote && acks === -1)
  if (idempotent && acks !== -1) {
    throw invalidOption('log.producer()', 'acks', "'all' where `idempotent` is true", given.acks)
  }
  return {
    acks,
    linger: given.linger ?? 0,
    batchSize: given.batchSize ?? 64 * 1024,
    bufferBytes: given.bufferBytes ?? 64 * 1024 * 1024,
    maxWaitingSends: given.maxWaitingSends ?? 1_000_000,
    timeout: given.timeout ?? 30_000,
    compression: given.compression ?? 'none',
    deliveryTimeout: given.deliveryTimeout ?? 120_000,
    retries: given.retries ?? Number.MAX_SAFE_INTEGER,
    idempotent,
    mustBeIdempotent: given.idempotent ?? false,
    clientId: given.clientId ?? null,
    allowAutoTopicCreation: given.allowAutoTopicCreation ?? true,
    partitioner: given.partitioner ?? null,
  }
}

export function acksNumber(acks: Acks): number {
  return acks === 'all' ? -1 : acks
}

const recordRules: OptionRules = {
  topic: text,
  messages: { expected: 'an array of messages', accepts: Array.isArray },
  acks: acksRule,
  signal: abortSignal,
}

const batchRules: OptionRules = {
  topicMessages: { expected: 'an array of { topic, messages }', accepts: Array.isArray },
  acks: acksRule,
  signal: abortSignal,
}

/** Checks what `send` was given; the common shape costs a few nanoseconds. */
export function checkRecord(record: ProducerRecord): void {
  let known = true
  for (const name in record) {
    if (name !== 'topic' && name !== 'messages' && (name !== 'acks' || !acksRule.accepts(record.acks))) known = false
  }
  if (known && typeof record?.topic === 'string' && record.topic !== '' && Array.isArray(record.messages)) return
  checkOptions('producer.send()', record ?? null, recordRules)
  if (record.topic === undefined) throw invalidOption('producer.send()', 'topic', 'a topic name', record.topic)
  if (record.messages === undefined) {
    throw invalidOption('producer.send()', 'messages', 'an array of messages', record.messages)
  }
}

/** What an idempotent producer numbers must be answered for, or a loss would go unseen. */
export function checkNumbered({ acks }: ProducerRecord): void {
  if (acks === undefined || acksNumber(acks) === -1) return
  throw invalidOption('producer.send()', 'acks', "'all' where the producer is idempotent", acks)
}

export function checkBatch(batch: ProducerBatch): void {
  checkOptions('producer.sendBatch()', batch ?? null, batchRules)
  if (batch.topicMessages === undefined) {
    throw invalidOption('producer.sendBatch()', 'topicMessages', 'an array of { topic, messages }', undefined)
  }
}
