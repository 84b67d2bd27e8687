import { batchLengthEnd, batchOverheadBytes, headerAt } from './batch-header.js'
import { RecordBatch } from './record-batch.js'

/** Walks the batches that stand back to back in a buffer. The bytes are borrowed, as `RecordBatch` says. */
export class RecordBatchReader {
  readonly bytes: Buffer
  private at: number
  private readonly end: number
  private readonly allowCutTail: boolean

  /** With `allowCutTail` a batch that the end cuts off ends the walk, as a fetch response may hold; else it is an error. */
  constructor(bytes: Buffer, options: { start?: number; end?: number; allowCutTail?: boolean } = {}) {
    this.bytes = bytes
    this.at = options.start ?? 0
    this.end = options.end ?? bytes.length
    this.allowCutTail = options.allowCutTail ?? false
  }

  /** Where the next batch begins. */
  get position(): number {
    return this.at
  }

  /** The next batch, null behind the last. Throws SeglogError CORRUPT_BATCH for what is no batch. */
  next(): RecordBatch | null {
    if (this.at === this.end || (this.allowCutTail && this.isCut())) return null
    const batch = new RecordBatch(this.bytes, this.at, this.end)
    this.at += batch.header.sizeBytes
    return batch
  }

  *[Symbol.iterator](): Generator<RecordBatch, undefined> {
    for (let batch = this.next(); batch !== null; batch = this.next()) yield batch
  }

  private isCut(): boolean {
    const left = this.end - this.at
    return left < batchOverheadBytes || left < this.bytes.readInt32BE(this.at + headerAt.batchLength) + batchLengthEnd
  }
}
