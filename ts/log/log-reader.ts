import { SeglogError } from '../errors/seglog-error.js'
import type { Segment } from '../native/engine.js'
import type { FileRegion } from '../protocol/file-region.js'
import { batchLengthEnd, headerAt, readInt64 } from '../records/batch-header.js'
import type { LogSegment } from './log-segment.js'
import type { LogSegments } from './log-segments.js'
import type { LogRead } from './log-types.js'
import { isPromise, type MaybePromise } from './maybe-promise.js'
import { readAt, SegmentRegion } from './segment-region.js'

/** What one read on the calling thread may take: longer ones would hold up the event loop. */
const hotReadBytes = 256 * 1024
/** From this size on a read first asks where it begins, so that it takes no more memory than it needs. */
const lookUpBytes = 16 * 1024
/** Up to here the bytes themselves are the cheapest answer; more is answered by a place in the file. */
const copiedBytes = 64 * 1024
/** How many readers' places are remembered. */
const cursorCount = 8
const empty = Buffer.alloc(0)

/** Where a reader stopped: the next read there need not ask the index how much is left. */
interface Cursor {
  readonly segmentBase: number
  readonly offset: number
  readonly position: number
}

/** What a read that may be answered by a region asks for; up to `copiedBytes` come as bytes. */
interface StoredRead {
  readonly offset: number
  readonly maxBytes: number
  readonly copiedBytes: number
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
    const found = this.#inSegments(this.#segmentOf(offset), offset, upToOffset, (entry, segment, limit) =>
      this.#readBelow(entry, segment, offset, maxBytes, limit),
    )
    if (isPromise(found)) return found.then((read) => read ?? { batches: empty, nextOffset: offset })
    return found ?? { batches: empty, nextOffset: offset }
  }

  /** As Log.readStored, within bounds that the caller has checked. */
  readStored(
    offset: number,
    maxBytes: number,
    upToOffset: number,
    copiedMaxBytes: number,
  ): MaybePromise<Buffer | FileRegion> {
    const wanted = { offset, maxBytes, copiedBytes: Math.min(copiedBytes, copiedMaxBytes) }
    const found = this.#inSegments(this.#segmentOf(offset), offset, upToOffset, (entry, segment, limit) =>
      this.#storedBelow(entry, segment, wanted, limit),
    )
    return isPromise(found) ? found.then((stored) => stored ?? empty) : (found ?? empty)
  }

  #segmentOf(offset: number): LogSegment | undefined {
    const { list } = this.#segments
    return list.at(Math.max(0, list.floorIndex(offset)))
  }

  /** The first segment that has something for the reader answers; null if none has. */
  #inSegments<T>(
    entry: LogSegment | undefined,
    offset: number,
    upTo: number,
    look: (entry: LogSegment, segment: Segment, limit: number) => MaybePromise<T | null>,
  ): MaybePromise<T | null> {
    let current = entry
    while (current !== undefined && (current.baseOffset < upTo || current.baseOffset <= offset)) {
      const here = current
      const result = here.use((segment) => {
        const limit = this.#limitPosition(here, segment, upTo)
        return isPromise(limit) ? limit.then((position) => look(here, segment, position)) : look(here, segment, limit)
      })
      if (isPromise(result)) {
        return result.then((found) => found ?? this.#inSegments(this.#segments.list.after(here), offset, upTo, look))
      }
      if (result !== null) return result
      current = this.#segments.list.after(here)
    }
    return null
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

  #storedBelow(
    entry: LogSegment,
    segment: Segment,
    wanted: StoredRead,
    limit: number,
  ): MaybePromise<Buffer | FileRegion | null> {
    const { offset, maxBytes } = wanted
    if (maxBytes <= wanted.copiedBytes) return this.#copiedBelow(entry, segment, offset, maxBytes, limit)
    const found = this.#startPosition(entry, segment, offset, maxBytes)
    if (found === undefined) {
      return segment
        .locate(offset)
        .then((located) => this.#storedFrom(entry, segment, wanted, limit, located?.position ?? limit))
    }
    return this.#storedFrom(entry, segment, wanted, limit, found ?? limit)
  }

  #storedFrom(
    entry: LogSegment,
    segment: Segment,
    wanted: StoredRead,
    limit: number,
    start: number,
  ): MaybePromise<Buffer | FileRegion | null> {
    const { offset, maxBytes } = wanted
    const available = limit - start
    if (available <= 0) return null
    if (available <= wanted.copiedBytes) return this.#copiedBelow(entry, segment, offset, maxBytes, limit)
    if (available <= maxBytes) {
      return new SegmentRegion(entry, start, available)
    }
    const head = readAt(entry, start, Buffer.allocUnsafe(batchLengthEnd))
    const region = (bytes: Buffer) => {
      const first = bytes.readInt32BE(headerAt.batchLength) + batchLengthEnd
      return new SegmentRegion(entry, start, Math.min(available, Math.max(maxBytes, first)))
    }
    return isPromise(head) ? head.then(region) : region(head)
  }

  #copiedBelow(
    entry: LogSegment,
    segment: Segment,
    offset: number,
    maxBytes: number,
    limit: number,
  ): MaybePromise<Buffer | null> {
    const read = this.#readBelow(entry, segment, offset, maxBytes, limit)
    return isPromise(read) ? read.then((done) => done?.batches ?? null) : (read?.batches ?? null)
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
