import { RecordBatchBuilder } from '../../records/record-batch-builder.js'
import type { LogRecordBytes } from './group-records.js'

/** The records as batches of at most `maxBytes` (one that is larger by itself excepted), each in memory of its own. */
export function recordBatches(records: readonly LogRecordBytes[], timestamp: number, maxBytes: number): Buffer[] {
  const builder = new RecordBatchBuilder({ maxBytes, initialBytes: initialBytes(records) })
  const batches: Buffer[] = []
  for (const record of records) {
    const message = { key: record.key, value: record.value, timestamp }
    if (builder.append(message)) continue
    batches.push(builder.finish())
    builder.reset(false)
    builder.append(message)
  }
  batches.push(builder.finish())
  return batches
}

/** Of a record beside its key and value, and of a batch's header. */
const overheadBytes = 64

function initialBytes(records: readonly LogRecordBytes[]): number {
  let sum = overheadBytes
  for (const { key, value } of records) sum += key.length + (value?.length ?? 0) + overheadBytes
  return sum
}
