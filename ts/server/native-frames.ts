import type { WireEvent, WireFrame } from '../native/wires.js'
import { apiKey } from '../protocol/apis.js'
import { badLength } from './frame-reader.js'
import type { Frame, IncomingFrames } from './wire.js'

/** What it needs of the wire that the frames come over. */
export interface FrameSource {
  /** API key of the request that has begun to come, -1 while it is not known. */
  readonly unfinishedKey: number
}

const lengthBytes = 4
/** A request may be waited with for minutes; beyond so much more than it needs it is not to keep alive. */
const sparedBytes = 16 * 1024
const noBytes = Buffer.alloc(0)

/** Requests that the addon has cut, in the order in which they came. Each block of memory is given back once. */
export class NativeFrames implements IncomingFrames {
  readonly #maxBytes: number
  readonly #source: FrameSource
  readonly #free: (block: ArrayBuffer) => void
  #frames: WireFrame[] = []
  /** Those before it were taken. */
  #at = 0
  #bytes = 0
  #head: Uint8Array = noBytes
  #badLength: number | null = null

  constructor(maxBytes: number, source: FrameSource, free: (block: ArrayBuffer) => void) {
    this.#maxBytes = maxBytes
    this.#source = source
    this.#free = free
  }

  get bytes(): number {
    return this.#bytes
  }

  push(event: WireEvent): void {
    const { frames, head } = event
    this.#bytes += event.receivedBytes
    // A copy: the rest of what came with it may be much.
    if (head !== null) this.#head = Uint8Array.prototype.slice.call(head)
    if (event.badLength !== null) this.#badLength = event.badLength
    for (const frame of frames) this.#frames.push(frame)
  }

  /** Known only before the first request. */
  head(): Uint8Array {
    return this.#head
  }

  peekKey(): number {
    const next = this.#frames[this.#at]
    if (next !== undefined) return keyOf(next.chunks[0])
    return this.#bytes > 0 && this.#badLength === null ? this.#source.unfinishedKey : -1
  }

  next(): Frame | null {
    const frame = this.#frames[this.#at]
    if (frame === undefined) {
      if (this.#badLength !== null) throw badLength(this.#badLength, this.#maxBytes)
      return null
    }
    this.#at++
    if (this.#at === this.#frames.length) {
      this.#frames = []
      this.#at = 0
    }
    const bytes = frame.sizeBytes + lengthBytes
    this.#bytes -= bytes
    this.#head = noBytes
    return detached(frame)
  }

  done({ block }: Frame): void {
    if (block !== undefined) this.#free(block)
  }

  clear(): number {
    const bytes = this.#bytes
    for (let i = this.#at; i < this.#frames.length; i++) this.done(this.#frames[i]!)
    this.#frames = []
    this.#at = 0
    this.#bytes = 0
    this.#badLength = null
    return bytes
  }

  /** What is not whole lies in the addon, in as much memory as it needs. */
  compact(): void {}
}

/**
 * All small frames of a delivery, those of other connections too, are in one piece of memory. Produces are done with soon,
 * and their records are not to be copied; others are.
 */
function detached(frame: WireFrame): Frame {
  const [bytes] = frame.chunks
  const isFine = frame.block !== undefined || bytes.buffer.byteLength - bytes.length <= sparedBytes
  if (isFine || keyOf(bytes) === apiKey.produce) return frame
  return { chunks: [Buffer.from(bytes)], sizeBytes: frame.sizeBytes }
}

/** API key of a request; -1 where it is too short to have one. */
function keyOf(bytes: Uint8Array): number {
  return bytes.length < 2 ? -1 : ((bytes[0]! << 24) >> 16) | bytes[1]!
}
