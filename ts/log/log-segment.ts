import type { Segment } from '../native/engine.js'
import type { MaybePromise } from './maybe-promise.js'
import type { ClosedSegment } from './open-segments.js'

/** One segment of a log: the active one, open for as long as it is, or a sealed one that is opened on demand. */
export class LogSegment {
  readonly baseOffset: number
  /** Bytes of its batches; kept up to date by the log while active. */
  sizeBytes: number
  #active: Segment | null
  #closed: ClosedSegment | null
  #maxTimestamp: number | null = null

  private constructor(baseOffset: number, sizeBytes: number, active: Segment | null, closed: ClosedSegment | null) {
    this.baseOffset = baseOffset
    this.sizeBytes = sizeBytes
    this.#active = active
    this.#closed = closed
  }

  static active(segment: Segment): LogSegment {
    return new LogSegment(segment.baseOffset, segment.endPosition, segment, null)
  }

  static closed(baseOffset: number, sizeBytes: number, closed: ClosedSegment): LogSegment {
    return new LogSegment(baseOffset, sizeBytes, null, closed)
  }

  get isActive(): boolean {
    return this.#active !== null
  }

  /** Runs `work` on the open segment, which stays open until it is done. Throws CLOSED once removed. */
  use<T>(work: (segment: Segment) => MaybePromise<T>): MaybePromise<T> {
    return this.#active !== null ? work(this.#active) : this.#closed!.use(work)
  }

  /** The segment has been sealed: from now on the pool decides how long it stays open. */
  becomeClosed(closed: ClosedSegment): void {
    this.#maxTimestamp = this.#active!.maxTimestamp
    this.#active = null
    this.#closed = closed
  }

  /** Largest timestamp, -1 while empty. */
  maxTimestamp(): MaybePromise<number> {
    if (this.#active !== null) return this.#active.maxTimestamp
    if (this.#maxTimestamp !== null) return this.#maxTimestamp
    return this.#closed!.use((segment) => {
      this.#maxTimestamp = segment.maxTimestamp
      return segment.maxTimestamp
    })
  }

  /** Closes the files once nobody reads them. */
  async retire(): Promise<void> {
    if (this.#active !== null) await this.#active.close()
    else await this.#closed!.retire()
  }
}
