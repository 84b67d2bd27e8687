import type { AppendInfo } from '../../log/log-types.js'
import { isPromise, type MaybePromise } from '../../log/maybe-promise.js'
import { ownBatches, type Partition } from '../partition.js'
import type { AnyGroup } from './any-group.js'
import type { LogRecordBytes } from './group-records.js'
import type { PendingOffsets } from './pending-offsets.js'
import { recordBatches } from './record-batches.js'
import { Turns } from './turns.js'

/** The log under the groups of one partition of `__consumer_offsets`; opened when it is first needed. */
export type OpenPartition = () => MaybePromise<Partition>

/**
 * The groups of one partition of `__consumer_offsets`, and the way their records are written: what a record says takes
 * effect in memory when it is in the log, and in the log's order.
 */
export class GroupPartition {
  readonly index: number
  readonly groups = new Map<string, AnyGroup>()
  /** For what is decided and then written of a group of the consumer protocol. */
  readonly turns = new Turns()
  /** Offsets that transactions committed and that no marker has decided. */
  readonly pending: PendingOffsets
  readonly #open: OpenPartition
  /** Settles when everything written so far has taken effect; null when it has. Never rejects. */
  #writing: Promise<void> | null = null

  constructor(index: number, open: OpenPartition, pending: PendingOffsets) {
    this.index = index
    this.#open = open
    this.pending = pending
  }

  /**
   * Appends records and then calls `apply` with the first one's offset; at once where the log takes them at once. In the
   * page cache, as acks=1 promises. Throws or rejects as Partition.append; then nothing was written.
   */
  write(
    records: readonly LogRecordBytes[],
    timestamp: number,
    apply: (baseOffset: number) => void,
  ): MaybePromise<void> {
    const appended = this.#append(records, timestamp)
    if (!isPromise(appended) && this.#writing === null) return apply(appended.baseOffset)
    const before = this.#writing
    const done = (async () => {
      try {
        const { baseOffset } = await appended
        await before
        apply(baseOffset)
      } finally {
        await before
      }
    })()
    const settled: Promise<void> = done
      .catch(() => {})
      .then(() => {
        if (this.#writing === settled) this.#writing = null
      })
    this.#writing = settled
    return done
  }

  /** Everything written before has taken effect. */
  async settled(): Promise<void> {
    while (this.#writing !== null) await this.#writing
  }

  #append(records: readonly LogRecordBytes[], timestamp: number): MaybePromise<AppendInfo> {
    const append = (partition: Partition) => {
      const batches = recordBatches(records, timestamp, partition.log.config.maxMessageBytes)
      return partition.append(batches, 1, ownBatches)
    }
    const partition = this.#open()
    // Chained on this very promise, so that appends keep the order in which they were asked for.
    return isPromise(partition) ? partition.then(append) : append(partition)
  }
}
