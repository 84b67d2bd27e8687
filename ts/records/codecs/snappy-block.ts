import { decompressedTooLarge, decompressionFailed } from './codec.js'

/**
 * Raw snappy blocks, after the format description of google/snappy. Written here because on blocks of 32 KiB it measured
 * faster than the native package (whose binaries npm may leave out besides), and because the JavaScript package can loop
 * for ever on damaged input.
 */

const tableBits = 13
const minMatchBytes = 4
const maxOffset = 0xffff
const skipShift = 5

/** Scratch of `compressSnappyBlock`; position + 1 of the last place with that hash, 0 for none. */
const table = new Uint16Array(1 << tableBits)

/** Largest size that `bytes` of input can take. */
export function maxSnappyBytes(bytes: number): number {
  return 32 + bytes + Math.ceil(bytes / 6)
}

/** Compresses source[start, end), at most 64 KiB - 1, to `target` at `position`; returns the position after it. */
export function compressSnappyBlock(
  source: Buffer,
  start: number,
  end: number,
  target: Buffer,
  position: number,
): number {
  position = writeSize(target, position, end - start)
  table.fill(0)
  let literalStart = start
  let at = start
  const lastMatchStart = end - minMatchBytes
  // Every miss makes the next step a little longer, so that data without matches passes quickly.
  let skip = 1 << skipShift
  while (at <= lastMatchStart) {
    const word = load32(source, at)
    const slot = Math.imul(word, 0x1e35a7bd) >>> (32 - tableBits)
    const candidate = start + table[slot]! - 1
    table[slot] = at - start + 1
    if (candidate < start || load32(source, candidate) !== word) {
      at += skip++ >> skipShift
      continue
    }
    skip = 1 << skipShift
    position = writeLiteral(source, literalStart, at, target, position)
    let length = minMatchBytes
    while (at + length < end && source[at + length] === source[candidate + length]) length++
    position = writeCopy(target, position, at - candidate, length)
    at += length
    literalStart = at
  }
  return writeLiteral(source, literalStart, end, target, position)
}

/** Size that the block at source[start, end) says it inflates to, and where its elements begin. */
export function readSnappySize(source: Buffer, start: number, end: number): { inflatedBytes: number; next: number } {
  let inflatedBytes = 0
  for (let at = start, scale = 1; at < end && at < start + 5; at++, scale *= 0x80) {
    const byte = source[at]!
    inflatedBytes += (byte & 0x7f) * scale
    if (byte < 0x80) return { inflatedBytes, next: at + 1 }
  }
  throw damaged('its size is cut off')
}

/** Inflates one raw block. Throws DECOMPRESSION_FAILED unless it fills the size it announces exactly. */
export function decompressSnappyBlock(source: Buffer, start: number, end: number, limitBytes: number): Buffer {
  const { inflatedBytes, next } = readSnappySize(source, start, end)
  if (inflatedBytes > limitBytes) throw decompressedTooLarge('snappy', limitBytes)
  // An element of 3 bytes makes 64 at most: a lie about the size is refused before the memory is taken.
  if (inflatedBytes > (end - next) * 32) throw damaged('it is too short for the size it announces')
  const target = Buffer.allocUnsafe(inflatedBytes)
  let at = next
  let out = 0
  while (at < end) {
    const tag = source[at++]!
    let length = tag >> 2
    if ((tag & 3) === 0) {
      if (length >= 60) {
        const lengthBytes = length - 59
        length = 0
        for (let index = 0; index < lengthBytes; index++) length += (source[at + index] ?? 0) * 2 ** (8 * index)
        at += lengthBytes
      }
      length++
      if (length > end - at || length > inflatedBytes - out) throw damaged('a literal passes the end')
      if (length > 32) source.copy(target, out, at, at + length)
      else for (let index = 0; index < length; index++) target[out + index] = source[at + index]!
      at += length
    } else {
      let offset: number
      if ((tag & 3) === 1) {
        if (at + 1 > end) throw damaged('it is cut off')
        offset = ((tag & 0xe0) << 3) | source[at++]!
        length = (length & 7) + 4
      } else {
        const offsetBytes = (tag & 3) === 2 ? 2 : 4
        if (at + offsetBytes > end) throw damaged('it is cut off')
        offset = source.readUIntLE(at, offsetBytes)
        at += offsetBytes
        length++
      }
      if (offset === 0 || offset > out || length > inflatedBytes - out) throw damaged('a copy passes the bounds')
      for (let index = 0; index < length; index++) target[out + index] = target[out + index - offset]!
    }
    out += length
  }
  if (out !== inflatedBytes) throw damaged(`it holds ${out} bytes, not the ${inflatedBytes} it announces`)
  return target
}

function load32(source: Buffer, at: number): number {
  return source[at]! | (source[at + 1]! << 8) | (source[at + 2]! << 16) | (source[at + 3]! << 24)
}

function writeSize(target: Buffer, position: number, size: number): number {
  for (; size >= 0x80; size >>>= 7) target[position++] = (size & 0x7f) | 0x80
  target[position++] = size
  return position
}

function writeLiteral(source: Buffer, start: number, end: number, target: Buffer, position: number): number {
  const length = end - start
  if (length === 0) return position
  const code = length - 1
  if (code < 60) target[position++] = code << 2
  else if (code < 0x100) {
    target[position++] = 60 << 2
    target[position++] = code
  } else {
    target[position++] = 61 << 2
    target[position++] = code & 0xff
    target[position++] = code >> 8
  }
  if (length > 32) source.copy(target, position, start, end)
  else for (let index = 0; index < length; index++) target[position + index] = source[start + index]!
  return position + length
}

function writeCopy(target: Buffer, position: number, offset: number, length: number): number {
  // A copy of less than 4 bytes has no short form: the tail is kept long enough for one.
  while (length >= 68) {
    position = writeLongCopy(target, position, offset, 64)
    length -= 64
  }
  if (length > 64) {
    position = writeLongCopy(target, position, offset, 60)
    length -= 60
  }
  if (length >= 12 || offset >= 2048) return writeLongCopy(target, position, offset, length)
  target[position++] = ((offset >> 8) << 5) | ((length - 4) << 2) | 1
  target[position++] = offset & 0xff
  return position
}

function writeLongCopy(target: Buffer, position: number, offset: number, length: number): number {
  target[position++] = ((length - 1) << 2) | 2
  target[position++] = offset & maxOffset & 0xff
  target[position++] = offset >> 8
  return position
}

function damaged(why: string): Error {
  return decompressionFailed('snappy', why)
}
