import type { TimestampLocated } from '../native/engine.js'
import type { RecordBatch } from '../records/record-batch.js'
import { RecordBatchReader } from '../records/record-batch-reader.js'
import type { LogReader } from './log-reader.js'
import type { LogSegments } from './log-segments.js'
import type { TimestampOffset } from './log-types.js'

const readBytes = 256 * 1024

/**
 * The first record at or above `logStartOffset` whose timestamp is at or after `timestamp`; null if there is none.
 * Segments are skipped by their largest timestamp; the engine finds the batch, and the record too unless the batch is
 * compressed or begins below the log start.
 */
export async function offsetForTimestamp(
  segments: LogSegments,
  reader: LogReader,
  logStartOffset: number,
  timestamp: number,
): Promise<TimestampOffset | null> {
  for (const entry of [...segments.list]) {
    if (segments.endOffsetOf(entry) <= logStartOffset && !entry.isActive) continue
    if ((await entry.maxTimestamp()) < timestamp) continue
    const located: TimestampLocated | null = await entry.use((segment) => segment.locateTimestamp(timestamp))
    if (located === null) continue
    if (!located.compressed && located.offset >= logStartOffset) {
      const { offset, timestamp: found, leaderEpoch } = located
      return { offset, timestamp: found, leaderEpoch }
    }
    return searchRecords(segments, reader, Math.max(located.offset, logStartOffset), timestamp)
  }
  return null
}

/** The first of the records with the largest timestamp; null while the log is empty. */
export async function offsetOfMaxTimestamp(
  segments: LogSegments,
  reader: LogReader,
  logStartOffset: number,
): Promise<TimestampOffset | null> {
  let largest = -1
  for (const entry of [...segments.list]) largest = Math.max(largest, await entry.maxTimestamp())
  return largest < 0 ? null : offsetForTimestamp(segments, reader, logStartOffset, largest)
}

async function searchRecords(
  segments: LogSegments,
  reader: LogReader,
  fromOffset: number,
  timestamp: number,
): Promise<TimestampOffset | null> {
  const end = segments.endOffset
  let offset = fromOffset
  while (offset < end) {
    const { batches, nextOffset } = await reader.read(offset, readBytes, end)
    if (batches.length === 0) return null
    for (const batch of new RecordBatchReader(batches)) {
      const { maxTimestamp, lastOffset } = batch.header
      if (maxTimestamp < timestamp || lastOffset < fromOffset) continue
      const found = await searchBatch(batch, fromOffset, timestamp)
      if (found !== null) return found
    }
    offset = nextOffset
  }
  return null
}

async function searchBatch(batch: RecordBatch, fromOffset: number, timestamp: number): Promise<TimestampOffset | null> {
  const { baseOffset, leaderEpoch, baseTimestamp, maxTimestamp, isAppendTime } = batch.header
  if (isAppendTime) {
    return { offset: Math.max(baseOffset, fromOffset), timestamp: maxTimestamp, leaderEpoch }
  }
  await batch.inflate()
  const cursor = batch.cursor()
  while (cursor.next()) {
    const found = baseTimestamp + cursor.timestampDelta
    const offset = baseOffset + cursor.offsetDelta
    if (found >= timestamp && offset >= fromOffset) return { offset, timestamp: found, leaderEpoch }
  }
  return null
}
