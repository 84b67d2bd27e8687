import { setImmediate } from 'node:timers/promises'
import { SeglogError } from '../../errors/seglog-error.js'
import type { Crc32c } from '../../records/message.js'
import type { RecordBatch } from '../../records/record-batch.js'
import { RecordBatchReader } from '../../records/record-batch-reader.js'
import type { PartitionLog } from '../partition-log.js'
import { type GroupRecord, readGroupRecord } from './group-records.js'

/** What is read at a time, and so the memory that loading takes beside what it loads; one batch may be larger. */
const readBytes = 256 * 1024
/** Kafka's types of control records; the key is an int16 version and this, as an int16. */
const markerAt = 2
const marker = { abort: 0, commit: 1 } as const

/** What a log of groups holds, in its order. */
export interface GroupRecordSink {
  /** `producerId` is that of the transaction it belongs to, -1 if to none. */
  record(record: GroupRecord, offset: number, producerId: number): void
  /** The producer's transaction ended. */
  ended(producerId: number, committed: boolean): void
}

/**
 * Reads a partition of `__consumer_offsets` to its end, in pieces, without holding up the event loop; returns the end. Compaction may have taken any record that a later one replaces. Keys of other kinds are
 * skipped. Rejects with CORRUPT_LOG for a record of the known kinds that cannot be read: what it said is not guessed at;
 * with ABORTED by the signal.
 */
export async function loadGroups(
  log: PartitionLog,
  crc32c: Crc32c,
  sink: GroupRecordSink,
  signal: AbortSignal,
): Promise<number> {
  let offset = log.logStartOffset
  while (offset < log.logEndOffset) {
    const { batches, nextOffset } = await log.read(offset, readBytes)
    if (batches.length === 0) break
    for (const batch of new RecordBatchReader(batches)) {
      if (batch.header.lastOffset >= offset) await loadBatch(log, batch, offset, crc32c, sink)
    }
    offset = nextOffset
    await setImmediate()
    if (signal.aborted) throw new SeglogError('ABORTED', `loading ${log.topic}-${log.partition} was given up`)
  }
  return offset
}

async function loadBatch(
  log: PartitionLog,
  batch: RecordBatch,
  from: number,
  crc32c: Crc32c,
  sink: GroupRecordSink,
): Promise<void> {
  const { header } = batch
  if (!batch.crcMatches(crc32c)) throw unreadable(log, header.baseOffset, 'its checksum does not match')
  const producerId = header.isTransactional ? header.producerId : -1
  const cursor = (await batch.inflate()).cursor()
  while (cursor.next()) {
    if (cursor.offset < from) continue
    const key = cursor.key()
    if (key === null) continue
    try {
      if (header.isControl) {
        const type = key.readInt16BE(markerAt)
        if (type === marker.abort || type === marker.commit) sink.ended(header.producerId, type === marker.commit)
        continue
      }
      const record = readGroupRecord(key, cursor.value())
      if (record !== null) sink.record(record, cursor.offset, producerId)
    } catch (error) {
      throw unreadable(log, cursor.offset, error instanceof Error ? error.message : String(error), error)
    }
  }
}

function unreadable(log: PartitionLog, offset: number, why: string, cause?: unknown): SeglogError {
  const { topic, partition } = log
  const message = `${topic}-${partition} cannot be loaded, offset ${offset}: ${why}`
  return new SeglogError('CORRUPT_LOG', message, { topic, partition, offset: BigInt(offset), cause })
}
