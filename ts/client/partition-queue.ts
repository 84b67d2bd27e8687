import type { Message } from '../records/message.js'
import type { PendingSend } from './pending-send.js'
import type { ProduceBatch } from './produce-batch.js'

/** What a partition's queue needs of its producer. */
export interface BatchRoad {
  /** A new batch for this queue, which the producer will let leave when its time has come. */
  begin(queue: PartitionQueue, acks: number): ProduceBatch
  /** Makes a full batch ready; unless that is done at once, `departReady` of its queue is called when it is. */
  prepare(batch: ProduceBatch): void
  /** Sends a batch that is ready. */
  depart(batch: ProduceBatch): void
}

/**
 * One partition as a producer sees it: the batch that is being filled and those that are being made ready. Batches
 * leave in the order they were filled, whichever is ready first.
 */
export class PartitionQueue {
  /** The batch being filled. */
  open: ProduceBatch | null = null
  private readonly preparing: ProduceBatch[] = []

  constructor(
    readonly topic: string,
    readonly partition: number,
    private readonly road: BatchRoad,
  ) {}

  /** Puts a record into the open batch; true if that made a full batch leave. */
  append(send: PendingSend, message: Message, now: number): boolean {
    if (this.open !== null && this.open.acks !== send.acks) this.seal()
    this.open ??= this.road.begin(this, send.acks)
    if (this.open.append(send, message, now)) return false
    this.seal()
    this.open = this.road.begin(this, send.acks)
    this.open.append(send, message, now)
    return true
  }

  /** Puts messages[from..to) into the open batch, which leaves if they do not all fit; returns the index after the last. */
  appendAll(send: PendingSend, messages: readonly Message[], from: number, to: number, now: number): number {
    if (this.open !== null && this.open.acks !== send.acks) this.seal()
    this.open ??= this.road.begin(this, send.acks)
    const next = this.open.appendAll(send, messages, from, to, now)
    if (next < to) this.seal()
    return next
  }

  /** Lets the open batch leave, if there is one. */
  seal(): void {
    const batch = this.open
    this.open = null
    if (batch === null || batch.count === 0) return
    this.road.prepare(batch)
    if (this.preparing.length === 0 && isReady(batch)) this.road.depart(batch)
    else this.preparing.push(batch)
  }

  /** Batches that were split off one that had left: they go before all others. */
  rejoin(batches: readonly ProduceBatch[]): void {
    this.preparing.unshift(...batches)
    this.departReady()
  }

  /** Lets every batch leave that is ready and has none before it. */
  departReady(): void {
    const { preparing } = this
    while (preparing.length > 0 && isReady(preparing[0])) this.road.depart(preparing.shift()!)
  }
}

function isReady(batch: ProduceBatch): boolean {
  return batch.bytes !== null || batch.failure !== null
}
