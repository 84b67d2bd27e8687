import type { RecordRules } from '../native/engine.js'
import type { BatchSummary } from './batch-summary.js'

/** How an append is to be done. */
export interface LogAppendOptions {
  /** 'compute': batches made in this process come without a CRC. 'verify': batches from outside bring one. */
  crc: 'compute' | 'verify'
  /** Rules for the records of uncompressed batches from outside (INVALID_BATCH); omitted: they are not looked at. */
  records?: RecordRules | null
  /** What is to be known of the batches, where the caller has read their headers; never with `keepOffsets`. */
  summary?: BatchSummary
  /** Milliseconds to stamp as log append time; omitted: by `messageTimestampType` of the config. */
  appendTime?: number
  /** Omitted: the log's own. Never below it. */
  leaderEpoch?: number
  /** Keep the offsets in the batches (replication, import); they must not lie below the end. */
  keepOffsets?: boolean
}

export interface AppendInfo {
  baseOffset: number
  lastOffset: number
  /** Largest timestamp of the appended records, -1 if they have none. */
  maxTimestamp: number
  /** The append time stamped, or -1 where the records keep their create time. */
  logAppendTime: number
  /** An idempotent producer's retry: nothing was written, the offsets are those of the first time. */
  duplicate: boolean
}

export interface LogRead {
  /** Whole batches; the first may begin before the offset asked for. Empty if there is nothing below the limit. */
  batches: Buffer
  /** Where the next read begins: after the last batch, or the offset asked for if there is none. */
  nextOffset: number
}

export interface TimestampOffset {
  offset: number
  timestamp: number
  leaderEpoch: number
}

export interface SegmentInfo {
  baseOffset: number
  /** Offset after its last record (for a closed segment: the next one's base). */
  endOffset: number
  sizeBytes: number
  active: boolean
}
