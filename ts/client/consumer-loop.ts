import { SeglogError } from '../errors/seglog-error.js'
import type { RecordCursor } from '../records/record-cursor.js'
import type { BatchFeed, FedBatch } from './batch-feed.js'
import type { ConsumerBatch } from './consumer-batch.js'
import type { ConsumerHands, Hand, InHand } from './consumer-hands.js'
import { ConsumerMessage } from './consumer-message.js'

/** What a loop needs of its consumer. */
export interface LoopHost {
  readonly feed: BatchFeed
  readonly hands: ConsumerHands
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
abstract class ConsumerLoop<T> implements AsyncIterableIterator<T, undefined>, Hand {
  protected fed: FedBatch | null = null
  private isOver = false
  /** The call of `next` that waits. */
  private waiting: Promise<IteratorResult<T, undefined>> | null = null

  constructor(protected readonly host: LoopHost) {}

  abstract get inHand(): InHand | null
  /** Counts what is in hand as consumed, though the next is not asked for. */
  abstract consume(): void
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
      throw busyError()
    }
    host.throwIfAborted()
    if (host.isStopped && host.loop === null)
      throw new SeglogError('CLOSED', 'this consumer is closed: make another by log.consumer()')
    if (host.isStopped) {
      // Asking for the next says that the one in hand is done with, even if there is no next.
      this.consume()
      this.leave()
      return null
    }
    host.loop = this
    host.hands.enter(this)
    return this.take()
  }

  /** What was in hand is no more: whoever waits for its partition may go on. */
  protected putDown(): void {
    const { fed } = this
    this.fed = null
    if (fed?.partition.isHalted) this.host.hands.changed()
  }

  private leave(): void {
    this.isOver = true
    this.fed = null
    if (this.host.loop === this) this.host.loop = null
    this.host.hands.leave(this)
  }
}

/** One record after the other. */
export class MessageLoop extends ConsumerLoop<ConsumerMessage> {
  private cursor: RecordCursor | null = null

  get inHand(): InHand | null {
    const { fed, cursor } = this
    return fed === null || cursor === null ? null : { partition: fed.partition, offset: cursor.offset }
  }

  consume(): void {
    const { fed, cursor } = this
    if (fed === null || cursor === null || fed.partition.generation !== fed.generation) return
    fed.partition.position = cursor.offset + 1
    fed.partition.positionEpoch = fed.leaderEpoch
  }

  protected take(): ConsumerMessage | null {
    const { fed, cursor } = this
    if (fed !== null && cursor !== null) {
      const { partition } = fed
      if (partition.generation === fed.generation) {
        partition.positionEpoch = fed.leaderEpoch
        if (partition.isHalted) {
          partition.position = cursor.offset + 1
          partition.restart()
        } else if (cursor.next()) return this.hand(fed, cursor)
        else partition.position = fed.nextOffset
      }
      this.putDown()
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
  get inHand(): InHand | null {
    const { fed } = this
    return fed === null ? null : { partition: fed.partition, offset: Number(fed.batch.baseOffset) }
  }

  consume(): void {
    const { fed } = this
    if (fed === null || fed.partition.generation !== fed.generation) return
    fed.partition.position = fed.nextOffset
    fed.partition.positionEpoch = fed.leaderEpoch
  }

  protected take(): ConsumerBatch | null {
    this.consume()
    this.putDown()
    this.fed = this.host.feed.next()
    return this.fed?.batch ?? null
  }
}

export function busyError(): SeglogError {
  return new SeglogError('CONSUMER_BUSY', 'another loop reads this consumer: end it first, or make a second consumer')
}
