import { SeglogError } from '../errors/seglog-error.js'
import { protocolError } from '../protocol/errors.js'
import type { Crc32c } from '../records/message.js'
import { AssignedPartition } from './assigned-partition.js'
import { BatchFeed } from './batch-feed.js'
import type { ConsumerBatch } from './consumer-batch.js'
import { BatchLoop, type LoopHost, MessageLoop } from './consumer-loop.js'
import type { ConsumerMessage } from './consumer-message.js'
import {
  type Assignment,
  type ConsumerOptions,
  checkAssignments,
  checkRun,
  checkSeek,
  checkSubscription,
  checkTopicPartition,
  checkTopicPartitions,
  consumerOptions,
  type From,
  type ReadOptions,
  type TopicPartition,
} from './consumer-options.js'
import { Fetcher } from './fetcher.js'
import { lookUpOffsets } from './offset-lookup.js'
import { abortedError, asSeglogError } from './settle-errors.js'
import type { TopicMetadata, TopicMetadataCache } from './topic-metadata.js'
import type { Transport } from './transport.js'

/** What a consumer needs of the log it belongs to. */
export interface ConsumerParts {
  transport: Transport
  metadata: TopicMetadataCache
  crc32c: Crc32c
  /** Called once, when the consumer is closed. */
  onClosed?: (consumer: Consumer) => void
}

/** What `run` calls; it waits for the promise before it goes on. */
export interface RunHandlers {
  eachMessage?: (message: ConsumerMessage) => unknown
  eachBatch?: (batch: ConsumerBatch) => unknown
}

/**
 * Reads records of some partitions, in order within each, and waits at their ends for more. One loop at a time; breaking
 * it leaves the record (or batch) in hand unconsumed, so that the next loop begins with it.
 */
export class Consumer implements AsyncIterable<ConsumerMessage> {
  private readonly options: ReadOptions
  private readonly transport: Transport
  private readonly metadata: TopicMetadataCache
  private readonly onClosed: ((consumer: Consumer) => void) | undefined
  private readonly fetcher: Fetcher
  private readonly host: LoopHost
  private assigned: AssignedPartition[] = []
  /** Subscribed topics, and whether partitions were assigned by hand instead. */
  private readonly topics = new Set<string>()
  private mode: 'none' | 'assign' | 'subscribe' = 'none'
  private lookAgainMs = Number.POSITIVE_INFINITY
  private isClosed = false

  /** Use `log.consumer()`. Throws INVALID_OPTION, MISSPELLED_OPTION, UNSUPPORTED. */
  constructor(parts: ConsumerParts, options?: ConsumerOptions) {
    this.options = consumerOptions(options)
    this.transport = parts.transport
    this.metadata = parts.metadata
    this.onClosed = parts.onClosed
    this.fetcher = new Fetcher(
      parts.transport,
      this.options,
      () => this.assigned,
      (partition) => void this.reset(partition),
    )
    this.host = this.loopHost(new BatchFeed(this.fetcher, this.options, parts.crc32c))
    this.options.signal?.addEventListener('abort', this.onAbort, { once: true })
  }

  /**
   * Reads exactly these partitions, each from its offset; replaces an earlier assignment. Rejects with
   * UNKNOWN_TOPIC_OR_PARTITION, INVALID_OPTION, and INVALID_ARGUMENT after `subscribe`. An offset outside the log is
   * found when it is read.
   */
  async assign(assignments: readonly Assignment[]): Promise<void> {
    this.checkOpen()
    checkAssignments(assignments)
    this.enterMode('assign')
    const reset = this.options.autoOffsetReset ?? 'error'
    const assigned = await Promise.all(
      assignments.map(async ({ topic, partition, offset }) => {
        const metadata = await this.metadataOf(topic)
        if (partition >= metadata.partitionCount) throw noPartition(metadata, partition)
        const from =
          typeof offset === 'bigint' || typeof offset === 'number' ? { offset } : (offset ?? this.options.from)
        const [start] = await lookUpOffsets(this.transport, topic, [partition], from)
        return new AssignedPartition(topic, metadata.topicId, partition, start, reset)
      }),
    )
    this.checkOpen()
    this.replaceAssigned(assigned)
  }

