import { SeglogError } from '../errors/seglog-error.js'
import type { Segment } from '../native/engine.js'
import { batchLengthEnd, headerAt, readInt64 } from '../records/batch-header.js'
import type { LogSegment } from './log-segment.js'
import type { LogSegments } from './log-segments.js'
import type { LogRead } from './log-types.js'
import { isPromise, type MaybePromise } from './maybe-promise.js'

/** What one read on the calling thread may take: longer ones would hold up the event loop. */
const hotReadBytes = 256 * 1024
/** From this size on a read first asks where it begins, so that it takes no more memory than it needs. */
const lookUpBytes = 16 * 1024
/** How many readers' places are remembered. */
const cursorCount = 8
const empty = Buffer.alloc(0)

/** Where a reader stopped: the next read there need not ask the index how much is left. */
interface Cursor {
  readonly segmentBase: number
  readonly offset: number
  readonly position: number
}

/** Reads batches across the segments of one log: on the calling thread where they are in memory, else on a storage thread. */
export class LogReader {
  readonly #segments: LogSegments
  readonly #cursors: (Cursor | undefined)[] = new Array(cursorCount)
  #nextCursor = 0

  constructor(segments: LogSegments) {
    this.#segments = segments
  }

  /** Offsets may be given to other bytes from now on (truncation). */
  forget(): void {
    this.#cursors.fill(undefined)
  }

  /** As Log.read, within bounds that the caller has checked. */
  read(offset: number, maxBytes: number, upToOffset: number): MaybePromise<LogRead> {
    const { list } = this.#segments
    return this.#readFrom(list.at(Math.max(0, list.floorIndex(offset))), offset, maxBytes, upToOffset)
  }

  #readFrom(entry: LogSegment | undefined, offset: number, maxBytes: number, upTo: number): MaybePromise<LogRead> {
    let current = entry
    while (current !== undefined && (current.baseOffset < upTo || current.baseOffset <= offset)) {
      const here = current
      const result = here.use((segment) => this.#readIn(here, segment, offset, maxBytes, upTo))
      if (isPromise(result)) {
        return result.then((read) => read ?? this.#readFrom(this.#segments.list.after(here), offset, maxBytes, upTo))
      }
      if (result !== null) return result
      current = this.#segments.list.after(here)
    }
    return { batches: empty, nextOffset: offset }
  }

  /** Null if this segment has nothing for the reader. */
  #readIn(
    entry: LogSegment,
    segment: Segment,
    offset: number,
    maxBytes: number,
    upTo: number,
  ): MaybePromise<LogRead | null> {
    const limit = this.#limitPosition(entry, segment, upTo)
    if (isPromise(limit)) return limit.then((position) => this.#readBelow(entry, segment, offset, maxBytes, position))
    return this.#readBelow(entry, segment, offset, maxBytes, limit)
  }

  /** Position of the first batch that reaches past `upTo`. */
  #limitPosition(entry: LogSegment, segment: Segment, upTo: number): MaybePromise<number> {
    if (upTo >= this.#segments.endOffsetOf(entry)) return entry.sizeBytes
    const located = segment.locateNow(upTo)
    if (located === undefined) return segment.locate(upTo).then((found) => found?.position ?? entry.sizeBytes)
    return located?.position ?? entry.sizeBytes
  }

  #readBelow(
    entry: LogSegment,
    segment: Segment,
    offset: number,
    maxBytes: number,
    limit: number,
  ): MaybePromise<LogRead | null> {
    const start = this.#startPosition(entry, segment, offset, maxBytes)
    const available = start === null ? 0 : limit - (start ?? 0)
    if (start === null || available <= 0) return null
    let target = Buffer.allocUnsafe(Math.min(Math.max(maxBytes, 1), available, hotReadBytes))
    let count = segment.readNow(offset, limit, target)
    if (count < -1 && -count <= hotReadBytes) {
      target = Buffer.allocUnsafe(-count)
      count = segment.readNow(offset, limit, target)
    }
    if (count > 0) return this.#result(entry, target.subarray(0, count), offset, start)
    if (count === 0) return null
    return segment
      .read(offset, limit, Math.min(maxBytes, available))
      .then((bytes) => (bytes.length === 0 ? null : this.#result(entry, bytes, offset, start)))
  }

  /**
   * Position of the batch that holds `offset`, null behind the end. Undefined if it is not worth looking for (a small
   * read is not the first of many) or only the disk knows.
   */
  #startPosition(entry: LogSegment, segment: Segment, offset: number, maxBytes: number): number | null | undefined {
    for (const cursor of this.#cursors) {
      if (cursor !== undefined && cursor.offset === offset && cursor.segmentBase === entry.baseOffset) {
        return cursor.position
      }
    }
    if (maxBytes < lookUpBytes) return undefined
    const located = segment.locateNow(offset)
    return located === null ? null : located?.position
  }

  #result(entry: LogSegment, batches: Buffer, offset: number, start: number | undefined): LogRead {
    const nextOffset = offsetAfter(batches, entry.baseOffset)
    if (start !== undefined) {
      const cursor = { segmentBase: entry.baseOffset, offset: nextOffset, position: start + batches.length }
      const old = this.#cursors.findIndex((other) => other?.offset === offset)
      this.#cursors[old >= 0 ? old : this.#nextCursor++ % cursorCount] = cursor
    }
    return { batches, nextOffset }
  }
}

/** The offset after the last batch of a run of whole batches. */
function offsetAfter(batches: Buffer, segmentBase: number): number {
  let last = 0
  for (let at = 0; at < batches.length; ) {
    last = at
    const size = batches.readInt32BE(at + headerAt.batchLength) + batchLengthEnd
    at += size
    if (size <= batchLengthEnd || at > batches.length) {
      throw new SeglogError('CORRUPT_LOG', `segment ${segmentBase}: a batch of ${size} bytes is not where it should be`)
    }
  }
  return readInt64(batches, last) + batches.readInt32BE(last + headerAt.lastOffsetDelta) + 1
}
