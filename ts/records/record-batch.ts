import { SeglogError } from '../errors/seglog-error.js'
import { BatchHeader, batchOverheadBytes, crcStart } from './batch-header.js'
import { codecName } from './codecs/codec-name.js'
import { decompress, decompressNow } from './codecs/codecs.js'
import { LogRecord } from './log-record.js'
import type { Crc32c } from './message.js'
import { RecordCursor } from './record-cursor.js'

/**
 * One record batch v2 as a view of its bytes. Records are decoded as they are walked; those of a compressed batch only
 * after `inflate`. The bytes are borrowed: they must not change while the batch or anything read from it is in use.
 */
export class RecordBatch {
  readonly header: BatchHeader
  /** The buffer the batch was found in, and where. */
  readonly buffer: Buffer
  readonly start: number
  private records: Buffer | null
  private recordsStart: number
  private recordsEnd: number

  /** Throws SeglogError CORRUPT_BATCH unless a whole batch with a sound header lies at `start` below `end`. */
  constructor(buffer: Buffer, start = 0, end: number = buffer.length) {
    this.header = new BatchHeader(buffer, start, end)
    this.buffer = buffer
    this.start = start
    this.records = this.header.codec === 0 ? buffer : null
    this.recordsStart = start + batchOverheadBytes
    this.recordsEnd = start + this.header.sizeBytes
  }

  /** All bytes of the batch, header included. */
  get bytes(): Buffer {
    return this.buffer.subarray(this.start, this.start + this.header.sizeBytes)
  }

  /** Compressed, and not yet inflated. */
  get isDeflated(): boolean {
    return this.records === null
  }

  /** True if the CRC in the header is that of the bytes. */
  crcMatches(crc32c: Crc32c): boolean {
    return (
      crc32c(this.buffer.subarray(this.start + crcStart, this.start + this.header.sizeBytes)) >>> 0 === this.header.crc
    )
  }

  /**
   * Decompresses the records, if they are compressed and were not yet, off this thread where they are large. Throws
   * SeglogError DECOMPRESSION_FAILED, or DECOMPRESSED_TOO_LARGE where they pass `limitBytes`.
   */
  async inflate(limitBytes?: number): Promise<this> {
    if (this.records === null)
      this.useRecords(await decompress(codecName(this.header.codec), this.deflated(), limitBytes))
    return this
  }

  /** As `inflate`, on this thread; for zstd on Node without its own, `loadCodec('zstd')` must have resolved. */
  inflateNow(limitBytes?: number): this {
    if (this.records === null) this.useRecords(decompressNow(codecName(this.header.codec), this.deflated(), limitBytes))
    return this
  }

  /** Stands before the first record. Throws SeglogError INVALID_ARGUMENT while the batch is deflated. */
  cursor(): RecordCursor {
    if (this.records === null) {
      throw new SeglogError(
        'INVALID_ARGUMENT',
        `this batch is compressed (${codecName(this.header.codec)}): call inflate first`,
      )
    }
    return new RecordCursor(this.header, this.records, this.recordsStart, this.recordsEnd)
  }

  /** Every record as an object. */
  [Symbol.iterator](): IterableIterator<LogRecord, undefined> {
    return new RecordIterator(this.cursor())
  }

  private deflated(): Buffer {
    return this.buffer.subarray(this.recordsStart, this.recordsEnd)
  }

  private useRecords(records: Buffer): void {
    this.records = records
    this.recordsStart = 0
    this.recordsEnd = records.length
  }
}

// A generator would take half as long again per record.
class RecordIterator implements IterableIterator<LogRecord, undefined> {
  private readonly cursor: RecordCursor

  constructor(cursor: RecordCursor) {
    this.cursor = cursor
  }

  next(): IteratorResult<LogRecord, undefined> {
    return this.cursor.next() ? { done: false, value: new LogRecord(this.cursor) } : { done: true, value: undefined }
  }

  [Symbol.iterator](): this {
    return this
  }
}
