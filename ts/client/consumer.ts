import { SeglogError } from '../errors/seglog-error.js'
import { protocolError } from '../protocol/errors.js'
import type { Crc32c } from '../records/message.js'
import { AssignedPartition } from './assigned-partition.js'
import { AssignedPartitions, placeOf } from './assigned-partitions.js'
import { BatchFeed } from './batch-feed.js'
import type { ConsumerBatch } from './consumer-batch.js'
import { type ConsumerEventName, ConsumerEvents, type ConsumerListener } from './consumer-events.js'
import { ConsumerHands } from './consumer-hands.js'
import { BatchLoop, busyError, type LoopHost, MessageLoop } from './consumer-loop.js'
import type { ConsumerMessage } from './consumer-message.js'
import * as rules from './consumer-options.js'
import {
  type Assignment,
  type CommittedOffset,
  type ConsumerOptions,
  consumerOptions,
  type From,
  type OffsetToCommit,
  type ReadOptions,
  type TopicPartition,
} from './consumer-options.js'
import { ConsumerRun, type RunHandlers } from './consumer-run.js'
import { Fetcher } from './fetcher.js'
import { type Clock, processClock } from './group/clock.js'
import { groupSettings } from './group/group-options.js'
import { GroupReader } from './group/group-reader.js'
import { notOwned } from './group/offset-committer.js'
import { keepingAlive } from './keeping-alive.js'
import { LonePartitions } from './lone-partitions.js'
import { lookUpOffsets } from './offset-lookup.js'
import { abortedError, asSeglogError } from './settle-errors.js'
import { type Subscribed, Subscription } from './subscription.js'
import type { TopicMetadata, TopicMetadataCache } from './topic-metadata.js'
import type { Transport } from './transport.js'

/** What a consumer needs of the log it belongs to. */
export interface ConsumerParts {
  transport: Transport
  metadata: TopicMetadataCache
  crc32c: Crc32c
  /** Called once, when the consumer is closed. */
  onClosed?: (consumer: Consumer) => void
  /** Time for what it does as a member of a group. */
  clock?: Clock
}

/** Milliseconds that closing waits for what is in hand, unless it says otherwise. */
const closeTimeoutMs = 5_000

/**
 * Reads records of some partitions, in order within each, and waits at their ends for more. One loop at a time; breaking
 * it leaves the record (or batch) in hand unconsumed, so that the next loop begins with it.
 *
 * With a `groupId` the members of the group share the partitions of their topics. A member joins when its first loop
 * begins. What was consumed is committed by and by: a record counts as consumed when the loop asks for the next, or when
 * its handler is done, so that each is processed at least once. To commit before processing (at most once) switch
 * `autoCommit` off and call `commit()` first thing in the loop.
 */
export class Consumer implements AsyncIterable<ConsumerMessage> {
  private readonly options: ReadOptions
  private readonly fetcher: Fetcher
  private readonly partitions: AssignedPartitions
  private readonly hands = new ConsumerHands()
  private readonly events: ConsumerEvents
  private readonly host: LoopHost
  private readonly lone: LonePartitions
  private readonly group: GroupReader | null
  private mode: 'none' | 'assign' | 'subscribe' = 'none'
  /** To be thrown by the next loop that waits. */
  private failure: { readonly error: unknown } | null = null
  private closing: Promise<void> | null = null
  private isClosed = false

  /** Use `log.consumer()`. Throws INVALID_OPTION, MISSPELLED_OPTION. */
  constructor(
    private readonly parts: ConsumerParts,
    options?: ConsumerOptions,
  ) {
    this.options = consumerOptions(options)
    const settings = groupSettings(options ?? {})
    const { transport, metadata, clock = processClock } = parts
    const { hands } = this
    this.partitions = new AssignedPartitions(() => this.fetcher.interrupt())
    const { partitions } = this
    const onOutOfRange = (partition: AssignedPartition) => void this.reset(partition)
    const onGone = ({ topic }: AssignedPartition, error: SeglogError) => this.topicIsGone(topic, error)
    this.fetcher = new Fetcher(transport, this.options, () => partitions.list, onOutOfRange, onGone)
    this.host = this.hostFor(() => false)
    const fail = (error: unknown) => this.fail(error)
    this.events = new ConsumerEvents(fail)
    const subscription = new Subscription(transport, metadata, this.options.allowAutoTopicCreation)
    const reading = { transport, metadata, partitions, subscription, options: this.options }
    this.lone = new LonePartitions(reading)
    const { events } = this
    this.group = settings && new GroupReader({ ...reading, hands, events, clock, settings, fail })
    this.options.signal?.addEventListener('abort', this.onAbort, { once: true })
  }

