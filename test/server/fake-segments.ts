import { LogSegment } from '../../ts/log/log-segment.js'
import { ClosedSegment, OpenSegments } from '../../ts/log/open-segments.js'
import { SegmentRegion } from '../../ts/log/segment-region.js'
import type { Calls } from '../../ts/native/calls.js'
import { NativeSegment } from '../../ts/native/segment.js'
import type { FakeWires } from '../native/fake-wires.js'

/** A file whose segment is opened on demand, and closed when a test says so. */
export class FakeSegment {
  opens = 0
  /** Reads take a turn of the event loop. */
  isCold = false
  readonly bytes: Buffer
  readonly #wires: FakeWires
  readonly #closed: ClosedSegment
  readonly #log: LogSegment

  constructor(wires: FakeWires, bytes: Buffer) {
    this.bytes = bytes
    this.#wires = wires
    this.#closed = new ClosedSegment(new OpenSegments(100), async () => this.#open())
    this.#log = LogSegment.closed(0, bytes.length, this.#closed)
  }

  region(position: number, length: number): CountedRegion {
    return new CountedRegion(this.#log, position, length)
  }

  /** The pool wants its place. */
  evict(): Promise<void> {
    return this.#closed.evict()
  }

  /** Removed for good. */
  retire(): Promise<void> {
    return this.#closed.retire()
  }

  #open(): NativeSegment {
    this.opens++
    const handle = ++handles
    this.#wires.segments.set(handle, this.bytes)
    const fill = (position: number, target: Uint8Array): void => {
      target.set(this.bytes.subarray(position, position + target.length))
    }
    const native = {
      segmentState: () => {},
      readAtNow: (_: number, position: number, target: Uint8Array) => {
        if (!this.isCold) fill(position, target)
        return !this.isCold
      },
      segmentReadAt: (_: number, position: number, target: Uint8Array) => fill(position, target),
      segmentClose: (segment: number) => this.#wires.closeSegment(segment),
    }
    const run = async (begin: (fake: typeof native) => unknown) => {
      const value = begin(native)
      await new Promise(setImmediate)
      return value
    }
    return new NativeSegment({ native, run } as unknown as Calls, handle, 0, () => {})
  }
}

let handles = 0

export class CountedRegion extends SegmentRegion {
  releases = 0

  override release(): void {
    this.releases++
    super.release()
  }
}
