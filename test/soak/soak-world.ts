import { Allowance } from './allowance.js'
import type { RawConnection } from './raw-connection.js'
import type { SoakTopic } from './soak-topic.js'

/** Answers that are under way to all connections at a time: what this process holds of them. */
const answerBytes = 384 << 20
/** Likewise of batches: far below queued.max.request.bytes, so that nobody has to wait for memory. */
const batchBytes = 96 << 20
/** What one round may add to the disk. */
const roundBytes = 1536 << 20
const faultsMax = 20

/** What all connections of the soak share. */
export class SoakWorld {
  topics: SoakTopic[] = []
  /** No new connections are made, and those that are there come to their end. */
  isEnding = false
  readonly faults: string[] = []
  readonly counts = new Map<string, number>()
  readonly answers = new Allowance(answerBytes)
  private readonly batches = new Allowance(batchBytes)
  /** Bytes that went over all connections, both ways. */
  movedBytes = 0
  connections = 0
  private roundLeftBytes = roundBytes
  private incarnations = 0

  constructor(readonly port: number) {}

  nextIncarnation(): number {
    this.incarnations += 1
    return this.incarnations
  }

  beginRound(): void {
    this.isEnding = false
    this.roundLeftBytes = roundBytes
  }

  /** False, and nothing taken, where batches of so many bytes are too much, for now or for this round. */
  takeBatches(bytes: number): boolean {
    if (this.roundLeftBytes < bytes || !this.batches.take(bytes)) return false
    this.roundLeftBytes -= bytes
    return true
  }

  /** They are answered. */
  giveBatches(bytes: number): void {
    this.batches.give(bytes)
  }

  count(what: string, number = 1): void {
    this.counts.set(what, (this.counts.get(what) ?? 0) + number)
  }

  /** Something is not as it must be: the soak ends. */
  fail(what: string): void {
    this.isEnding = true
    if (this.faults.length < faultsMax) this.faults.push(what)
  }

  /** A connection is over. */
  left(connection: RawConnection): void {
    this.connections += 1
    this.movedBytes += connection.receivedBytes + connection.sentBytes
  }
}
