import type { RecordBatch } from '../records/record-batch.js'
import type { RecordCursor } from '../records/record-cursor.js'
import { ConsumerMessage } from './consumer-message.js'

/** Where the parts of one record lie in `bytes`; a length of -1 stands for null. Offset and timestamp are numbers. */
export type RecordView = (
  bytes: Buffer,
  valueStart: number,
  valueLength: number,
  keyStart: number,
  keyLength: number,
  offset: number,
  timestamp: number,
) => void

/**
 * Records of one partition that were written together, in order. Iterate it for messages, or use `forEachView` where
 * an object per record is too much. The records share the memory of a whole fetch.
 */
export class ConsumerBatch implements Iterable<ConsumerMessage> {
  private counted = -1

  /** Records before `firstOffset` are not part of it: a fetch begins with the batch that holds its offset. */
  constructor(
    readonly topic: string,
    readonly partition: number,
    private readonly batch: RecordBatch,
    private readonly firstOffset: number,
  ) {}

  /** Offset of the first record that was asked for. */
  get baseOffset(): bigint {
    return BigInt(Math.max(this.batch.header.baseOffset, this.firstOffset))
  }

  get lastOffset(): bigint {
    return BigInt(this.batch.header.lastOffset)
  }

  /** Milliseconds: the latest of the whole batch. */
  get maxTimestamp(): number {
    return this.batch.header.maxTimestamp
  }

  get leaderEpoch(): number {
    return this.batch.header.leaderEpoch
  }

  /** Bytes on disk of the whole batch. */
  get sizeBytes(): number {
    return this.batch.header.sizeBytes
  }

  /** Number of records. */
  get count(): number {
    if (this.batch.header.baseOffset >= this.firstOffset) return this.batch.header.recordCount
    if (this.counted < 0) {
      this.counted = 0
      this.forEachView(() => this.counted++)
    }
    return this.counted
  }

  /** Calls `visit` with the place of each record's parts; nothing is allocated per record. */
  forEachView(visit: RecordView): void {
    const cursor = this.batch.cursor()
    const { bytes } = cursor
    for (let has = this.skip(cursor); has; has = cursor.next()) {
      visit(
        bytes,
        cursor.valueStart,
        cursor.valueLength,
        cursor.keyStart,
        cursor.keyLength,
        cursor.offset,
        cursor.timestamp,
      )
    }
  }

  [Symbol.iterator](): Iterator<ConsumerMessage, undefined> {
    const { topic, partition } = this
    const cursor = this.batch.cursor()
    let begun = false
    return {
      next: () => {
        const has = begun ? cursor.next() : this.skip(cursor)
        begun = true
        if (!has) return { done: true, value: undefined }
        return { done: false, value: new ConsumerMessage(topic, partition, cursor) }
      },
    }
  }

  /** Stands at the first record that was asked for; false if there is none. */
  skip(cursor: RecordCursor): boolean {
    let has = cursor.next()
    while (has && cursor.offset < this.firstOffset) has = cursor.next()
    return has
  }

  /** Before the first record of the batch; `skip` comes next. */
  cursor(): RecordCursor {
    return this.batch.cursor()
  }
}
