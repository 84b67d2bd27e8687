import { RecordBatchBuilder } from '../records/record-batch-builder.js'

const pooledBytesMax = 16 * 1024 * 1024

/** Batch memory that goes round: a builder comes back when its batch is answered, and serves the next one. */
export class BuilderPool {
  private readonly free: RecordBatchBuilder[] = []
  private readonly freeMax: number

  constructor(private readonly batchSize: number) {
    this.freeMax = Math.max(4, Math.floor(pooledBytesMax / batchSize))
  }

  take(): RecordBatchBuilder {
    return this.free.pop() ?? new RecordBatchBuilder({ maxBytes: this.batchSize })
  }

  /** Nobody may refer to the builder's last batch any more. */
  giveBack(builder: RecordBatchBuilder): void {
    if (this.free.length >= this.freeMax) return
    builder.reset()
    this.free.push(builder)
  }
}
