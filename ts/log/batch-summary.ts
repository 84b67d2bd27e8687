import { SeglogError } from '../errors/seglog-error.js'
import {
  attributeBits,
  type BatchHeader,
  batchLengthEnd,
  batchOverheadBytes,
  headerAt,
  readInt16,
  readInt32,
  readInt64,
} from '../records/batch-header.js'
import type { ProducerBatch } from './producer-state.js'
import { sequenceAfter } from './producer-state.js'

/**
 * What an append needs to know of its batches before it hands them on: a few header fields, read once. Offsets in
 * `producers` count from the first offset of the append.
 */
export interface BatchSummary {
  readonly sizeBytes: number
  /** Size of the largest batch. */
  readonly largestBytes: number
  /** First offset, where the batches keep theirs; else -1. */
  readonly firstOffset: number
  /** Offsets the batches take up. */
  readonly offsetCount: number
  /** Largest timestamp, -1 none. */
  readonly maxTimestamp: number
  /** Batches with a producer id; null for the usual none. */
  readonly producers: ProducerBatch[] | null
}

const scratch = new Uint8Array(batchOverheadBytes)

/**
 * Reads the headers of whole batches that lie one after another, spread over the buffers in any way. With `keepOffsets`
 * the batches' own offsets count, gaps included; else each follows the one before. Throws INVALID_BATCH where lengths do
 * not add up; everything else about a batch is the engine's to check.
 */
export function summarizeBatches(buffers: Uint8Array | readonly Uint8Array[], keepOffsets = false): BatchSummary {
  if (buffers instanceof Uint8Array) return summarize([buffers], buffers.length, keepOffsets)
  let size = 0
  for (const buffer of buffers) size += buffer.length
  return summarize(buffers, size, keepOffsets)
}

/** The same of one batch whose header was read already, and whose records have this largest timestamp. */
export function summaryOf(header: BatchHeader, maxTimestamp: number): BatchSummary {
  const { sizeBytes, lastOffsetDelta, producerId } = header
  return {
    sizeBytes,
    largestBytes: sizeBytes,
    firstOffset: -1,
    offsetCount: lastOffsetDelta + 1,
    maxTimestamp: Math.max(-1, maxTimestamp),
    producers: producerId < 0 ? null : [producerOf(header, maxTimestamp)],
  }
}

function producerOf(header: BatchHeader, timestamp: number): ProducerBatch {
  const { producerId, producerEpoch, baseSequence, lastOffsetDelta } = header
  return {
    producerId,
    producerEpoch,
    firstSequence: baseSequence,
    lastSequence: baseSequence < 0 ? -1 : sequenceAfter(baseSequence, lastOffsetDelta),
    firstOffset: 0,
    lastOffset: lastOffsetDelta,
    timestamp,
    transactional: header.isTransactional,
    control: header.isControl,
  }
}

function summarize(buffers: readonly Uint8Array[], sizeBytes: number, keepOffsets: boolean): BatchSummary {
  let largestBytes = 0
  let offsetCount = 0
  let maxTimestamp = -1
  let producers: ProducerBatch[] | null = null
  let firstOffset = -1
  let index = 0
  let at = 0
  let remaining = sizeBytes
  do {
    if (remaining < batchOverheadBytes) {
      throw new SeglogError('INVALID_BATCH', `${remaining} bytes are less than a batch header (${batchOverheadBytes})`)
    }
    let header = buffers[index]
    let start = at
    if (header.length - at < batchOverheadBytes) {
      gather(buffers, index, at)
      header = scratch
      start = 0
    }
    const batchBytes = readInt32(header, start + headerAt.batchLength) + batchLengthEnd
    if (batchBytes < batchOverheadBytes || batchBytes > remaining) {
      throw new SeglogError('INVALID_BATCH', `a batch claims ${batchBytes} bytes, ${remaining} are there`)
    }
    const lastDelta = readInt32(header, start + headerAt.lastOffsetDelta)
    if (lastDelta < 0) throw new SeglogError('INVALID_BATCH', `a batch has a last offset delta of ${lastDelta}`)
    if (keepOffsets) {
      const base = readInt64(header, start)
      if (firstOffset < 0) firstOffset = base
      offsetCount = base - firstOffset
    }
    const timestamp = readInt64(header, start + headerAt.maxTimestamp)
    if (timestamp > maxTimestamp) maxTimestamp = timestamp
    if (header[start + headerAt.producerId] < 0x80) {
      producers ??= []
      producers.push(producerAt(header, start, offsetCount, lastDelta, timestamp))
    }
    if (batchBytes > largestBytes) largestBytes = batchBytes
    offsetCount += lastDelta + 1
    remaining -= batchBytes
    at += batchBytes
    while (index < buffers.length && at >= buffers[index].length) at -= buffers[index++].length
  } while (remaining > 0)
  return { sizeBytes, largestBytes, firstOffset, offsetCount, maxTimestamp, producers }
}

function producerAt(
  header: Uint8Array,
  start: number,
  firstOffset: number,
  lastDelta: number,
  timestamp: number,
): ProducerBatch {
  const attributes = readInt16(header, start + headerAt.attributes)
  const firstSequence = readInt32(header, start + headerAt.baseSequence)
  return {
    producerId: readInt64(header, start + headerAt.producerId),
    producerEpoch: readInt16(header, start + headerAt.producerEpoch),
    firstSequence,
    lastSequence: firstSequence < 0 ? -1 : sequenceAfter(firstSequence, lastDelta),
    firstOffset,
    lastOffset: firstOffset + lastDelta,
    timestamp,
    transactional: (attributes & attributeBits.transactional) !== 0,
    control: (attributes & attributeBits.control) !== 0,
  }
}

/** A header that crosses buffers, copied together. */
function gather(buffers: readonly Uint8Array[], index: number, at: number): void {
  let filled = 0
  while (filled < batchOverheadBytes) {
    const part = buffers[index].subarray(at, at + batchOverheadBytes - filled)
    scratch.set(part, filled)
    filled += part.length
    index++
    at = 0
  }
}
