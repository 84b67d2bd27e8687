import { SeglogError } from '../errors/seglog-error.js'

const lengthBytes = 4

/**
 * Cuts what a socket delivers into frames: four bytes of length, then that many. A frame within one chunk is a view of
 * it; one that spans several is put together in memory of its own, taken once its length has been checked.
 */
export class FrameReader {
  private readonly head = Buffer.alloc(lengthBytes)
  private headFilled = 0
  private frame: Buffer | null = null
  private filled = 0

  /** `onFrame` gets each frame without its length. */
  constructor(
    private readonly maxBytes: number,
    private readonly onFrame: (frame: Buffer) => void,
  ) {}

  /** Takes the next bytes. Throws MALFORMED_MESSAGE for a length that no frame has. */
  push(chunk: Buffer): void {
    for (let at = 0; at < chunk.length; )
      at = this.frame === null ? this.begin(chunk, at) : this.go(this.frame, chunk, at)
  }

  private begin(chunk: Buffer, from: number): number {
    const at = from + chunk.copy(this.head, this.headFilled, from, from + lengthBytes - this.headFilled)
    this.headFilled += at - from
    if (this.headFilled < lengthBytes) return at
    this.headFilled = 0
    const length = this.head.readInt32BE(0)
    if (length < lengthBytes || length > this.maxBytes) throw badLength(length, this.maxBytes, this.head)
    if (chunk.length - at >= length) {
      this.onFrame(chunk.subarray(at, at + length))
      return at + length
    }
    this.frame = Buffer.allocUnsafeSlow(length)
    this.filled = 0
    return at
  }

  private go(frame: Buffer, chunk: Buffer, from: number): number {
    const copied = chunk.copy(frame, this.filled, from)
    this.filled += copied
    if (this.filled === frame.length) {
      this.frame = null
      this.onFrame(frame)
    }
    return from + copied
  }
}

function badLength(length: number, maxBytes: number, head: Buffer): SeglogError {
  const looks = head.toString('latin1') === 'HTTP' ? ': that is a web server, not a Kafka broker' : ''
  const message = `an answer of ${length} bytes, where 4 to ${maxBytes} are possible${looks}`
  return new SeglogError('MALFORMED_MESSAGE', message)
}
