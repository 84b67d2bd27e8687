/**
 * What one log needs to know of its topic's configuration, already validated. Kafka's key names, defaults and checks are
 * the broker's; the defaults here are Kafka's, for callers without topics. All sizes in bytes, all times in milliseconds.
 */
export interface LogConfig {
  /** segment.bytes: a segment is rolled before an append would pass it. */
  readonly segmentBytes: number
  /** segment.ms: a segment is rolled when an append's timestamp is this much after the segment's first batch. */
  readonly segmentMs: number
  /** segment.jitter.ms: each segment takes a random part of this off segmentMs. */
  readonly segmentJitterMs: number
  /** segment.index.bytes: size at which the offset index is full. */
  readonly indexBytes: number
  /** index.interval.bytes: one index entry per this many bytes. */
  readonly indexIntervalBytes: number
  /** max.message.bytes: largest batch taken. */
  readonly maxMessageBytes: number
  /** message.timestamp.type. */
  readonly messageTimestampType: 'CreateTime' | 'LogAppendTime'
  readonly messageTimestampBeforeMaxMs: number
  readonly messageTimestampAfterMaxMs: number
  /** retention.ms, -1 for ever. */
  readonly retentionMs: number
  /** retention.bytes, -1 without limit. */
  readonly retentionBytes: number
  readonly cleanupPolicy: readonly ('delete' | 'compact')[]
  /** flush.messages: a flush is started after this many records; Infinity never. */
  readonly flushMessages: number
  /** write.caching: acks=all does not wait for the disk (the partition's business; kept here for its readers). */
  readonly writeCaching: boolean
  /** acks -1 is refused while fewer replicas are in sync. */
  readonly minInsyncReplicas: number
}

export const defaultLogConfig: LogConfig = {
  segmentBytes: 1024 ** 3,
  segmentMs: 7 * 24 * 3600 * 1000,
  segmentJitterMs: 0,
  indexBytes: 10 * 1024 * 1024,
  indexIntervalBytes: 4096,
  maxMessageBytes: 1_048_588,
  messageTimestampType: 'CreateTime',
  messageTimestampBeforeMaxMs: Number.POSITIVE_INFINITY,
  messageTimestampAfterMaxMs: 3_600_000,
  retentionMs: 7 * 24 * 3600 * 1000,
  retentionBytes: -1,
  cleanupPolicy: ['delete'],
  flushMessages: Number.POSITIVE_INFINITY,
  writeCaching: false,
  minInsyncReplicas: 1,
}
