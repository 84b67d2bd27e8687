import type { Segment } from './engine.js'
import { engineError, systemError } from './engine-error.js'
import { NativeSegment } from './segment.js'
import {
  FrameField,
  frameFieldCount,
  SentDetail,
  type WireBinding,
  WireCount,
  WireField,
  WireFlag,
  WireState,
  wireCountCount,
  wireFieldCount,
  wireStateCount,
} from './wire-binding.js'

/** A request as it came over a wire, without its length. */
export interface WireFrame {
  readonly chunks: readonly [Uint8Array]
  readonly sizeBytes: number
  /** Memory of its own, to be given to `Wires.free` when nobody looks at the frame any more. */
  readonly block?: ArrayBuffer
}

/** How the transfer ended what it was given: `segmentClosed` and `cutShort` have the rest of it unsent. */
export type TransferEnd = keyof typeof SentDetail

/** What happened on a wire since the last event. */
export interface WireEvent {
  /** Bytes that came, those of lengths and of requests that are not whole among them. */
  readonly receivedBytes: number
  readonly frames: readonly WireFrame[]
  /** As long as no whole frame has come: the first bytes that did. */
  readonly head: Uint8Array | null
  /** A length that cannot be one stands behind the frames; what comes after it is dropped. */
  readonly badLength: number | null
  readonly hasEnded: boolean
  readonly lost: Error | null
  readonly sent: TransferEnd | null
}

/** Process-wide, since the start. */
export interface WireCounts {
  /** Bytes that sockets took at once, and the system calls that gave them. */
  readonly loopBytes: number
  readonly loopSends: number
  /** Bytes that had to wait for a socket, in copies. */
  readonly copiedBytes: number
  /** Bytes that went from file to socket without passing through this process. */
  readonly sendfileBytes: number
  /** Ranges read into the page cache before they were sent. */
  readonly prefetches: number
  /** System calls of the transfer thread. */
  readonly transferCalls: number
  readonly receivedBytes: number
  readonly receives: number
  /** Memory of large requests at this moment. */
  readonly blockBytes: number
  /** Open at this moment. */
  readonly wires: number
}

/** Numbers that one delivery may tell. */
const eventNumbers = 8192
const noBytes = Buffer.alloc(0)
const transferEnds = Object.keys(SentDetail) as TransferEnd[]

/** The wires of this thread: connected sockets that the addon receives from and sends to. */
export class Wires {
  readonly #native: WireBinding
  readonly #events = new Float64Array(eventNumbers)
  readonly #listeners = new Map<number, (event: WireEvent) => void>()

  constructor(native: WireBinding) {
    this.#native = native
    native.wireStart(this.#events, this.#deliver)
  }

  /**
   * Takes over a connected socket; the caller closes its descriptor. What happens is told by `onEvent`, never from within
   * a call. Throws UNSUPPORTED, TOO_MANY_OPEN_FILES, IO_ERROR.
   */
  adopt(descriptor: number, maxRequestBytes: number, onEvent: (event: WireEvent) => void): OpenWire {
    const handle = this.#native.wireAdopt(descriptor, maxRequestBytes)
    this.#listeners.set(handle, onEvent)
    return new OpenWire(this.#native, handle, () => this.#listeners.delete(handle))
  }

  /** Gives back the memory of a frame. Once for each. */
  free(block: ArrayBuffer): void {
    this.#native.wireFree(block)
  }

  counts(): WireCounts {
    const counts = new Float64Array(wireCountCount)
    this.#native.wireCounts(counts)
    const fields = Object.entries(WireCount).map(([name, index]) => [name, counts[index]!])
    return Object.fromEntries(fields) as unknown as WireCounts
  }

  readonly #deliver = (count: number, small: Uint8Array | null, blocks: ArrayBuffer[]): void => {
    // Without one where all that is in it is empty.
    const chunk = small ?? noBytes
    for (let at = 0; at < count; ) {
      const from = at
      at += wireFieldCount + frameFieldCount * this.#events[from + WireField.frames]!
      callSafely(() => this.#tell(from, chunk, blocks))
    }
  }

  #tell(at: number, chunk: Uint8Array, blocks: ArrayBuffer[]): void {
    const onEvent = this.#listeners.get(this.#events[at + WireField.wire]!)
    const event = this.#eventAt(at, chunk, blocks)
    if (onEvent === undefined) this.#drop(event)
    else onEvent(event)
  }

  #eventAt(at: number, chunk: Uint8Array, blocks: ArrayBuffer[]): WireEvent {
    const events = this.#events
    const flags = events[at + WireField.flags]!
    const detail = events[at + WireField.detail]!
    const isHead = (flags & WireFlag.head) !== 0
    return {
      receivedBytes: events[at + WireField.receivedBytes]!,
      frames: this.#framesAt(at + wireFieldCount, events[at + WireField.frames]!, chunk, blocks),
      head: isHead ? view(chunk, events[at + WireField.headStart]!, events[at + WireField.headLength]!) : null,
      badLength: (flags & WireFlag.badLength) === 0 ? null : detail,
      hasEnded: (flags & WireFlag.ended) !== 0,
      lost: (flags & WireFlag.lost) === 0 ? null : systemError(detail, 'the connection is lost'),
      sent: (flags & WireFlag.sent) === 0 ? null : transferEnds[detail]!,
    }
  }