  /**
   * Reads all partitions of these topics, those that are added later too (from their first record). Adds to an earlier
   * subscription; a topic that is subscribed again starts anew. Rejects with UNKNOWN_TOPIC_OR_PARTITION,
   * INVALID_TOPIC_EXCEPTION, INVALID_OPTION, and INVALID_ARGUMENT after `assign`.
   */
  async subscribe(topics: readonly string[], options: { from?: From } = {}): Promise<void> {
    this.checkOpen()
    checkSubscription(topics, options)
    this.enterMode('subscribe')
    const names = [...new Set(topics)]
    const from = options.from ?? this.options.from
    const added = await Promise.all(names.map((topic) => this.allPartitions(topic, from)))
    this.checkOpen()
    for (const topic of names) this.topics.add(topic)
    this.lookAgainMs = performance.now() + this.options.metadataMaxAge
    this.replaceAssigned([...this.assigned.filter(({ topic }) => !names.includes(topic)), ...added.flat()])
  }

  /** The partitions being read. */
  assignment(): TopicPartition[] {
    return this.assigned.map(({ topic, partition }) => ({ topic, partition }))
  }

  /** Messages one by one; waits at the end. Use it in one `for await` at a time. */
  [Symbol.asyncIterator](): AsyncIterableIterator<ConsumerMessage, undefined> {
    return new MessageLoop(this.host)
  }

  /** Batches as they were written: the fast way to read much. Use it in one `for await` at a time. */
  batches(): AsyncIterableIterator<ConsumerBatch, undefined> {
    return new BatchLoop(this.host)
  }

  /**
   * Calls a handler for each message or batch, one after the other. Resolves when the consumer is closed; rejects with
   * what the handler throws, the message in hand being left unconsumed.
   */
  async run(handlers: RunHandlers): Promise<void> {
    checkRun(handlers)
    const { eachMessage, eachBatch } = handlers
    if (eachMessage !== undefined) for await (const message of this) await eachMessage(message)
    if (eachBatch !== undefined) for await (const batch of this.batches()) await eachBatch(batch)
  }

  /** Goes to an offset; what comes next is the first record at or after it. Throws INVALID_ARGUMENT if not assigned. */
  seek(place: TopicPartition & { offset: bigint | number }): void {
    checkSeek(place)
    this.find('consumer.seek()', place).moveTo(Number(place.offset))
    this.fetcher.interrupt()
  }

  /** Stops giving records of these partitions (all of the topic, if none are named) until `resume`. */
  pause(places: readonly { topic: string; partitions?: readonly number[] }[]): void {
    checkTopicPartitions('consumer.pause()', places)
    for (const partition of this.findAll('consumer.pause()', places)) partition.paused = true
  }

  /** Goes on with paused partitions where they were. */
  resume(places: readonly { topic: string; partitions?: readonly number[] }[]): void {
    checkTopicPartitions('consumer.resume()', places)
    for (const partition of this.findAll('consumer.resume()', places)) partition.paused = false
    this.fetcher.interrupt()
  }

  paused(): TopicPartition[] {
    return this.assigned.filter(({ paused }) => paused).map(({ topic, partition }) => ({ topic, partition }))
  }

  /** Offset of the first record that is not consumed. Throws INVALID_ARGUMENT if not assigned. */
  position(place: TopicPartition): bigint {
    checkTopicPartition('consumer.position()', place)
    return BigInt(this.find('consumer.position()', place).position)
  }

  /** Rejects with UNSUPPORTED: only members of a group have committed offsets. */
  async commit(): Promise<never> {
    const message =
      'this consumer has no `groupId`, so there is nothing to commit to; keep `consumer.position()` yourself'
    throw new SeglogError('UNSUPPORTED', message, { key: 'groupId' })
  }

  /** Ends the loops of this consumer; they end without an error. Idempotent. */
  async close(): Promise<void> {
    if (this.isClosed) return
    this.isClosed = true
    this.options.signal?.removeEventListener('abort', this.onAbort)
    this.fetcher.interrupt()
    this.onClosed?.(this)
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.close()
  }

  private readonly onAbort = (): void => this.fetcher.interrupt()

