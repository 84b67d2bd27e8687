/** A connection as the budget sees it. */
export interface BudgetReader {
  /** Bytes that came over it; only grows. */
  readonly receivedBytes: number
  /** May be read from again. */
  resumeReading(): void
}

/** What one read of a socket brings at most. */
const chunkBytes = 64 * 1024

/**
 * Memory for requests, over all connections: bytes count from when they come until their request is answered. While the
 * budget is used up, connections that hold a part of a request are read from only one at a time, the favoured one, until
 * its request is answered: they must get through, or nothing would ever be given back. So memory stays below the limit,
 * one largest request, and one chunk of each connection (of native ones, what one delivery brings: 4 MiB together). One that holds a part and does not bring the rest while others
 * wait is in their way, and is closed: see `Connection.tick`. One that holds nothing is always read from.
 */
export class RequestBudget {
  #limitBytes: number
  #usedBytes = 0
  /** In the order in which they began to wait. */
  readonly #waiting = new Set<BudgetReader>()
  #favoured: BudgetReader | null = null
  #favouredBytes = 0

  constructor(limitBytes: number) {
    this.#limitBytes = limitBytes
  }

  get usedBytes(): number {
    return this.#usedBytes
  }

  /** Some wait until there is room again. */
  get isShort(): boolean {
    return this.#waiting.size > 0
  }

  take(bytes: number): void {
    this.#usedBytes += bytes
  }

  give(bytes: number): void {
    this.#usedBytes -= bytes
    this.#resume()
  }

  /** True if nothing is to be read for now: `resumeReading` says when. */
  mustWait(reader: BudgetReader): boolean {
    if (this.#usedBytes < this.#limitBytes || this.#favoured === reader) return false
    if (this.#favoured === null) {
      this.#favour(reader)
      return false
    }
    this.#waiting.add(reader)
    return true
  }

  /** A request of its was answered. */
  done(reader: BudgetReader): void {
    if (this.#favoured === reader) this.#favourNext()
  }

  /** It is read from no more. */
  leave(reader: BudgetReader): void {
    this.#waiting.delete(reader)
    this.done(reader)
  }

  /**
   * To be called about once a second. Those go on for whom there is room, and a favoured connection that brings little
   * gives way.
   */
  tick(): void {
    this.#resume()
    const reader = this.#favoured
    if (reader === null) return
    const isSlow = reader.receivedBytes - this.#favouredBytes < chunkBytes / 4
    this.#favouredBytes = reader.receivedBytes
    if (isSlow && this.#waiting.size > 0) this.#favourNext()
  }

  #resume(): void {
    let room = this.#limitBytes - this.#usedBytes
    for (const reader of this.#waiting) {
      if (room <= 0) return
      room -= chunkBytes
      this.#waiting.delete(reader)
      reader.resumeReading()
    }
  }

  #favourNext(): void {
    this.#favoured = null
    const [next] = this.#waiting
    if (next === undefined || this.#usedBytes < this.#limitBytes) return
    this.#waiting.delete(next)
    this.#favour(next)
    next.resumeReading()
  }

  #favour(reader: BudgetReader): void {
    this.#favoured = reader
    this.#favouredBytes = reader.receivedBytes
  }
}
