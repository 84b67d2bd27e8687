import { SeglogError } from '../errors/seglog-error.js'
import { type Appended, AppendField, type AppendOptions, AppendOutcome, appendFieldCount } from '../native/engine.js'
import type { FileRegion } from '../protocol/file-region.js'
import { AppendQueue, type AppendTarget, type QueuedAppend } from './append-queue.js'
import { type BatchSummary, summarizeBatches } from './batch-summary.js'
import { LeaderEpochs } from './leader-epochs.js'
import type { LogConfig } from './log-config.js'
import type { LogContext } from './log-context.js'
import { LogReader } from './log-reader.js'
import type { LogSegments } from './log-segments.js'
import { offsetForTimestamp, offsetOfMaxTimestamp } from './log-timestamps.js'
import type { AppendInfo, LogAppendOptions, LogRead, SegmentInfo, TimestampOffset } from './log-types.js'
import type { MaybePromise } from './maybe-promise.js'
import type { ProducerSnapshotEntry } from './producer-snapshot.js'
import type { ProducerTracker } from './producer-tracker.js'
import { leaderEpochFile } from './segment-files.js'

/** A log just opened, by `LogDirectory.openLog`. */
export interface LogParts {
  context: LogContext
  /** 22 base64url characters. */
  topicId: string
  segments: LogSegments
  producers: ProducerTracker
  epochs: LeaderEpochs
  logStartOffset: number
  highWatermark: number
  /** The log was not left behind cleanly. */
  unclean: boolean
  marks: LogMarks
}

/** The checkpoints of the directory, as one log needs them. */
export interface LogMarks {
  /** The log start is on disk when it resolves. */
  saveLogStart(log: Log): Promise<void>
  /** The recovery point is on disk and not above `offset` when it resolves. */
  lowerRecoveryPoint(log: Log, offset: number): Promise<void>
}

/**
 * One partition's log: an ordered run of segments, of which the last takes appends. Offsets are dense and only grow; one
 * order holds for everything that is appended. Offsets and timestamps are numbers (safe integers).
 *
 * What memory can serve is answered at once (an append by the mapped lane, a read of hot pages); the rest by a promise.
 * Errors are thrown or rejected accordingly.
 */
export class Log {
  readonly topic: string
  readonly partition: number
  /** 22 base64url characters. */
  readonly topicId: string
  /** The partition's folder, relative to the data directory. */
  readonly folder: string
  /** Kept for the checkpoint and for readers in other processes; starts at the checkpoint's value, at most the end. */
  highWatermark: number
  /** Called with its bytes after each append became visible, before its caller has the answer. Must not throw. */
  onAppend: ((bytes: number) => void) | null = null
  /** Called once the files are closed; `exact`: sealed and flushed. */
  onClosed: ((exact: boolean) => void) | null = null
  readonly #context: LogContext
  readonly #segments: LogSegments
  readonly #reader: LogReader
  readonly #producers: ProducerTracker
  readonly #queue: AppendQueue
  readonly #unclean: boolean
  readonly #marks: LogMarks
  readonly #out = new Float64Array(appendFieldCount)
  readonly #nativeOptions: { -readonly [K in keyof AppendOptions]: AppendOptions[K] }
  #epochs: LeaderEpochs
  #leaderEpoch: number
  #logStartOffset: number
  #unflushedRecords = 0
  #closing: Promise<void> | null = null

