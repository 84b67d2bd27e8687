import { SeglogError } from '../errors/seglog-error.js'
import type { ProducerSnapshotEntry } from './producer-snapshot.js'

/** What a batch says about its producer. */
export interface ProducerBatch {
  producerId: number
  producerEpoch: number
  /** -1 in control batches. */
  firstSequence: number
  lastSequence: number
  firstOffset: number
  lastOffset: number
  timestamp: number
  transactional: boolean
  control: boolean
}

interface RememberedBatch {
  firstSequence: number
  lastSequence: number
  firstOffset: number
  lastOffset: number
  timestamp: number
}

interface ProducerEntry {
  producerEpoch: number
  coordinatorEpoch: number
  currentTxnFirstOffset: number
  lastTimestamp: number
  /** Oldest first, at most `dedupeWindow`. */
  batches: RememberedBatch[]
}

/** How many batches of a producer are remembered: as many as Kafka lets an idempotent producer have in flight. */
export const dedupeWindow = 5
const sequenceMax = 0x7fffffff

/** The sequence number `count` after `sequence`; 0 follows 2^31-1. */
export function sequenceAfter(sequence: number, count: number): number {
  return sequence > sequenceMax - count ? count - (sequenceMax - sequence) - 1 : sequence + count
}

function sequenceBefore(sequence: number, count: number): number {
  return sequence < count ? sequenceMax - (count - sequence) + 1 : sequence - count
}

/**
 * What one log knows of its idempotent producers: the last epoch of each and its last five batches, so that a batch sent
 * twice is stored once. `check` before the append, `apply` after it, in log order.
 */
export class ProducerStates {
  readonly #producers = new Map<number, ProducerEntry>()

  constructor(snapshot: readonly ProducerSnapshotEntry[] = []) {
    for (const entry of snapshot) {
      const batches: RememberedBatch[] =
        entry.lastSequence < 0
          ? []
          : [
              {
                firstSequence: sequenceBefore(entry.lastSequence, entry.offsetDelta),
                lastSequence: entry.lastSequence,
                firstOffset: entry.lastOffset - entry.offsetDelta,
                lastOffset: entry.lastOffset,
                timestamp: entry.timestamp,
              },
            ]
      this.#producers.set(entry.producerId, {
        producerEpoch: entry.producerEpoch,
        coordinatorEpoch: entry.coordinatorEpoch,
        currentTxnFirstOffset: entry.currentTxnFirstOffset,
        lastTimestamp: entry.timestamp,
        batches,
      })
    }
  }

  get size(): number {
    return this.#producers.size
  }

  /**
   * Judges a client's batch that is about to be appended. Returns where it already lies if it is a retry, null if it may
   * be appended. Throws INVALID_PRODUCER_EPOCH for an older epoch, OUT_OF_ORDER_SEQUENCE_NUMBER for a gap. A producer
   * without any state may begin anywhere: its records may have been deleted by retention.
   */
  check(batch: ProducerBatch): { baseOffset: number; lastOffset: number; timestamp: number } | null {
    const known = this.#producers.get(batch.producerId)
    if (known === undefined || batch.control) return null
    if (batch.producerEpoch < known.producerEpoch) {
      throw new SeglogError(
        'INVALID_PRODUCER_EPOCH',
        `producer ${batch.producerId} sent epoch ${batch.producerEpoch}, its newest is ${known.producerEpoch}; ` +
          'another instance has taken over, or the producer must be initialized again',
      )
    }
    if (batch.producerEpoch > known.producerEpoch) {
      if (batch.firstSequence !== 0) throw outOfOrder(batch, 0)
      return null
    }
    for (const old of known.batches) {
      if (old.firstSequence === batch.firstSequence && old.lastSequence === batch.lastSequence) {
        return { baseOffset: old.firstOffset, lastOffset: old.lastOffset, timestamp: old.timestamp }
      }
    }
    const last = known.batches.at(-1)
    const expected = last === undefined ? 0 : sequenceAfter(last.lastSequence, 1)
    if (batch.firstSequence !== expected) throw outOfOrder(batch, expected)
    return null
  }

  /** Notes a batch that is in the log. */
  apply(batch: ProducerBatch): void {
    let entry = this.#producers.get(batch.producerId)
    if (entry === undefined) {
      entry = {
        producerEpoch: batch.producerEpoch,
        coordinatorEpoch: -1,
        currentTxnFirstOffset: -1,
        lastTimestamp: -1,
        batches: [],
      }
      this.#producers.set(batch.producerId, entry)
    }
    if (batch.producerEpoch !== entry.producerEpoch) {
      entry.producerEpoch = batch.producerEpoch
      entry.batches = []
    }
    entry.lastTimestamp = batch.timestamp
    if (batch.control) {
      entry.currentTxnFirstOffset = -1
      return
    }
    if (batch.transactional && entry.currentTxnFirstOffset < 0) entry.currentTxnFirstOffset = batch.firstOffset
    const { firstSequence, lastSequence, firstOffset, lastOffset, timestamp } = batch
    if (firstSequence < 0) return
    entry.batches.push({ firstSequence, lastSequence, firstOffset, lastOffset, timestamp })
    if (entry.batches.length > dedupeWindow) entry.batches.shift()
  }

  /** Forgets producers silent since before `now - expirationMs`, except in an open transaction. Returns how many. */
  expire(now: number, expirationMs: number): number {
    let count = 0
    for (const [id, entry] of this.#producers) {
      if (entry.currentTxnFirstOffset < 0 && now - entry.lastTimestamp >= expirationMs && this.#producers.delete(id))
        count++
    }
    return count
  }

  /** What a `.snapshot` file keeps: of each producer the last batch. */
  snapshot(): ProducerSnapshotEntry[] {
    return [...this.#producers].map(([producerId, entry]) => {
      const last = entry.batches.at(-1)
      return {
        producerId,
        producerEpoch: entry.producerEpoch,
        lastSequence: last?.lastSequence ?? -1,
        lastOffset: last?.lastOffset ?? -1,
        offsetDelta: last === undefined ? 0 : last.lastOffset - last.firstOffset,
        timestamp: entry.lastTimestamp,
        coordinatorEpoch: entry.coordinatorEpoch,
        currentTxnFirstOffset: entry.currentTxnFirstOffset,
      }
    })
  }
}

function outOfOrder(batch: ProducerBatch, expected: number): SeglogError {
  return new SeglogError(
    'OUT_OF_ORDER_SEQUENCE_NUMBER',
    `producer ${batch.producerId} (epoch ${batch.producerEpoch}) sent sequence ${batch.firstSequence}, expected ` +
      `${expected}; a batch before it was lost or was not sent`,
  )
}