  /**
   * Reads exactly these partitions, each from its offset; replaces an earlier assignment. With a `groupId` a partition
   * without an offset begins at the group's, and positions are committed, but the group has no members by it. Rejects
   * with UNKNOWN_TOPIC_OR_PARTITION, INVALID_OPTION, and INVALID_ARGUMENT after `subscribe`. An offset outside the log
   * is found when it is read.
   */
  async assign(assignments: readonly Assignment[]): Promise<void> {
    this.checkOpen()
    rules.checkAssignments(assignments)
    this.enterMode('assign')
    const reset = this.options.autoOffsetReset ?? 'error'
    const open = assignments.filter(({ offset }) => offset === undefined)
    const committed = (await this.group?.beforeAssign(open)) ?? new Map<string, number>()
    const assigned = await Promise.all(
      assignments.map(async ({ topic, partition, offset }) => {
        const metadata = await this.metadataOf(topic)
        if (partition >= metadata.partitionCount) throw noPartition(metadata, partition)
        const known = committed.get(`${topic}-${partition}`)
        const from = fromOf(offset ?? known) ?? this.options.from
        const [start] = await lookUpOffsets(this.parts.transport, topic, [partition], from)
        const one = new AssignedPartition(topic, metadata.topicId, partition, start, reset)
        return Object.assign(one, { committed: known ?? -1 })
      }),
    )
    this.checkOpen()
    this.partitions.replace(assigned)
  }

  /**
   * Reads these topics; with a `groupId` the share of this member, else all partitions. Partitions that are added later
   * are read too (from their first record), and so are topics that come to match a regular expression. Adds to an earlier
   * subscription; without a group a topic that is subscribed again starts anew. With `groupProtocol: 'consumer'` there may
   * be one `{ re2 }`: a regular expression of RE2's syntax that the broker matches whole names with, and again whenever
   * topics come or go; one that it cannot read is told by the loop (INVALID_REGULAR_EXPRESSION). Rejects with
   * UNKNOWN_TOPIC_OR_PARTITION, INVALID_TOPIC_EXCEPTION, INVALID_OPTION, and INVALID_ARGUMENT after `assign` or for a
   * second `{ re2 }`.
   */
  async subscribe(topics: readonly Subscribed[], options: { from?: From } = {}): Promise<void> {
    this.checkOpen()
    rules.checkSubscription(topics, options, this.group?.protocol ?? 'classic')
    this.enterMode('subscribe')
    await (this.group ?? this.lone).subscribe(topics, options.from ?? this.options.from)
    this.checkOpen()
  }

  /** The partitions being read. */
  assignment(): TopicPartition[] {
    return this.partitions.places
  }

  /**
   * Has a function called for each event of the group; see `ConsumerEventMap`. What it throws is thrown by the loop.
   * Throws INVALID_OPTION for an event that does not exist.
   */
  on<N extends ConsumerEventName>(event: N, listener: ConsumerListener<N>): this {
    this.events.on(event, listener)
    return this
  }

