import { SeglogError } from '../errors/seglog-error.js'
import { batchLengthEnd, batchOverheadBytes, headerAt, readInt64 } from '../records/batch-header.js'
import type { Crc32c } from '../records/message.js'
import type { RecordBatch } from '../records/record-batch.js'
import { RecordBatchReader } from '../records/record-batch-reader.js'
import type { AssignedPartition } from './assigned-partition.js'
import { ConsumerBatch } from './consumer-batch.js'
import type { ReadOptions } from './consumer-options.js'
import type { Fetcher } from './fetcher.js'
import { asSeglogError } from './settle-errors.js'
import { turnWatch } from './turn-watch.js'

/** A batch that was reached, and the partition and generation it is good for. */
export interface FedBatch {
  readonly partition: AssignedPartition
  readonly generation: number
  readonly batch: ConsumerBatch
  readonly leaderEpoch: number
  /** Offset after it. */
  readonly nextOffset: number
}

/** What is being read at the moment. */
interface Reading {
  readonly partition: AssignedPartition
  readonly generation: number
  readonly reader: RecordBatchReader
  /** Given so far. */
  batches: number
}

/**
 * Turns what was fetched into batches that can be read: one after the other, checked, inflated, none twice. Several
 * feeds may share a fetcher: each reads a partition to the end of what was fetched before another may go on with it.
 */
export class BatchFeed {
  private current: Reading | null = null
  /** What the next batch waits for: that it is inflated, or a turn of the event loop. */
  private delay: Promise<void> | null = null
  private inflated: RecordBatch | null = null

  constructor(
    private readonly fetcher: Fetcher,
    private readonly options: ReadOptions,
    private readonly crc32c: Crc32c,
  ) {}

  /**
   * The next batch, or null if it has to be waited for (see `wait`). The partition's position is the caller's business;
   * its fetch offset is moved here. Throws the error of a partition that has one, once.
   */
  next(): FedBatch | null {
    if (turnWatch.isLong) this.delay ??= this.nextTurn()
    if (this.delay !== null) return null
    for (;;) {
      const current = this.current ?? this.begin()
      if (current === null) return null
      const { partition } = current
      const isVoid = partition.generation !== current.generation
      if (partition.isHalted && !isVoid) partition.restart()
      const batch = isVoid || partition.isHalted ? null : (this.inflated ?? this.read(current))
      if (batch === null) this.end()
      else if (batch.isDeflated) {
        this.inflate(current, batch)
        return null
      } else {
        this.inflated = null
        return this.fed(current, batch)
      }
    }
  }

  /** Resolves when `next` should be asked again. */
  wait(): Promise<void> {
    return this.delay ?? this.fetcher.wait()
  }

  /** Leaves what it has begun to other feeds, from the partition's position on. */
  release(): void {
    const { current } = this
    if (current === null) return
    if (current.partition.generation === current.generation) current.partition.restart()
    this.end()
  }

  private begin(): Reading | null {
    for (;;) {
      let partition = this.takeReady()
      if (partition === null) {
        this.fetcher.takeNow()
        partition = this.takeReady()
      }
      if (partition === null) return null
      const { error, fetched, generation } = partition
      if (error !== null) {
        partition.error = null
        throw error
      }
      // A partition may stand in the line and have been moved since.
      if (fetched === null) continue
      partition.fetched = null
      partition.reader = this
      advance(partition, fetched)
      this.current = {
        partition,
        generation,
        reader: new RecordBatchReader(fetched, { allowCutTail: true }),
        batches: 0,
      }
      return this.current
    }
  }

  /** The first that no other feed is reading. */
  private takeReady(): AssignedPartition | null {
    const { ready } = this.fetcher
    for (let index = 0; index < ready.length; index++) {
      const partition = ready[index]
      if (partition.reader !== null) continue
      ready.splice(index, 1)
      return partition
    }
    return null
  }

  private end(): void {
    const { partition } = this.current!
    this.current = null
    this.inflated = null
    partition.reader = null
  }

  /** The next batch with records to give; damage is the error of its partition, at this place every time. */
  private read({ partition, reader }: Reading): RecordBatch | null {
    for (;;) {
      const batch = reader.next()
      if (batch === null) return null
      const { header } = batch
      if (header.lastOffset < partition.position) continue
      if (this.options.checkCrcs && !batch.crcMatches(this.crc32c)) {
        this.end()
        partition.restart()
        throw corrupt(partition, header.baseOffset)
      }
      if (!header.isControl && header.recordCount > 0) return batch
      partition.position = header.lastOffset + 1
    }
  }

  private fed(current: Reading, batch: RecordBatch): FedBatch {
    const { partition, generation } = current
    // The first batch of a fetch may be all that is wanted; who asks for the second will want what follows.
    if (current.batches++ === 1 && this.fetcher.ready.length === 0) this.fetcher.prefetch()
    const fed = new ConsumerBatch(partition.topic, partition.partition, batch, partition.position)
    const { lastOffset, leaderEpoch } = batch.header
    return { partition, generation, batch: fed, leaderEpoch, nextOffset: lastOffset + 1 }
  }

  private inflate({ partition, generation }: Reading, batch: RecordBatch): void {
    const inflated = () => {
      this.inflated = batch
    }
    const failed = (error: unknown) => {
      this.end()
      if (partition.generation !== generation) return
      partition.restart()
      this.fetcher.give(partition, asSeglogError(error))
    }
    this.delay = batch.inflate(this.options.maxDecompressedBytes).then(inflated, failed).then(this.endDelay)
  }

  private async nextTurn(): Promise<void> {
    await new Promise<void>((resolve) => turnWatch.defer(resolve))
    this.endDelay()
  }

  private readonly endDelay = (): void => {
    this.delay = null
  }
}

/** The next fetch begins behind the last whole batch of this one. */
function advance(partition: AssignedPartition, fetched: Buffer): void {
  let end = partition.fetchOffset
  for (let at = 0; fetched.length - at >= batchOverheadBytes; ) {
    const next = at + fetched.readInt32BE(at + headerAt.batchLength) + batchLengthEnd
    if (next < at + batchOverheadBytes || next > fetched.length) break
    end = readInt64(fetched, at + headerAt.baseOffset) + fetched.readInt32BE(at + headerAt.lastOffsetDelta) + 1
    partition.fetchEpoch = fetched.readInt32BE(at + headerAt.leaderEpoch)
    at = next
  }
  partition.fetchOffset = Math.max(end, partition.fetchOffset)
}

function corrupt({ topic, partition }: AssignedPartition, baseOffset: number): SeglogError {
  const message =
    `the batch at offset ${baseOffset} of ${topic}-${partition} does not match its checksum: ` +
    'see `seglog log verify`, or seek past it'
  return new SeglogError('CORRUPT_BATCH', message, { topic, partition, offset: BigInt(baseOffset) })
}
