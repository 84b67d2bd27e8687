import type { BatchHeader } from './batch-header.js'
import { headersOf, readHeaderList } from './headers.js'
import type { RecordHeaders } from './message.js'
import { type RecordCursor, timestampOf, view } from './record-cursor.js'
import { VarintReader } from './varint.js'

/**
 * One record read from the log. Its parts are decoded when asked for, and share the memory of the whole batch: keep a
 * small record of a large batch by `copy()`.
 */
export class LogRecord {
  // Six fields: making this object is most of what reading a record costs, so the rest is read again from `start` when
  // asked for. The cursor has checked it.
  private readonly header: BatchHeader
  private readonly bytes: Buffer
  private readonly start: number
  private readonly offsetDelta: number
  private readonly valueStart: number
  private readonly valueLength: number

  /** The record the cursor stands at; the cursor may move on. */
  constructor(cursor: RecordCursor) {
    this.header = cursor.header
    this.bytes = cursor.bytes
    this.start = cursor.recordStart
    this.offsetDelta = cursor.offsetDelta
    this.valueStart = cursor.valueStart
    this.valueLength = cursor.valueLength
  }

  /** Position in the partition's log. */
  get offset(): bigint {
    return this.header.firstOffset + BigInt(this.offsetDelta)
  }

  /** Milliseconds since 1970: the producer's clock, or the broker's where the topic says so. -1 for none. */
  get timestamp(): number {
    return timestampOf(this.header, this.afterLength().readVarlong())
  }

  get timestampType(): 'create' | 'append' {
    return this.header.isAppendTime ? 'append' : 'create'
  }

  /** Leader epoch of the batch it came in; -1 for unknown. */
  get leaderEpoch(): number {
    return this.header.leaderEpoch
  }

  get key(): Buffer | null {
    const reader = this.afterLength()
    reader.readVarlong() // timestamp delta
    reader.readVarint() // offset delta
    const length = reader.readVarint()
    return length < 0 ? null : view(this.bytes, reader.position, length)
  }

  /** Null is a tombstone on a compacted topic. */
  get value(): Buffer | null {
    return this.valueLength < 0 ? null : view(this.bytes, this.valueStart, this.valueLength)
  }

  /** By name; a header that occurs more than once is an array. Throws SeglogError INVALID_BATCH where damaged. */
  get headers(): RecordHeaders {
    return headersOf(this.headerList)
  }

  /** In order, as written. */
  get headerList(): [string, Buffer | null][] {
    return readHeaderList(this.bytes, this.valueStart + Math.max(this.valueLength, 0), this.afterLength().end)
  }

  /** The same record in memory of its own: it no longer keeps its batch alive. */
  copy(): this {
    const { bytes, start } = this
    const own = Buffer.allocUnsafeSlow(this.afterLength().end - start)
    bytes.copy(own, 0, start, start + own.length)
    const moved = { bytes: own, start: 0, valueStart: this.valueStart - start }
    return Object.assign(Object.create(Object.getPrototypeOf(this)), this, moved)
  }

  /** Stands at the timestamp delta and ends with the record. */
  private afterLength(): VarintReader {
    const reader = new VarintReader(this.bytes, this.start, this.bytes.length)
    const length = reader.readVarint()
    reader.end = reader.position + length
    reader.position++ // attributes
    return reader
  }
}
