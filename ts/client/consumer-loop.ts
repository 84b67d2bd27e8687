import { SeglogError } from '../errors/seglog-error.js'
import type { RecordCursor } from '../records/record-cursor.js'
import type { BatchFeed, FedBatch } from './batch-feed.js'
import type { ConsumerBatch } from './consumer-batch.js'
import { ConsumerMessage } from './consumer-message.js'

/** What a loop needs of its consumer. */
export interface LoopHost {
  readonly feed: BatchFeed
  /** The loop that reads at the moment. */
  loop: object | null
  /** Closed or aborted: loops are to end. */
  readonly isStopped: boolean
  /** Throws what a stopped consumer has to say: ABORTED, or nothing if it was closed. */
  throwIfAborted(): void
  /** Resolves when there may be more. */
  wait(): Promise<void>
}

/**
 * A loop over what a consumer reads, made by hand: an async generator takes twice as long for each item. What is in the
 * loop's hand counts as consumed when the next one is asked for; a loop that is left early puts it back.
 */
abstract class ConsumerLoop<T> implements AsyncIterableIterator<T, undefined> {
  protected fed: FedBatch | null = null
  private isOver = false
  /** The call of `next` that waits. */
  private waiting: Promise<IteratorResult<T, undefined>> | null = null

  constructor(protected readonly host: LoopHost) {}

  /** The next item if it is here. */
  protected abstract take(): T | null

  next(): Promise<IteratorResult<T, undefined>> {
    if (this.waiting !== null) return this.waiting.then(() => this.next())
    try {
      const item = this.host.loop === this && !this.host.isStopped ? this.take() : this.enter()
      if (item !== null) return Promise.resolve({ done: false, value: item })
      if (this.isOver) return Promise.resolve({ done: true, value: undefined })
    } catch (error) {
      this.leave()
      return Promise.reject(error)
    }
    this.waiting = this.nextLater().finally(() => {
      this.waiting = null
    })
    return this.waiting
  }

  /** Ends the loop; what is in its hand is read again by the next one. */
  return(): Promise<IteratorResult<T, undefined>> {
    const { fed } = this
    if (fed !== null && fed.partition.generation === fed.generation) fed.partition.restart()
    this.leave()
    return Promise.resolve({ done: true, value: undefined })
  }

  [Symbol.asyncIterator](): this {
    return this
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.return().then(() => {})
  }

  private async nextLater(): Promise<IteratorResult<T, undefined>> {
    try {
      for (;;) {
        await this.host.wait()
        const item = this.isOver || this.host.isStopped ? this.enter() : this.take()
        if (item !== null) return { done: false, value: item }
        if (this.isOver) return { done: true, value: undefined }
      }
    } catch (error) {
      this.leave()
      throw error
    }
  }

  /** The first step, and every one that is not the common case. */
  private enter(): T | null {
    const { host } = this
    if (this.isOver) return null
    if (host.loop !== null && host.loop !== this) {
      const message = 'another loop reads this consumer: end it first, or make a second consumer'
      throw new SeglogError('CONSUMER_BUSY', message)
    }
    host.throwIfAborted()
    if (host.isStopped && host.loop === null)
      throw new SeglogError('CLOSED', 'this consumer is closed: make another by log.consumer()')
    if (host.isStopped) {
      this.leave()
      return null
    }
    host.loop = this
    return this.take()
  }

  private leave(): void {
    this.isOver = true
    this.fed = null
    if (this.host.loop === this) this.host.loop = null
  }
}

/** One record after the other. */
export class MessageLoop extends ConsumerLoop<ConsumerMessage> {
  private cursor: RecordCursor | null = null

  protected take(): ConsumerMessage | null {
    const { fed, cursor } = this
    if (fed !== null && cursor !== null) {
      const { partition } = fed
      if (partition.generation === fed.generation) {
        if (partition.paused) partition.moveTo(partition.position + 1)
        else if (cursor.next()) return this.hand(fed, cursor)
        else partition.position = fed.nextOffset
      }
      this.fed = null
    }
    for (let next = this.host.feed.next(); next !== null; next = this.host.feed.next()) {
      const first = next.batch.cursor()
      if (next.batch.skip(first)) {
        this.fed = next
        this.cursor = first
        return this.hand(next, first)
      }
      next.partition.position = next.nextOffset
    }
    return null
  }

  private hand(fed: FedBatch, cursor: RecordCursor): ConsumerMessage {
    const { partition } = fed
    partition.position = cursor.offset
    return new ConsumerMessage(partition.topic, partition.partition, cursor)
  }
}

/** One batch after the other. */
export class BatchLoop extends ConsumerLoop<ConsumerBatch> {
  protected take(): ConsumerBatch | null {
    const { fed } = this
    if (fed !== null && fed.partition.generation === fed.generation) fed.partition.position = fed.nextOffset
    this.fed = this.host.feed.next()
    return this.fed?.batch ?? null
  }
}