  private loopHost(feed: BatchFeed): LoopHost {
    const consumer = this
    return {
      feed,
      loop: null,
      get isStopped() {
        return consumer.isClosed || consumer.options.signal?.aborted === true
      },
      throwIfAborted: () => this.throwIfAborted(),
      wait: () => this.wait(feed),
    }
  }

  private async wait(feed: BatchFeed): Promise<void> {
    // What `feed` waited for may be over when the partitions are known: the loop asks it again.
    if (performance.now() >= this.lookAgainMs) await this.lookForPartitions()
    else await feed.wait()
  }

  private throwIfAborted(): void {
    const { signal } = this.options
    if (!this.isClosed && signal?.aborted) throw abortedError('the consumer was aborted', signal)
  }

  private checkOpen(): void {
    this.throwIfAborted()
    if (this.isClosed) throw new SeglogError('CLOSED', 'this consumer is closed: make another by log.consumer()')
  }

  private enterMode(mode: 'assign' | 'subscribe'): void {
    if (this.mode !== 'none' && this.mode !== mode) {
      throw new SeglogError(
        'INVALID_ARGUMENT',
        'a consumer either assigns partitions or subscribes to topics, not both',
      )
    }
    this.mode = mode
  }

  private replaceAssigned(assigned: AssignedPartition[]): void {
    // Loops and fetches may hold partitions that are given up: their records are void.
    for (const partition of this.assigned) if (!assigned.includes(partition)) partition.restart()
    this.assigned = assigned
    this.fetcher.interrupt()
  }

  private async metadataOf(topic: string): Promise<TopicMetadata> {
    return this.metadata.get(topic) ?? (await this.metadata.fetch(topic, this.options.allowAutoTopicCreation))
  }

  private async allPartitions(topic: string, from: From, except: readonly number[] = []): Promise<AssignedPartition[]> {
    const { topicId, partitionCount } = await this.metadataOf(topic)
    const numbers = Array.from({ length: partitionCount }, (_, partition) => partition).filter(
      (one) => !except.includes(one),
    )
    const offsets = await lookUpOffsets(this.transport, topic, numbers, from)
    const reset = this.options.autoOffsetReset ?? 'earliest'
    return numbers.map((partition, index) => new AssignedPartition(topic, topicId, partition, offsets[index], reset))
  }

  private async lookForPartitions(): Promise<void> {
    this.lookAgainMs = performance.now() + this.options.metadataMaxAge
    for (const topic of this.topics) {
      this.metadata.forget(topic)
      const had = this.assigned.filter((one) => one.topic === topic).map(({ partition }) => partition)
      this.assigned.push(...(await this.allPartitions(topic, 'earliest', had)))
    }
  }

  /** The position has left the log: goes where the options say. */
  private async reset(partition: AssignedPartition): Promise<void> {
    const { topic, partition: number, reset, generation } = partition
    if (reset === 'error') return
    partition.resetting = true
    try {
      const [offset] = await lookUpOffsets(this.transport, topic, [number], reset)
      if (partition.generation === generation) partition.moveTo(offset)
    } catch (error) {
      if (partition.generation === generation) this.fetcher.give(partition, asSeglogError(error))
    }
    partition.resetting = false
    this.fetcher.interrupt()
  }

  private find(of: string, { topic, partition }: TopicPartition): AssignedPartition {
    const found = this.assigned.find((one) => one.topic === topic && one.partition === partition)
    if (found !== undefined) return found
    const message = `${of}: ${topic}-${partition} is not read by this consumer; assign it or subscribe to its topic first`
    throw new SeglogError('INVALID_ARGUMENT', message, { topic, partition })
  }

  private findAll(
    of: string,
    places: readonly { topic: string; partitions?: readonly number[] }[],
  ): AssignedPartition[] {
    return places.flatMap(({ topic, partitions }) => {
      if (partitions === undefined) return this.assigned.filter((one) => one.topic === topic)
      return partitions.map((partition) => this.find(of, { topic, partition }))
    })
  }
}

function noPartition({ topic, partitionCount }: TopicMetadata, partition: number): SeglogError {
  const message = `topic ${topic} has partitions 0 to ${partitionCount - 1}, not ${partition}`
  return protocolError('UNKNOWN_TOPIC_OR_PARTITION', message, { retriable: false, topic, partition })
}
