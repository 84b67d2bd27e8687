import { SeglogError } from '../errors/seglog-error.js'
import type { Frame, IncomingFrames } from './wire.js'

const lengthBytes = 4
const keyBytes = 2
/** Chunks up to here are put together in blocks of the size below: each would cost more than it holds. */
const smallBytes = 512
const blockBytes = 1024

/**
 * Cuts what a socket delivers into requests. Chunks are not joined: a frame is a list of views of them. Nothing is
 * reserved for a length that was only announced. The chunks must not change until their frames are done with.
 */
export class FrameReader implements IncomingFrames {
  readonly #maxBytes: number
  /** Chunks with unread bytes; of the first, those from `#at` on. */
  #chunks: Uint8Array[] = []
  #at = 0
  #bytes = 0
  /** Gathers small chunks: the last of `#chunks` is its first `#blockUsed` bytes. */
  #block: Buffer | null = null
  #blockUsed = 0

  constructor(maxBytes: number) {
    this.#maxBytes = maxBytes
  }

  /** Bytes that came and were not given out. */
  get bytes(): number {
    return this.#bytes
  }

  push(chunk: Uint8Array): void {
    this.#bytes += chunk.length
    if (chunk.length > smallBytes || this.#chunks.length === 0) {
      this.#chunks.push(chunk)
      this.#block = null
    } else {
      this.#gather(chunk)
    }
  }

  /** The first unread bytes, four if they are there. */
  head(): Uint8Array {
    return this.#peek(0, Math.min(lengthBytes, this.#bytes))
  }

  /** API key of the next request; -1 while it is not there. */
  peekKey(): number {
    if (this.#bytes < lengthBytes + keyBytes) return -1
    const bytes = this.#peek(lengthBytes, keyBytes)
    return ((bytes[0]! << 24) >> 16) | bytes[1]!
  }

  /** The next whole request, null while it is not there. Throws MALFORMED_MESSAGE for a length that cannot be one. */
  next(): Frame | null {
    if (this.#bytes < lengthBytes) return null
    const first = this.#chunks[0]!
    const at = this.#at
    const sizeBytes = first.length - at >= lengthBytes ? int32(first, at) : int32(this.#peek(0, lengthBytes), 0)
    if (sizeBytes < 0 || sizeBytes > this.#maxBytes) throw badLength(sizeBytes, this.#maxBytes)
    if (this.#bytes < lengthBytes + sizeBytes) return null
    this.#skip(lengthBytes)
    return { chunks: this.#take(sizeBytes), sizeBytes }
  }

  /** The garbage collector sees to them. */
  done(): void {}

  /** Forgets what came; answers how many bytes that were. */
  clear(): number {
    const bytes = this.#bytes
    this.#chunks = []
    this.#at = 0
    this.#bytes = 0
    this.#block = null
    return bytes
  }

  /** Lets go of memory that little of a request keeps alive, where its rest is long in coming. */
  compact(): void {
    if (this.#chunks.length !== 1 || this.#block !== null) return
    const chunk = this.#chunks[0]!
    const rest = chunk.subarray(this.#at)
    if (rest.length * 2 > chunk.buffer.byteLength) return
    const copy = Buffer.allocUnsafeSlow(rest.length)
    copy.set(rest)
    this.#chunks[0] = copy
    this.#at = 0
  }

  #gather(chunk: Uint8Array): void {
    if (this.#block === null || this.#blockUsed + chunk.length > this.#block.length) {
      this.#block = Buffer.allocUnsafeSlow(blockBytes)
      this.#blockUsed = 0
      this.#chunks.push(this.#block)
    }
    this.#block.set(chunk, this.#blockUsed)
    this.#blockUsed += chunk.length
    this.#chunks[this.#chunks.length - 1] = this.#block.subarray(0, this.#blockUsed)
  }

  #take(sizeBytes: number): Uint8Array[] {
    const taken: Uint8Array[] = []
    let missing = sizeBytes
    let index = 0
    while (missing > 0) {
      const chunk = this.#chunks[index]!
      const available = chunk.length - this.#at
      if (available > missing) {
        taken.push(view(chunk, this.#at, missing))
        this.#at += missing
        break
      }
      taken.push(this.#at === 0 ? chunk : view(chunk, this.#at, available))
      missing -= available
      this.#at = 0
      index++
    }
    this.#drop(index)
    this.#bytes -= sizeBytes
    return taken
  }

  #skip(bytes: number): void {
    let missing = bytes
    let index = 0
    while (missing > 0) {
      const available = this.#chunks[index]!.length - this.#at
      if (available > missing) {
        this.#at += missing
        break
      }
      missing -= available
      this.#at = 0
      index++
    }
    this.#drop(index)
    this.#bytes -= bytes
  }

  #drop(chunks: number): void {
    if (chunks === this.#chunks.length) {
      this.#chunks = []
      this.#block = null
    } else if (chunks > 0) {
      this.#chunks.splice(0, chunks)
    }
  }

  /** `count` bytes that are known to be there, `skip` bytes behind the first unread one. */
  #peek(skip: number, count: number): Uint8Array {
    let index = 0
    let at = this.#at + skip
    const bytes = new Uint8Array(count)
    for (let i = 0; i < count; i++) {
      while (at >= this.#chunks[index]!.length) at -= this.#chunks[index++]!.length
      bytes[i] = this.#chunks[index]![at++]!
    }
    return bytes
  }
}

/** For a request that announces a length that is negative or above the limit. */
export function badLength(sizeBytes: number, maxBytes: number): SeglogError {
  return new SeglogError(
    'MALFORMED_MESSAGE',
    sizeBytes < 0
      ? `a request announces a length of ${sizeBytes} bytes`
      : `a request announces ${sizeBytes} bytes, socket.request.max.bytes is ${maxBytes}`,
    { key: 'socket.request.max.bytes' },
  )
}

/** As `subarray`, in two thirds of its time. */
function view(bytes: Uint8Array, start: number, length: number): Uint8Array {
  return Buffer.from(bytes.buffer, bytes.byteOffset + start, length)
}

function int32(bytes: Uint8Array, at: number): number {
  return (bytes[at]! << 24) | (bytes[at + 1]! << 16) | (bytes[at + 2]! << 8) | bytes[at + 3]!
}