  constructor(parts: LogParts) {
    const { context } = parts
    this.topic = context.topic
    this.partition = context.partition
    this.topicId = parts.topicId
    this.folder = context.folder
    this.highWatermark = parts.highWatermark
    this.#context = context
    this.#segments = parts.segments
    this.#reader = new LogReader(parts.segments)
    this.#producers = parts.producers
    this.#epochs = parts.epochs
    this.#leaderEpoch = parts.epochs.latest
    this.#logStartOffset = parts.logStartOffset
    this.#unclean = parts.unclean
    this.#marks = parts.marks
    this.#nativeOptions = {
      leaderEpoch: this.#leaderEpoch,
      appendTime: -1,
      crc: 'compute',
      keepOffsets: false,
      records: null,
    }
    this.#queue = new AppendQueue(this.#appendTarget())
    this.#segments.onRoll = () => this.#producers.rolled()
  }

  get config(): LogConfig {
    return this.#context.config
  }

  /** First offset a reader may ask for. */
  get logStartOffset(): number {
    return this.#logStartOffset
  }

  /** Offset of the next record. */
  get logEndOffset(): number {
    return this.#segments.endOffset
  }

  /** Everything before it is on disk, in the log's own files or in the directory's journal. */
  get durableOffset(): number {
    return this.#segments.durableOffset
  }

  /** Everything before it is on disk in the log's own files: what the recovery point may promise to Kafka. */
  get flushedOffset(): number {
    return this.#segments.flushedOffset
  }

  get leaderEpoch(): number {
    return this.#leaderEpoch
  }

  /** Bytes of all segments' batches. */
  get size(): number {
    return this.#segments.sizeBytes
  }

  get segments(): readonly SegmentInfo[] {
    return [...this.#segments.list].map((entry) => ({
      baseOffset: entry.baseOffset,
      endOffset: this.#segments.endOffsetOf(entry),
      sizeBytes: entry.sizeBytes,
      active: entry.isActive,
    }))
  }

  get closed(): boolean {
    return this.#closing !== null
  }

  /**
   * Appends whole batches, spread over the buffers in any way. Answers at once if the mapped lane took them (the buffers
   * may be reused), else by a promise (they must not change until it settles).
   *
   * Fails with MESSAGE_TOO_LARGE (max.message.bytes), BATCH_TOO_LARGE (segment.bytes), INVALID_BATCH, CORRUPT_BATCH,
   * OUT_OF_ORDER_SEQUENCE_NUMBER, INVALID_PRODUCER_EPOCH, FENCED_LEADER_EPOCH, NO_SPACE, DIRECTORY_OFFLINE, READ_ONLY
   * or CLOSED; then nothing was stored.
   */
  append(buffers: Uint8Array | readonly Uint8Array[], options: LogAppendOptions): MaybePromise<AppendInfo> {
    this.#checkWritable()
    const summary = options.summary ?? summarizeBatches(buffers, options.keepOffsets)
    const { config, clock } = this.#context
    if (options.keepOffsets !== true) this.#checkSize(summary, config)
    const appendTime = options.appendTime ?? (config.messageTimestampType === 'LogAppendTime' ? clock() : -1)
    const leaderEpoch = options.leaderEpoch ?? this.#leaderEpoch
    if (leaderEpoch < this.#leaderEpoch) throw this.#fenced(leaderEpoch)
    if (this.#queue.idle && leaderEpoch === this.#leaderEpoch) {
      const done = this.#appendNow(buffers, summary, options, appendTime)
      if (done !== null) return done
    } else if (leaderEpoch > this.#leaderEpoch) {
      this.raiseLeaderEpoch(leaderEpoch).catch(() => {})
    }
    return this.#queue.append({
      buffers: buffers instanceof Uint8Array ? [buffers] : buffers,
      summary,
      crc: options.crc,
      records: options.records ?? null,
      appendTime,
      leaderEpoch,
      keepOffsets: options.keepOffsets ?? false,
    })
  }

  /** Resolves when everything appended before is on disk, in every segment. */
  flush(): Promise<void> {
    this.#checkOpen()
    this.#unflushedRecords = 0
    return this.#segments.flush()
  }

  /**
   * Whole batches from the one that holds `offset` (which may begin before it): about maxBytes at most but always one
   * batch, none that reaches past upToOffset (default: the end). Empty if there is none. OFFSET_OUT_OF_RANGE below the
   * start or above the end.
   */
  read(offset: number, maxBytes: number, upToOffset: number = this.#segments.endOffset): MaybePromise<LogRead> {
    this.#checkOpen()
    const end = this.#segments.endOffset
    if (offset < this.#logStartOffset || offset > end) throw this.#outOfRange(offset)
    return this.#reader.read(offset, maxBytes, Math.min(upToOffset, end))
  }

  /**
   * As `read`, for readers that take a place in a segment file: little is answered as whole batches in memory, more
   * (or more than `copiedMaxBytes`) as a region of about maxBytes, whose last batch may be cut short but never its first.
   */
  readStored(
    offset: number,
    maxBytes: number,
    upToOffset: number = this.#segments.endOffset,
    copiedMaxBytes: number = Number.POSITIVE_INFINITY,
  ): MaybePromise<Buffer | FileRegion> {
    this.#checkOpen()
    const end = this.#segments.endOffset
    if (offset < this.#logStartOffset || offset > end) throw this.#outOfRange(offset)
    return this.#reader.readStored(offset, maxBytes, Math.min(upToOffset, end), copiedMaxBytes)
  }

  /** First record with a timestamp at or after the given one; null if there is none. */
  async offsetForTimestamp(timestamp: number): Promise<TimestampOffset | null> {
    this.#checkOpen()
    return offsetForTimestamp(this.#segments, this.#reader, this.#logStartOffset, timestamp)
  }

  /** The first of the records with the largest timestamp; null while empty. */
  async maxTimestamp(): Promise<TimestampOffset | null> {
    this.#checkOpen()
    return offsetOfMaxTimestamp(this.#segments, this.#reader, this.#logStartOffset)
  }

  /** Kafka's OffsetForLeaderEpoch: the end of the largest known epoch not above this one; null if unknown. */
  endOffsetForEpoch(epoch: number): { epoch: number; endOffset: number } | null {
    return this.#epochs.endOffsetFor(epoch, this.#segments.endOffset)
  }

  /** The epoch the record at `offset` was written under, -1 if unknown. */
  epochAt(offset: number): number {
    return this.#epochs.epochAt(offset)
  }

  /** A new leader epoch begins at the end of the log; on disk when it resolves, and before any append under it. */
  raiseLeaderEpoch(epoch: number): Promise<void> {
    this.#checkWritable()
    return this.#queue.exclusive(async () => {
      if (epoch <= this.#leaderEpoch) return
      const next = new LeaderEpochs(this.#epochs.entries)
      next.assign(epoch, this.#segments.endOffset)
      await this.#saveEpochs(next)
      this.#leaderEpoch = epoch
    })
  }

  /**
   * Cuts everything from `offset` on, down to a batch boundary. Readers elsewhere see a new generation; what is appended
   * next is written under a new leader epoch, so that no (offset, epoch) is given twice.
   */
  truncateTo(offset: number): Promise<void> {
    this.#checkWritable()
    return this.#queue.exclusive(async () => {
      if (offset >= this.#segments.endOffset) return
      if (offset < this.#logStartOffset) throw this.#outOfRange(offset)
      // First: a recovery point above the end would read as lost records.
      await this.#marks.lowerRecoveryPoint(this, offset)
      await this.#segments.truncateTo(offset)
      this.#reader.forget()
      const end = this.#segments.endOffset
      await this.#marks.lowerRecoveryPoint(this, end)
      this.highWatermark = Math.min(this.highWatermark, end)
      const epochs = new LeaderEpochs(this.#epochs.entries)
      epochs.truncateFromEnd(end)
      epochs.assign(this.#leaderEpoch + 1, end)
      await this.#saveEpochs(epochs)
      this.#leaderEpoch = epochs.latest
      await this.#producers.truncated()
    })
  }

  /**
   * Raises the log start to `offset`, durably, and removes segments wholly below it. Answers the log start, which never
   * goes back. OFFSET_OUT_OF_RANGE above the end.
   */
  deleteRecordsBefore(offset: number): Promise<number> {
    this.#checkWritable()
    return this.#queue.exclusive(async () => {
      if (offset > this.#segments.endOffset) throw this.#outOfRange(offset)
      if (offset <= this.#logStartOffset) return this.#logStartOffset
      this.#logStartOffset = offset
      this.highWatermark = Math.max(this.highWatermark, offset)
      this.#context.slot?.set({ logStartOffset: offset })
      await this.#marks.saveLogStart(this)
      await this.#producers.removed(await this.#segments.removeBelow(offset))
      const epochs = new LeaderEpochs(this.#epochs.entries)
      if (epochs.truncateFromStart(offset)) await this.#saveEpochs(epochs)
      return offset
    })
  }

  /** Begins a new segment unless the active one is empty. */
  roll(): Promise<void> {
    this.#checkWritable()
    return this.#queue.exclusive(() => this.#segments.roll())
  }

  /** Segment sizes apply from the next roll on, everything else at once. */
  updateConfig(config: LogConfig): void {
    this.#context.config = config
  }

  /** Tells readers in other processes the marks that appends do not move. */
  publishMarks(): void {
    this.#context.slot?.set({ highWatermark: this.highWatermark, logStartOffset: this.#logStartOffset })
  }

  /** What is remembered of idempotent producers: of each its last batch. */
  async producers(): Promise<ProducerSnapshotEntry[]> {
    this.#checkOpen()
    return this.#producers.entries()
  }

  /** Forgets idempotent producers silent for longer than this. */
  expireProducers(expirationMs: number): void {
    this.#producers.expire(this.#context.clock(), expirationMs)
  }

  /**
   * Waits for what is queued, seals, flushes and closes the files. Idempotent. Rejects if the log could not be left
   * exact; the files are closed all the same, and the next start recovers.
   */
  close(): Promise<void> {
    this.#closing ??= this.#queue.exclusive(async () => {
      const { readOnly, directory } = this.#context
      let exact = false
      try {
        if (!readOnly && !directory.offline) {
          await this.#producers.finish(this.#unclean)
          await this.#segments.seal()
          exact = true
        }
      } finally {
        await this.#segments.closeFiles()
        this.onClosed?.(exact)
      }
    })
    return this.#closing
  }

  /** Closes the files as they are: the folder is about to be deleted. */
  abandon(): Promise<void> {
    this.#closing ??= this.#queue.exclusive(() => this.#segments.closeFiles())
    return this.#closing
  }

  /** The mapped lane; null if the append has to queue. */
  #appendNow(
    buffers: Uint8Array | readonly Uint8Array[],
    summary: BatchSummary,
    options: LogAppendOptions,
    appendTime: number,
  ): AppendInfo | null {
    if (summary.producers !== null) {
      if (!this.#producers.loaded) return null
      const known = this.#producers.check(summary)
      if (known !== null) return duplicateOf(known)
    }
    const segments = this.#segments
    if (segments.rollDue(summary)) return null
    const native = this.#nativeOptions
    native.leaderEpoch = this.#leaderEpoch
    native.appendTime = appendTime
    native.crc = options.crc
    native.records = options.records ?? null
    native.keepOffsets = options.keepOffsets ?? false
    const out = this.#out
    if (segments.active.appendNow(buffers, native, out) !== AppendOutcome.done) return null
    const baseOffset = out[AppendField.baseOffset]
    const lastOffset = out[AppendField.lastOffset]
    const maxTimestamp = out[AppendField.maxTimestamp]
    segments.appended(out[AppendField.endPosition], lastOffset + 1, maxTimestamp)
    if (summary.producers !== null) this.#producers.apply(summary, baseOffset)
    this.#visible(summary.sizeBytes, lastOffset + 1 - baseOffset)
    return { baseOffset, lastOffset, maxTimestamp, logAppendTime: appendTime, duplicate: false }
  }

  #visible(bytes: number, records: number): void {
    this.#producers.grew(bytes)
    this.#unflushedRecords += records
    if (this.#unflushedRecords >= this.#context.config.flushMessages) this.flush().catch(() => {})
    this.onAppend?.(bytes)
  }

  #appendTarget(): AppendTarget {
    const segments = this.#segments
    let grownBytes = 0
    let grownRecords = 0
    return {
      prepare: (append) =>
        append.summary.producers === null || this.#producers.loaded ? null : this.#producers.load(),
      admit: (append) => {
        if (append.leaderEpoch !== this.#leaderEpoch) throw this.#fenced(append.leaderEpoch)
        const known = this.#producers.check(append.summary)
        return known === null ? null : duplicateOf(known)
      },
      rollDue: (summary) => segments.rollDue(summary),
      roll: (next) => segments.roll(next.firstOffset),
      room: () => this.#context.config.segmentBytes - segments.endPosition,
      submit: (buffers, { leaderEpoch, appendTime, crc, records, keepOffsets }) =>
        segments.active.append(buffers, { leaderEpoch, appendTime, crc, records, keepOffsets }),
      grown: ({ baseOffset, lastOffset, maxTimestamp, endPosition }: Appended) => {
        grownBytes = endPosition - segments.endPosition
        grownRecords = lastOffset + 1 - baseOffset
        segments.appended(endPosition, lastOffset + 1, maxTimestamp)
      },
      accepted: (append: QueuedAppend, baseOffset) => {
        const { summary, appendTime } = append
        this.#producers.apply(summary, baseOffset)
        return {
          baseOffset,
          lastOffset: baseOffset + summary.offsetCount - 1,
          maxTimestamp: appendTime >= 0 ? appendTime : summary.maxTimestamp,
          logAppendTime: appendTime,
          duplicate: false,
        }
      },
      visible: () => this.#visible(grownBytes, grownRecords),
    }
  }

  async #saveEpochs(epochs: LeaderEpochs): Promise<void> {
    await this.#context.directory.replaceFile(`${this.folder}/${leaderEpochFile}`, epochs.serialize())
    this.#epochs = epochs
  }

  #checkOpen(): void {
    if (this.#closing === null) return
    throw new SeglogError('CLOSED', `the log ${this.folder} is closed; open it again`, this.#where())
  }

  #checkWritable(): void {
    this.#checkOpen()
    if (!this.#context.readOnly) return
    const message = `${this.folder} was opened read-only; open the directory without readOnly to write`
    throw new SeglogError('READ_ONLY', message, this.#where())
  }

  #checkSize(summary: BatchSummary, config: LogConfig): void {
    if (summary.largestBytes > config.maxMessageBytes) {
      const message = `a batch of ${summary.largestBytes} bytes is above max.message.bytes (${config.maxMessageBytes}) of ${this.topic}`
      throw new SeglogError('MESSAGE_TOO_LARGE', `${message}; send less at once or raise it`, this.#where())
    }
    if (summary.sizeBytes > config.segmentBytes) {
      const message = `${summary.sizeBytes} bytes are above segment.bytes (${config.segmentBytes}) of ${this.topic}`
      throw new SeglogError('BATCH_TOO_LARGE', `${message}; send less at once or raise it`, this.#where())
    }
  }

  #fenced(epoch: number): SeglogError {
    const message = `leader epoch ${epoch} of ${this.folder} is not the current ${this.#leaderEpoch}; refresh the metadata`
    return new SeglogError('FENCED_LEADER_EPOCH', message, this.#where())
  }

  #outOfRange(offset: number): SeglogError {
    const range = `${this.#logStartOffset} to ${this.#segments.endOffset}`
    const message = `offset ${offset} of ${this.folder} is outside the log (${range}); seek to one within`
    return new SeglogError('OFFSET_OUT_OF_RANGE', message, { ...this.#where(), offset: BigInt(offset) })
  }

  #where(): { topic: string; partition: number } {
    return { topic: this.topic, partition: this.partition }
  }
}

function duplicateOf(known: { baseOffset: number; lastOffset: number; timestamp: number }): AppendInfo {
  const { baseOffset, lastOffset, timestamp } = known
  return { baseOffset, lastOffset, maxTimestamp: timestamp, logAppendTime: -1, duplicate: true }
}
