import type { Segment } from '../native/engine.js'
import type { BatchSummary } from './batch-summary.js'
import { codeOf } from './error-code.js'
import type { LogContext } from './log-context.js'
import { LogSegment } from './log-segment.js'
import { ClosedSegment } from './open-segments.js'
import { segmentFileName, segmentSuffixes } from './segment-files.js'
import { SegmentList } from './segment-list.js'

/** A sealed segment whose bytes are not all on disk yet. */
interface Unflushed {
  readonly entry: LogSegment
  /** Everything before it is on disk, in the segment or in the journal. */
  durableOffset(): number
  /** Everything before it is on disk in the segment. */
  flushedOffset(): number
  readonly done: Promise<void>
}

/**
 * The segments of one log: which exist, which one is active, how it is rolled, and how far they are on disk. The flush of
 * a sealed segment runs in the background; until it is done the log is durable only up to that segment, whatever its
 * successor says. Roll, truncation and removal must not overlap: the log's queue sees to it.
 */
export class LogSegments {
  readonly list = new SegmentList<LogSegment>()
  readonly #context: LogContext
  /** Called when a roll made a new segment; the argument is its base offset. */
  onRoll: ((baseOffset: number) => void) | null = null
  #active: Segment
  /** Sealed, but its successor could not be made yet (disk full, descriptors). */
  #sealed = false
  #failedCreation = false
  #endPosition: number
  #endOffset: number
  #firstTimestamp: number
  #jitterMs: number
  #unflushed: Unflushed[] = []

