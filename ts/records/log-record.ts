import type { BatchHeader } from './batch-header.js'
import { headersOf, readHeaderList } from './headers.js'
import type { RecordHeaders } from './message.js'
import { type RecordCursor, timestampOf, view } from './record-cursor.js'

/**
 * One record read from the log. Its parts are decoded when asked for, and share the memory of the whole batch: keep a
 * small record of a large batch by `copy()`.
 */
export class LogRecord {
  private readonly header: BatchHeader
  private readonly bytes: Buffer
  private readonly start: number
  private readonly sizeBytes: number
  private readonly offsetDelta: number
  private readonly timestampDelta: number
  private readonly keyAt: number
  private readonly keyLength: number
  private readonly valueAt: number
  private readonly valueLength: number

  /** The record the cursor stands at; the cursor may move on. */
  constructor(cursor: RecordCursor) {
    const start = cursor.recordStart
    this.header = cursor.header
    this.bytes = cursor.bytes
    this.start = start
    this.sizeBytes = cursor.recordEnd - start
    this.offsetDelta = cursor.offsetDelta
    this.timestampDelta = cursor.timestampDelta
    this.keyAt = cursor.keyStart - start
    this.keyLength = cursor.keyLength
    this.valueAt = cursor.valueStart - start
    this.valueLength = cursor.valueLength
  }

  /** Position in the partition's log. */
  get offset(): bigint {
    return BigInt(this.header.baseOffset + this.offsetDelta)
  }

  /** Milliseconds since 1970: the producer's clock, or the broker's where the topic says so. -1 for none. */
  get timestamp(): number {
    return timestampOf(this.header, this.timestampDelta)
  }

  get timestampType(): 'create' | 'append' {
    return this.header.isAppendTime ? 'append' : 'create'
  }

  /** Leader epoch of the batch it came in; -1 for unknown. */
  get leaderEpoch(): number {
    return this.header.leaderEpoch
  }

  get key(): Buffer | null {
    return this.keyLength < 0 ? null : view(this.bytes, this.start + this.keyAt, this.keyLength)
  }

  /** Null is a tombstone on a compacted topic. */
  get value(): Buffer | null {
    return this.valueLength < 0 ? null : view(this.bytes, this.start + this.valueAt, this.valueLength)
  }

  /** By name; a header that occurs more than once is an array. Throws SeglogError INVALID_BATCH where damaged. */
  get headers(): RecordHeaders {
    return headersOf(this.headerList)
  }

  /** In order, as written. */
  get headerList(): [string, Buffer | null][] {
    const start = this.start + this.valueAt + Math.max(this.valueLength, 0)
    return readHeaderList(this.bytes, start, this.start + this.sizeBytes)
  }

  /** The same record in memory of its own: it no longer keeps its batch alive. */
  copy(): this {
    const bytes = Buffer.allocUnsafeSlow(this.sizeBytes)
    this.bytes.copy(bytes, 0, this.start, this.start + this.sizeBytes)
    return Object.assign(Object.create(Object.getPrototypeOf(this)), this, { bytes, start: 0 })
  }
}
