import { SeglogError } from '../errors/seglog-error.js'
import type { MaybePromise } from '../log/maybe-promise.js'
import type { FileRegion } from '../protocol/file-region.js'

/** What was not sent yet of a file region. */
export class RegionRest {
  readonly region: FileRegion
  /** Bytes of the region before this rest. */
  from = 0

  constructor(region: FileRegion) {
    this.region = region
  }

  get length(): number {
    return this.region.length - this.from
  }

  get isDone(): boolean {
    return this.from === this.region.length
  }

  /** The first bytes of it, at most so many. */
  read(maxBytes: number): MaybePromise<Uint8Array> {
    return this.region.read(this.from, Math.min(this.from + maxBytes, this.region.length))
  }

  /** Takes bytes that `read` brought. Throws CORRUPT_LOG where it brought none. */
  took(bytes: Uint8Array): void {
    if (bytes.length === 0) throw new SeglogError('CORRUPT_LOG', `a file region ends after ${this.from} bytes`)
    this.advance(bytes.length)
  }

  /** So many bytes of it need not be sent any more. Releases the region behind the last. */
  advance(bytes: number): this {
    this.from += bytes
    if (this.isDone) this.region.release()
    return this
  }
}