  #framesAt(from: number, count: number, chunk: Uint8Array, blocks: ArrayBuffer[]): WireFrame[] {
    const events = this.#events
    const frames = new Array<WireFrame>(count)
    for (let i = 0; i < count; i++) {
      const at = from + i * frameFieldCount
      const source = events[at + FrameField.source]!
      const start = events[at + FrameField.start]!
      const sizeBytes = events[at + FrameField.length]!
      if (source < 0) {
        frames[i] = { chunks: [view(chunk, start, sizeBytes)], sizeBytes }
      } else {
        const block = blocks[source]!
        frames[i] = { chunks: [Buffer.from(block, start, sizeBytes)], sizeBytes, block }
      }
    }
    return frames
  }

  /** Of a wire that was closed while this was on its way. */
  #drop({ frames }: WireEvent): void {
    for (const { block } of frames) if (block !== undefined) this.free(block)
  }
}

/** One wire. After `close` nothing of it may be called but that. */
export class OpenWire {
  readonly #native: WireBinding
  readonly #handle: number
  readonly #onClose: () => void
  readonly #state = new Float64Array(wireStateCount)
  #isClosed = false

  constructor(native: WireBinding, handle: number, onClose: () => void) {
    this.#native = native
    this.#handle = handle
    this.#onClose = onClose
  }

  /** Bytes that left; only grows. */
  get sentBytes(): number {
    return this.#stateNow()[WireState.sentBytes]!
  }

  /** API key of the request that has begun to come, -1 while it is not known. */
  get unfinishedKey(): number {
    return this.#stateNow()[WireState.unfinishedKey]!
  }

  pause(): void {
    this.#native.wirePause(this.#handle)
  }

  resume(): void {
    this.#native.wireResume(this.#handle)
  }

  /**
   * True when all of it has left. False when the transfer has it: an event tells when it is done, and nothing may be
   * sent before. `force` has the transfer take what would leave at once. Throws CLOSED when one of its segments is closed;
   * then nothing was sent.
   */
  send(list: SendList, force: boolean): boolean {
    return this.#native.wireSend(this.#handle, list.parts, force)
  }

  /** Closes this end. Only when nothing is with the transfer. */
  end(): void {
    this.#native.wireEnd(this.#handle)
  }

  /** Closes it, and drops what did not leave. Nothing is told any more. Idempotent. */
  close(): void {
    if (this.#isClosed) return
    this.#isClosed = true
    this.#onClose()
    this.#native.wireClose(this.#handle)
  }

  /** As they were when it was closed, once it is. */
  #stateNow(): Float64Array {
    if (!this.#isClosed) this.#native.wireState(this.#handle, this.#state)
    return this.#state
  }
}

/** What is sent together, in order. */
export class SendList {
  readonly parts: (Uint8Array | number)[] = []

  addBytes(bytes: Uint8Array): void {
    this.parts.push(bytes)
  }

  /** Bytes of a segment's file. They need not be in memory. */
  addRange(segment: Segment, position: number, length: number): void {
    if (!(segment instanceof NativeSegment)) {
      throw engineError('INVALID_ARGUMENT', 'the segment must come from openSegment of this engine')
    }
    this.parts.push(segment.handle, position, length)
  }
}

/** What one event makes throw must not lose the others. */
function callSafely(tell: () => void): void {
  try {
    tell()
  } catch (error) {
    queueMicrotask(() => {
      throw error
    })
  }
}

/** As `subarray`, in two thirds of its time. */
function view(bytes: Uint8Array, start: number, length: number): Uint8Array {
  return Buffer.from(bytes.buffer, bytes.byteOffset + start, length)
}
