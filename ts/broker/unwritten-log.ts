import { SeglogError } from '../errors/seglog-error.js'
import type { LogConfig } from '../log/log-config.js'
import { protocolError } from '../protocol/errors.js'
import type { PartitionLog } from './partition-log.js'

const noBytes = Buffer.alloc(0)
/** Of a log that is new. */
const firstEpoch = 0

/**
 * The log of a partition that nobody wrote to: it has no folder, and being read does not give it one. For readers it is as
 * a new log is. In a directory that is open read-only it cannot be written to either: READ_ONLY, and its leader epoch is
 * unknown; otherwise a `Partition` puts a log in its place before it writes.
 */
export class UnwrittenLog implements PartitionLog {
  readonly topic: string
  readonly partition: number
  config: LogConfig
  readonly logStartOffset = 0
  readonly logEndOffset = 0
  readonly durableOffset = 0
  readonly leaderEpoch: number
  readonly size = 0
  highWatermark = 0
  onAppend = null
  /** The directory where it is open read-only, null elsewhere. */
  readonly #readOnly: string | null

  constructor(topic: string, partition: number, config: LogConfig, readOnly: string | null) {
    this.topic = topic
    this.partition = partition
    this.config = config
    this.leaderEpoch = readOnly === null ? firstEpoch : -1
    this.#readOnly = readOnly
  }

  append(): Promise<never> {
    return this.#refuse()
  }

  flush(): Promise<void> {
    return this.#refuse()
  }

  /** There is nothing before offset 0, and nothing behind it. */
  deleteRecordsBefore(offset: number): Promise<number> {
    return this.#readOnly === null && offset === 0 ? Promise.resolve(0) : this.#refuse()
  }

  read(offset: number) {
    return { batches: this.readStored(offset), nextOffset: 0 }
  }

  readStored(offset: number): Buffer {
    if (offset === 0) return noBytes
    const { topic, partition } = this
    const message = `offset ${offset} of ${topic}-${partition} is outside its log, which is empty; seek to 0`
    throw protocolError('OFFSET_OUT_OF_RANGE', message, { topic, partition, offset: BigInt(offset) })
  }

  async offsetForTimestamp(): Promise<null> {
    return null
  }

  async maxTimestamp(): Promise<null> {
    return null
  }

  endOffsetForEpoch(epoch: number): { epoch: number; endOffset: number } | null {
    return epoch === this.leaderEpoch && epoch === firstEpoch ? { epoch, endOffset: 0 } : null
  }

  async producers(): Promise<never[]> {
    return []
  }

  updateConfig(config: LogConfig): void {
    this.config = config
  }

  #refuse(): Promise<never> {
    const { topic, partition } = this
    const path = this.#readOnly
    const detail = { topic, partition, path: path ?? undefined }
    if (path === null) return Promise.reject(new SeglogError('CLOSED', `${topic}-${partition} has no log`, detail))
    const message = `${path} is open read-only; open it without readOnly to write`
    return Promise.reject(new SeglogError('READ_ONLY', message, detail))
  }
}
