import type { Log } from '../log/log.js'

/** What a partition asks of its log. */
export type PartitionLog = Pick<
  Log,
  | 'topic'
  | 'partition'
  | 'config'
  | 'logStartOffset'
  | 'logEndOffset'
  | 'durableOffset'
  | 'leaderEpoch'
  | 'size'
  | 'highWatermark'
  | 'onAppend'
  | 'append'
  | 'flush'
  | 'read'
  | 'readStored'
  | 'offsetForTimestamp'
  | 'maxTimestamp'
  | 'endOffsetForEpoch'
  | 'deleteRecordsBefore'
  | 'producers'
  | 'updateConfig'
>
