import { SeglogError } from '../errors/seglog-error.js'
import type { AppendInfo, LogAppendOptions } from '../log/log-types.js'
import { isPromise, type MaybePromise } from '../log/maybe-promise.js'
import type { PartitionLog } from './partition-log.js'
import type { WaitingFetch, Watched } from './waiting-fetches.js'

/** What a produce asks to have happened before it is answered. 0 and 1: in the page cache. -1: on disk. */
export type Acks = 0 | 1 | -1

/**
 * One partition led by this broker: its log, how far readers may see, and the fetches that wait for more. On one node
 * the high watermark is the end of the log.
 */
export class Partition implements Watched {
  readonly waiting = new Set<WaitingFetch>()
  appendedBytes = 0
  closed = false
  #log: PartitionLog
  /** Makes the log of a partition that nobody wrote to; null where there is one. */
  #make: (() => Promise<PartitionLog>) | null
  #making: Promise<void> | null = null
  #turn: Promise<void> | null = null

  /** With `make`, `log` only stands for the one that `make` opens before the first append. */
  constructor(log: PartitionLog, make: (() => Promise<PartitionLog>) | null = null) {
    this.#log = log
    this.#make = make
    this.#begin()
  }

  /** Another one once a partition that nobody wrote to is written to: not to be kept across an append. */
  get log(): PartitionLog {
    return this.#log
  }

  get highWatermark(): number {
    return this.log.highWatermark
  }

  /** Without transactions every record below the high watermark is decided. */
  get lastStableOffset(): number {
    return this.log.highWatermark
  }

  /**
   * Appends batches; answers at once where the log does and nothing has to reach the disk. With acks -1 the answer
   * waits for the group commit, unless the topic has `write.caching`. Throws and rejects as Log.append and Log.flush.
   */
  append(buffers: Uint8Array | readonly Uint8Array[], acks: Acks, options: LogAppendOptions): MaybePromise<AppendInfo> {
    if (this.#make !== null) return this.#made(this.#make).then(() => this.append(buffers, acks, options))
    const appended = this.log.append(buffers, options)
    if (acks !== -1 || this.log.config.writeCaching) return appended
    return isPromise(appended) ? appended.then(this.#flushed) : this.#flushed(appended)
  }

  /**
   * Calls `append` with what `checked` becomes, after everything that was given here earlier: batches whose check takes
   * time keep the order in which they came.
   */
  async inTurn<T, R>(checked: MaybePromise<T>, append: (value: T) => MaybePromise<R>): Promise<R> {
    const earlier = this.#turn
    let end = (): void => {}
    const turn = new Promise<void>((resolve) => {
      end = resolve
    })
    this.#turn = turn
    let answer: MaybePromise<R>
    try {
      const value = await checked
      await earlier
      answer = append(value)
    } finally {
      // The log keeps the order from here on: the next one need not wait for the disk.
      if (this.#turn === turn) this.#turn = null
      end()
    }
    return answer
  }

  /** Nothing is waiting for its turn. */
  get idle(): boolean {
    return this.#turn === null
  }

  /** Wakes every waiting fetch: the partition goes away. */
  close(): void {
    this.closed = true
    for (const fetch of this.waiting) fetch.finish()
    this.log.onAppend = null
  }

  /** Appends that come meanwhile follow in their order. */
  #made(make: () => Promise<PartitionLog>): Promise<void> {
    if (this.closed) {
      const { topic, partition } = this.log
      return Promise.reject(new SeglogError('CLOSED', `${topic}-${partition} is gone`, { topic, partition }))
    }
    this.#making ??= make().then(
      (log) => {
        this.#log = log
        this.#make = null
        this.#begin()
      },
      (error) => {
        this.#making = null
        throw error
      },
    )
    return this.#making
  }

  #begin(): void {
    const { log } = this
    if (log.highWatermark !== log.logEndOffset) log.highWatermark = log.logEndOffset
    log.onAppend = this.closed ? null : this.#onAppend
  }

  readonly #onAppend = (bytes: number): void => {
    this.appendedBytes += bytes
    this.log.highWatermark = this.log.logEndOffset
    if (this.waiting.size > 0) for (const fetch of this.waiting) fetch.onAppend(bytes)
  }

  readonly #flushed = (info: AppendInfo): MaybePromise<AppendInfo> => {
    if (this.log.durableOffset > info.lastOffset) return info
    return this.log.flush().then(() => info)
  }
}

/** Of batches that this process made: their CRC is still to be computed, and nothing about their records is in doubt. */
export const ownBatches: LogAppendOptions = { crc: 'compute' }