  /**
   * `closed`: the segments before the active one, in order, with their sizes. `end`: where the log ends, if not at the
   * end of the active segment's file (read-only opens see bytes that nobody published).
   */
  constructor(
    context: LogContext,
    closed: readonly { baseOffset: number; sizeBytes: number }[],
    active: Segment,
    end: { position: number; offset: number } = { position: active.endPosition, offset: active.endOffset },
  ) {
    this.#context = context
    for (const { baseOffset, sizeBytes } of closed) {
      this.list.add(LogSegment.closed(baseOffset, sizeBytes, this.#closedSegment(baseOffset)))
    }
    this.list.add(LogSegment.active(active))
    this.list.last!.sizeBytes = end.position
    this.#active = active
    this.#endPosition = end.position
    this.#endOffset = end.offset
    this.#firstTimestamp = active.firstTimestamp
    this.#jitterMs = this.#drawJitter()
  }

  get active(): Segment {
    return this.#active
  }

  /** False between a seal and the making of the next segment. */
  get accepting(): boolean {
    return !this.#sealed
  }

  get endOffset(): number {
    return this.#endOffset
  }

  /** Published bytes of the active segment. */
  get endPosition(): number {
    return this.#endPosition
  }

  get durableOffset(): number {
    const first = this.#unflushed[0]
    return first === undefined ? this.#active.durableOffset : first.durableOffset()
  }

  /** Everything before it is on disk in the segments' own files: for a reader who knows nothing of the journal. */
  get flushedOffset(): number {
    const first = this.#unflushed[0]
    return first === undefined ? this.#active.flushedOffset : first.flushedOffset()
  }

  get sizeBytes(): number {
    let size = 0
    for (const entry of this.list) size += entry.sizeBytes
    return size
  }

  /** Offset after the segment's last record; for closed ones the next base, which compaction may have moved away. */
  endOffsetOf(entry: LogSegment): number {
    return entry.isActive ? this.#endOffset : (this.list.after(entry)?.baseOffset ?? this.#endOffset)
  }

  /** True if Kafka's rules ask for a new segment before these batches: size or time. Index full is the engine's call. */
  rollDue(batch: BatchSummary): boolean {
    if (this.#sealed) return true
    if (this.#endPosition === 0) return false
    const { segmentBytes, segmentMs } = this.#context.config
    if (this.#endPosition + batch.sizeBytes > segmentBytes) return true
    const waited =
      this.#firstTimestamp >= 0
        ? batch.maxTimestamp - this.#firstTimestamp
        : this.#context.clock() - this.#active.createdMs
    return waited > segmentMs - this.#jitterMs
  }

  /** The active segment has grown. */
  appended(endPosition: number, endOffset: number, maxTimestamp: number): void {
    if (this.#endPosition === 0) this.#firstTimestamp = maxTimestamp
    this.#endPosition = endPosition
    this.#endOffset = endOffset
    this.list.last!.sizeBytes = endPosition
  }

  /**
   * Seals the active segment and makes the next, at the end of the log or at `firstOffset` if that is above it (offsets
   * that are kept may leave a gap wider than a segment can span). May be called again after it failed. Does nothing
   * while the active segment is empty.
   */
  async roll(firstOffset = -1): Promise<void> {
    if (this.#endPosition === 0) return
    const old = this.#active
    const base = Math.max(this.#endOffset, firstOffset)
    if (!this.#sealed) {
      await old.seal()
      this.#sealed = true
    }
    if (this.#failedCreation) await this.#removeFiles(base)
    let next: Segment
    try {
      next = await this.#openActive(base, true)
    } catch (error) {
      this.#failedCreation = true
      throw error
    }
    const entry = this.list.last!
    entry.becomeClosed(this.#closedSegment(entry.baseOffset, old))
    this.list.add(LogSegment.active(next))
    this.#adopt(next)
    this.#flushLater(entry, old, Promise.resolve(entry.use((segment) => segment.flush())))
    this.onRoll?.(base)
  }

  /**
   * Everything appended before the call is on disk in every segment when it resolves. The active segment comes last, so
   * that a durable end noted in it vouches for the segments before it.
   */
  flush(): Promise<void> {
    if (this.#unflushed.length === 0) return this.#active.flush()
    const active = this.#active
    return Promise.all(this.#unflushed.map(({ done }) => done)).then(() => active.flush())
  }

  /** After a kill: closed segments from `offset` on are in the page cache only; brings them to disk in the background. */
  flushClosedFrom(offset: number): void {
    const from = Math.max(0, this.list.floorIndex(offset))
    for (let i = from; i < this.list.length - 1; i++) {
      const entry = this.list.at(i)!
      const nothing = { durableOffset: entry.baseOffset, flushedOffset: entry.baseOffset }
      this.#flushLater(entry, nothing, flushClosedSegment(this.#context, entry.baseOffset))
    }
  }

  /** Removes whole segments below `offset`, never the active one. Returns their base offsets. */
  async removeBelow(offset: number): Promise<number[]> {
    let count = 0
    while (count < this.list.length - 1 && this.list.at(count + 1)!.baseOffset <= offset) count++
    const removed = this.list.removeFirst(count)
    for (const entry of removed) await this.#discard(entry)
    return removed.map((entry) => entry.baseOffset)
  }

  /** Cuts the log so that it ends at the batch boundary at or below `offset`. */
  async truncateTo(offset: number): Promise<void> {
    const first = this.list.first!.baseOffset
    const target = Math.max(offset, first)
    const removed = this.list.removeAbove(target)
    if (removed.length > 0) {
      for (const entry of removed) await this.#discard(entry)
      const entry = this.list.removeAbove(this.list.last!.baseOffset - 1)[0]
      await this.#settled(entry)
      await entry.retire()
      const active = await this.#openActive(entry.baseOffset, false)
      this.list.add(LogSegment.active(active))
      this.#adopt(active)
    }
    await this.#active.truncateTo(target)
    this.#adopt(this.#active)
    this.list.last!.sizeBytes = this.#endPosition
  }

  /** Leaves every segment exact and on disk. */
  async seal(): Promise<void> {
    if (!this.#sealed) await this.#active.seal()
    this.#sealed = true
    await this.flush()
  }

  /** Closes the files and leaves them as they are. */
  async closeFiles(): Promise<void> {
    await Promise.allSettled(this.#unflushed.map(({ done }) => done))
    for (const entry of this.list) await entry.retire()
  }

  #adopt(active: Segment): void {
    this.#active = active
    this.#sealed = false
    this.#failedCreation = false
    this.#endPosition = active.endPosition
    this.#endOffset = active.endOffset
    this.#firstTimestamp = active.firstTimestamp
    this.#jitterMs = this.#drawJitter()
  }

  /** Kafka spreads the rolls of many partitions over segment.jitter.ms. */
  #drawJitter(): number {
    const { segmentJitterMs, segmentMs } = this.#context.config
    return Math.floor(this.#context.random() * Math.min(segmentJitterMs, segmentMs))
  }

  #flushLater(
    entry: LogSegment,
    reached: Pick<Segment, 'durableOffset' | 'flushedOffset'>,
    flushed: Promise<void>,
  ): void {
    const unflushed: Unflushed = {
      entry,
      durableOffset: () => reached.durableOffset,
      flushedOffset: () => reached.flushedOffset,
      done: flushed.then(() => {
        this.#unflushed = this.#unflushed.filter((other) => other !== unflushed)
      }),
    }
    this.#unflushed.push(unflushed)
    // A failure is told to everyone who flushes; the engine has taken the directory offline by then.
    unflushed.done.catch((error: unknown) => {
      const { topic, partition, logger } = this.#context
      logger.error(
        { topic, partition, baseOffset: entry.baseOffset, err: error },
        'a sealed segment could not be flushed',
      )
    })
  }

  async #settled(entry: LogSegment): Promise<void> {
    await this.#unflushed.find((unflushed) => unflushed.entry === entry)?.done
  }

  async #discard(entry: LogSegment): Promise<void> {
    await this.#settled(entry).catch(() => {})
    this.#unflushed = this.#unflushed.filter((unflushed) => unflushed.entry !== entry)
    await entry.retire()
    await this.#removeFiles(entry.baseOffset)
  }

  async #removeFiles(baseOffset: number): Promise<void> {
    const { directory, folder } = this.#context
    for (const suffix of segmentSuffixes) {
      await removeIfThere(directory, `${folder}/${segmentFileName(baseOffset, suffix)}`)
    }
    await directory.syncDirectory(folder)
  }

  #openActive(baseOffset: number, create: boolean): Promise<Segment> {
    return openActiveSegment(this.#context, baseOffset, { create })
  }

  #closedSegment(baseOffset: number, already: Segment | null = null): ClosedSegment {
    return new ClosedSegment(this.#context.openSegments, () => openClosedSegment(this.#context, baseOffset), already)
  }
}

export function openClosedSegment(context: LogContext, baseOffset: number): Promise<Segment> {
  return context.engine.openSegment(context.directory, {
    ...segmentOptions(context, baseOffset),
    active: false,
    slot: null,
  })
}

export function openActiveSegment(
  context: LogContext,
  baseOffset: number,
  how: { create?: boolean; end?: 'exact' | { position: number; offset: number } },
): Promise<Segment> {
  return context.engine.openSegment(context.directory, {
    ...segmentOptions(context, baseOffset),
    active: !context.readOnly,
    slot: context.slot,
    create: how.create,
    end: context.readOnly ? undefined : how.end,
  })
}

function segmentOptions(context: LogContext, baseOffset: number) {
  const { segmentBytes, indexBytes, indexIntervalBytes } = context.config
  return { folder: context.folder, baseOffset, segmentBytes, indexBytes, indexIntervalBytes }
}

/** Brings a closed segment to disk, with its indexes: only one opened for appending may be flushed. */
async function flushClosedSegment(context: LogContext, baseOffset: number): Promise<void> {
  const options = { ...segmentOptions(context, baseOffset), active: true, slot: null }
  const segment = await context.engine.openSegment(context.directory, options)
  try {
    await segment.seal()
    await segment.flush()
  } finally {
    await segment.close()
  }
}

export async function removeIfThere(directory: LogContext['directory'], path: string): Promise<boolean> {
  try {
    await directory.remove(path)
    return true
  } catch (error) {
    if (codeOf(error) === 'FILE_NOT_FOUND') return false
    throw error
  }
}
