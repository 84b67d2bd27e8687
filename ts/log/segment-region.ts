import { SeglogError } from '../errors/seglog-error.js'
import type { Segment } from '../native/engine.js'
import type { FileRegion } from '../protocol/file-region.js'
import type { LogSegment } from './log-segment.js'
import type { MaybePromise } from './maybe-promise.js'

/** What one read on the calling thread may take: longer ones would hold up the event loop. */
const hotReadBytes = 256 * 1024

/**
 * Published batches of one segment, read when they are asked for. It keeps no file open between reads, so that a slow
 * reader holds up neither the deletion of a topic nor retention: once the segment is gone, reads fail with CLOSED.
 */
export class SegmentRegion implements FileRegion {
  readonly length: number
  readonly #segment: LogSegment
  readonly #position: number
  #released = false

  /** `length` bytes from `position` on, all of them published. */
  constructor(segment: LogSegment, position: number, length: number) {
    this.#segment = segment
    this.#position = position
    this.length = length
  }

  read(from: number, to: number): MaybePromise<Uint8Array> {
    if (this.#released) throw released()
    const target = Buffer.allocUnsafe(Math.min(to, this.length) - from)
    return readAt(this.#segment, this.#position + from, target)
  }

  /**
   * Calls `work` with the open segment and the position in it where the region begins; at once where it is open. Nothing
   * keeps it open afterwards. Throws and rejects with CLOSED as `read`.
   */
  use<T>(work: (segment: Segment, position: number) => MaybePromise<T>): MaybePromise<T> {
    if (this.#released) throw released()
    return this.#segment.use((segment) => work(segment, this.#position))
  }

  release(): void {
    this.#released = true
  }
}

function released(): SeglogError {
  return new SeglogError('CLOSED', 'the file region was released')
}

/** Fills the buffer with a segment's bytes: at once where that takes no waiting and not long. */
export function readAt(entry: LogSegment, position: number, target: Buffer): MaybePromise<Buffer> {
  return entry.use((segment) => {
    if (target.length <= hotReadBytes && segment.readAtNow(position, target)) return target
    return segment.readAt(position, target).then(() => target)
  })
}
