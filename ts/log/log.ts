import type { LogConfig } from './log-config.js'
import type { AppendInfo, LogAppendOptions, LogRead, SegmentInfo, TimestampOffset } from './log-types.js'
import type { MaybePromise } from './maybe-promise.js'

export declare class Log {
  readonly topic: string
  readonly partition: number
  /** 32 hex digits. */
  readonly topicId: string
  /** The partition's folder. */
  readonly folder: string
  readonly config: LogConfig
  /** First offset a reader may ask for. */
  readonly logStartOffset: number
  /** Offset of the next record. */
  readonly logEndOffset: number
  /** Everything before it is on disk. */
  readonly durableOffset: number
  readonly leaderEpoch: number
  /** Bytes of all segments' records. */
  readonly size: number
  readonly segments: readonly SegmentInfo[]
  /** Kept for the checkpoint and for readers in other processes; starts at the checkpoint's value, at most the end. */
  highWatermark: number
  /** Called after each append became visible (synchronously, before append's caller has its answer). */
  onAppend: (() => void) | null

  /**
   * Appends whole batches. A value at once if the mapped lane took them (the buffers may be reused), else a promise (the
   * buffers must not change until it settles). Batches with a producer id are checked: OUT_OF_ORDER_SEQUENCE_NUMBER,
   * INVALID_PRODUCER_EPOCH, or `duplicate`. Also MESSAGE_TOO_LARGE, RECORD_LIST_TOO_LARGE, INVALID_BATCH, CORRUPT_BATCH,
   * NO_SPACE, DIRECTORY_OFFLINE, READ_ONLY, CLOSED.
   */
  append(buffers: Uint8Array | readonly Uint8Array[], options: LogAppendOptions): MaybePromise<AppendInfo>
  /** Resolves when everything appended before is on disk. */
  flush(): Promise<void>
  /**
   * Batches from the one that holds `offset`, at most about maxBytes but always one whole batch, none that reaches past
   * upToOffset (default: the end). Empty at the end. OFFSET_OUT_OF_RANGE below the start or above the end.
   */
  read(offset: number, maxBytes: number, upToOffset?: number): MaybePromise<LogRead>
  /** First record with a timestamp at or after the given one; null if there is none. */
  offsetForTimestamp(timestamp: number): Promise<TimestampOffset | null>
  /** The record with the largest timestamp; null while empty. */
  maxTimestamp(): Promise<TimestampOffset | null>
  /** Kafka's answer to OffsetForLeaderEpoch: the end of the largest known epoch not above this one; null if unknown. */
  endOffsetForEpoch(epoch: number): { epoch: number; endOffset: number } | null
  /** A new leader epoch begins at the end of the log; on disk when it resolves. */
  raiseLeaderEpoch(epoch: number): Promise<void>
  /** Cuts everything from `offset` on. */
  truncateTo(offset: number): Promise<void>
  /** Raises the log start; segments wholly below it are removed. Answers the new log start. */
  deleteRecordsBefore(offset: number): Promise<number>
  /** Begins a new segment unless the active one is empty. */
  roll(): Promise<void>
  updateConfig(config: LogConfig): void
  /** Seals and flushes. Idempotent. */
  close(): Promise<void>
}