  /** Undoes `on`. */
  off<N extends ConsumerEventName>(event: N, listener: ConsumerListener<N>): this {
    this.events.off(event, listener)
    return this
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
   * Calls a handler for each message or batch; the records of one partition one after the other, those of `concurrency`
   * partitions at once. A record is consumed when its handler is done. Heartbeats need no help from a handler. Resolves
   * when the consumer is closed. When a handler throws, no further records are given, and when the others are done, the
   * error is what this rejects with; the message in hand is left unconsumed: call `run` again to try it once more.
   */
  async run(handlers: RunHandlers): Promise<void> {
    rules.checkRun(handlers)
    this.checkOpen()
    if (this.host.loop !== null) throw busyError()
    const run = new ConsumerRun(handlers, () => this.fetcher.interrupt())
    this.host.loop = run
    try {
      await run.through(Array.from({ length: handlers.concurrency ?? 1 }, () => this.hostFor(() => run.hasFailed)))
    } finally {
      this.host.loop = null
    }
  }

  /** Goes to an offset; what comes next is the first record at or after it. Throws INVALID_ARGUMENT if not assigned. */
  seek(place: TopicPartition & { offset: bigint | number }): void {
    rules.checkSeek(place)
    this.partitions.require('consumer.seek()', place).moveTo(Number(place.offset))
    this.fetcher.interrupt()
  }

  /** Stops giving records of these partitions (all of the topic, if none are named) until `resume`. */
  pause(places: readonly { topic: string; partitions?: readonly number[] }[]): void {
    rules.checkTopicPartitions('consumer.pause()', places)
    for (const partition of this.partitions.requireAll('consumer.pause()', places)) partition.paused = true
  }

  /** Goes on with paused partitions where they were. */
  resume(places: readonly { topic: string; partitions?: readonly number[] }[]): void {
    rules.checkTopicPartitions('consumer.resume()', places)
    for (const partition of this.partitions.requireAll('consumer.resume()', places)) partition.paused = false
    this.fetcher.interrupt()
  }

  paused(): TopicPartition[] {
    return this.partitions.list.filter(({ paused }) => paused).map(placeOf)
  }

  /** Offset of the first record that is not consumed. Throws INVALID_ARGUMENT if not assigned. */
  position(place: TopicPartition): bigint {
    rules.checkTopicPartition('consumer.position()', place)
    return BigInt(this.partitions.require('consumer.position()', place).position)
  }

  /**
   * Commits for the group. Without arguments: all positions, and in a `for await` the record (or batch) in hand counts as
   * consumed from here on; in `run` only what handlers are done with. Or the given offsets, of partitions that are this
   * consumer's; with `autoCommit` nothing below them is committed until the position is moved. Rejects with ILLEGAL_GENERATION or UNKNOWN_MEMBER_ID where another member has the partitions by now,
   * OFFSET_METADATA_TOO_LARGE and others that trying again would not mend, and UNSUPPORTED without a `groupId`.
   */
  async commit(offsets?: readonly OffsetToCommit[]): Promise<void> {
    const group = this.requireGroup('commit to')
    if (offsets !== undefined) rules.checkCommit(offsets)
    if (this.isClosed) throw closedError()
    if (offsets !== undefined) return group.commit(offsets)
    if (!(this.host.loop instanceof ConsumerRun)) this.consumeInHand()
    await group.commit(null)
  }

  /** What the group has committed of these partitions, or of all that are read. Rejects with UNSUPPORTED without a `groupId`. */
  async committed(places?: readonly { topic: string; partitions: readonly number[] }[]): Promise<CommittedOffset[]> {
    const group = this.requireGroup('ask')
    if (places !== undefined) rules.checkTopicPartitions('consumer.committed()', places, 'partitions')
    this.checkOpen()
    const wanted = places?.flatMap(({ topic, partitions }) => partitions.map((partition) => ({ topic, partition })))
    return group.committed(wanted ?? this.partitions.places)
  }

  /**
   * Ends the loops of this consumer when they ask for the next record; they end without an error. A member of a group
   * waits for what is in hand, at most `timeout` milliseconds (default 5,000): called and awaited within a loop or a
   * handler it waits in vain, so leave the loop first. Then it commits (unless `autoCommit` is off) and leaves the group,
   * except for a static member, whose place is kept until its session ends. Idempotent.
   */
  close(options: { timeout?: number } = {}): Promise<void> {
    rules.checkClose(options)
    this.closing ??= this.shutDown(options.timeout ?? closeTimeoutMs)
    return this.closing
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.close()
  }

  private async shutDown(timeoutMs: number): Promise<void> {
    this.options.signal?.removeEventListener('abort', this.onAbort)
    this.fetcher.interrupt()
    if (this.group !== null) await keepingAlive(this.group.close(timeoutMs))
    this.isClosed = true
    this.fetcher.stop()
    this.parts.onClosed?.(this)
  }

  private readonly onAbort = (): void => {
    this.fetcher.stop()
    // Nobody will ask for a record again: others should have them.
    void this.group?.close(0)
  }

  /** A loop of this host ends early when `isOver`. */
  private hostFor(isOver: () => boolean): LoopHost {
    const consumer = this
    const feed = new BatchFeed(this.fetcher, this.options, this.parts.crc32c)
    return {
      feed,
      hands: this.hands,
      loop: null,
      get isStopped() {
        return consumer.closing !== null || consumer.options.signal?.aborted === true || isOver()
      },
      throwIfAborted: () => this.throwIfAborted(),
      wait: () => this.wait(feed),
    }
  }

  private async wait(feed: BatchFeed): Promise<void> {
    const { failure } = this
    this.failure = null
    if (failure !== null) throw failure.error
    // What `feed` waited for may be over when the partitions are known: the loop asks it again.
    if (this.mode === 'subscribe' && this.group !== null) await this.waitInGroup(this.group, feed)
    else if (this.lone.isDue) await this.lone.look()
    else await feed.wait()
  }

  private async waitInGroup(group: GroupReader, feed: BatchFeed): Promise<void> {
    group.demand()
    // Nothing else may be under way while the group assigns.
    await keepingAlive(feed.wait())
  }

  private fail(error: unknown): void {
    this.failure ??= { error }
    this.fetcher.interrupt()
  }

  private throwIfAborted(): void {
    const { signal } = this.options
    if (this.closing === null && signal?.aborted) throw abortedError('the consumer was aborted', signal)
  }

  private checkOpen(): void {
    this.throwIfAborted()
    if (this.closing !== null) throw closedError()
  }

  /** Who commits before the work must not begin it where the record will come to another. */
  private consumeInHand(): void {
    for (const { partition, offset } of this.hands.held) {
      if (!this.partitions.list.includes(partition)) throw notOwned(partition, BigInt(offset))
    }
    this.hands.consume()
  }

  private requireGroup(what: string): GroupReader {
    if (this.group !== null) return this.group
    const message = `this consumer has no \`groupId\`, so there is nothing to ${what}; keep \`consumer.position()\` yourself`
    throw new SeglogError('UNSUPPORTED', message, { key: 'groupId' })
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

  private async metadataOf(topic: string): Promise<TopicMetadata> {
    const { metadata } = this.parts
    return metadata.get(topic) ?? (await metadata.fetch(topic, this.options.allowAutoTopicCreation))
  }

  /** True for a member of a group, whose leader will find out what there is now. */
  private topicIsGone(topic: string, error: SeglogError): boolean {
    if (this.group === null || this.mode !== 'subscribe') return false
    this.parts.metadata.forget(topic)
    this.group.topicIsGone(topic, error)
    return true
  }

  /** The position has left the log: goes where the options say. */
  private async reset(partition: AssignedPartition): Promise<void> {
    const { topic, partition: number, reset, generation } = partition
    if (reset === 'error') return
    partition.resetting = true
    try {
      const [offset] = await lookUpOffsets(this.parts.transport, topic, [number], reset)
      if (partition.generation === generation) partition.moveTo(offset)
    } catch (error) {
      if (partition.generation === generation) this.fetcher.give(partition, asSeglogError(error))
    }
    partition.resetting = false
    this.fetcher.interrupt()
  }
}

function fromOf(offset: Assignment['offset']): From | undefined {
  return typeof offset === 'bigint' || typeof offset === 'number' ? { offset } : offset
}

function closedError(): SeglogError {
  return new SeglogError('CLOSED', 'this consumer is closed: make another by log.consumer()')
}

function noPartition({ topic, partitionCount }: TopicMetadata, partition: number): SeglogError {
  const message = `topic ${topic} has partitions 0 to ${partitionCount - 1}, not ${partition}`
  return protocolError('UNKNOWN_TOPIC_OR_PARTITION', message, { retriable: false, topic, partition })
}
