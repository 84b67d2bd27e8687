import { SeglogError } from '../errors/seglog-error.js'
import type { Log } from '../log/log.js'
import type { LogConfig } from '../log/log-config.js'
import { protocolError } from '../protocol/errors.js'

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

/**
 * The log of a partition that nobody wrote to before its directory was opened read-only: it has no folder, and must not
 * get one. Empty for readers; writing answers READ_ONLY.
 */
export function unwrittenLog(topic: string, partition: number, config: LogConfig, directory: string): PartitionLog {
  const refuse = () => {
    const message = `${directory} is open read-only; open it without readOnly to write`
    return Promise.reject(new SeglogError('READ_ONLY', message, { topic, partition, path: directory }))
  }
  const nothing = (offset: number) => {
    if (offset === 0) return Buffer.alloc(0)
    const message = `offset ${offset} of ${topic}-${partition} is outside its log, which is empty; seek to 0`
    throw protocolError('OFFSET_OUT_OF_RANGE', message, { topic, partition, offset: BigInt(offset) })
  }
  return {
    topic,
    partition,
    config,
    logStartOffset: 0,
    logEndOffset: 0,
    durableOffset: 0,
    leaderEpoch: -1,
    size: 0,
    highWatermark: 0,
    onAppend: null,
    append: refuse,
    flush: refuse,
    deleteRecordsBefore: refuse,
    read: (offset) => ({ batches: nothing(offset), nextOffset: 0 }),
    readStored: nothing,
    offsetForTimestamp: async () => null,
    maxTimestamp: async () => null,
    endOffsetForEpoch: () => null,
    producers: async () => [],
    updateConfig: () => {},
  }
}
