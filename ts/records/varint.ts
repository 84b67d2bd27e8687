import { SeglogError } from '../errors/seglog-error.js'

/**
 * Zig-zag variable-length integers as record batch v2 uses them: 7 bits per byte, least significant group first, the
 * high bit says another byte follows. A varint holds an int32 in at most 5 bytes, a varlong an int64 in at most 10.
 */

const maxVarintBytes = 5
const maxVarlongBytes = 10
const twoTo64 = 2 ** 64

/** Bytes that `value` (an int32) takes as a varint. */
export function varintSize(value: number): number {
  const zigzag = ((value << 1) ^ (value >> 31)) >>> 0
  if (zigzag < 0x80) return 1
  if (zigzag < 0x4000) return 2
  if (zigzag < 0x200000) return 3
  return zigzag < 0x10000000 ? 4 : 5
}

/** Writes an int32 as a varint at `position` and returns the position after it. The caller has made sure of the room. */
export function writeVarint(target: Uint8Array, position: number, value: number): number {
  let zigzag = ((value << 1) ^ (value >> 31)) >>> 0
  while (zigzag >= 0x80) {
    target[position++] = (zigzag & 0x7f) | 0x80
    zigzag >>>= 7
  }
  target[position++] = zigzag
  return position
}

/** Bytes that `value` (a safe integer) takes as a varlong. */
export function varlongSize(value: number): number {
  let rest = value >= 0 ? value : -value - 1
  let size = 1
  for (rest = Math.floor(rest / 0x40); rest > 0; rest = Math.floor(rest / 0x80)) size++
  return size
}

/** Writes a safe integer as a varlong at `position` and returns the position after it. */
export function writeVarlong(target: Uint8Array, position: number, value: number): number {
  // The sign goes to the lowest bit of the first group, so that group carries 6 bits of magnitude and the rest 7:
  // doubling first, as for an int32, would leave the integers a double can hold.
  let rest = value >= 0 ? value : -value - 1
  let group = ((rest % 0x40) << 1) | (value < 0 ? 1 : 0)
  for (rest = Math.floor(rest / 0x40); rest > 0; rest = Math.floor(rest / 0x80)) {
    target[position++] = group | 0x80
    group = rest % 0x80
  }
  target[position++] = group
  return position
}

/**
 * Reads varints from `bytes` in [position, end). Never reads a value across `end`; what does not fit is a
 * SeglogError INVALID_BATCH. The bytes are borrowed.
 */
export class VarintReader {
  bytes: Uint8Array
  position: number
  end: number

  constructor(bytes: Uint8Array, position: number, end: number) {
    this.bytes = bytes
    this.position = position
    this.end = end
  }

  /** An int32. */
  readVarint(): number {
    const { bytes, position } = this
    // Nearly all take one or two bytes.
    if (position + 1 < this.end) {
      const first = bytes[position]!
      if (first < 0x80) {
        this.position = position + 1
        return (first >>> 1) ^ -(first & 1)
      }
      const second = bytes[position + 1]!
      if (second < 0x80) {
        this.position = position + 2
        return (((first & 0x7f) >>> 1) | (second << 6)) ^ -(first & 1)
      }
    }
    return this.readLongVarint()
  }

  private readLongVarint(): number {
    const { bytes } = this
    const start = this.position
    const limit = Math.min(this.end, start + maxVarintBytes)
    let zigzag = 0
    for (let position = start, shift = 0; position < limit; position++, shift += 7) {
      const byte = bytes[position]!
      if (shift === 28 && byte > 0x0f) break
      zigzag |= (byte & 0x7f) << shift
      if (byte < 0x80) {
        this.position = position + 1
        return (zigzag >>> 1) ^ -(zigzag & 1)
      }
    }
    throw malformedVarint('varint', start)
  }

  /** An int64 as a number: exact up to 2^53, rounded above. */
  readVarlong(): number {
    const { position } = this
    if (position < this.end) {
      const first = this.bytes[position]!
      if (first < 0x80) {
        this.position = position + 1
        return (first >>> 1) ^ -(first & 1)
      }
    }
    return this.readLongVarlong()
  }

  private readLongVarlong(): number {
    const { bytes } = this
    const start = this.position
    const limit = Math.min(this.end, start + maxVarlongBytes)
    let zigzag = 0
    let odd = 0
    for (let position = start, scale = 1; position < limit; position++, scale *= 0x80) {
      const byte = bytes[position]!
      if (position === start) odd = byte & 1
      // Half the zig-zag value is summed, so that everything up to 2^53 stays exact.
      zigzag += scale === 1 ? (byte & 0x7e) / 2 : (byte & 0x7f) * (scale / 2)
      if (byte < 0x80) {
        if (zigzag > twoTo64 / 2) break
        this.position = position + 1
        return odd === 0 ? zigzag : -zigzag - 1
      }
    }
    throw malformedVarint('varlong', start)
  }
}

function malformedVarint(kind: string, position: number): SeglogError {
  return new SeglogError(
    'INVALID_BATCH',
    `the ${kind} at byte ${position} does not end in time: the records of this batch are damaged`,
    { position },
  )
}
