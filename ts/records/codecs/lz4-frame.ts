import { decompressedTooLarge, decompressionFailed } from './codec.js'

/**
 * The outline of the LZ4 frame format (lz4_Frame_format.md of the lz4 project): where frames end and how much they
 * inflate to, read without decompressing.
 */

/** One frame in [start, end) and the size of its content. */
export interface Lz4Frame {
  start: number
  end: number
  contentBytes: number
}

const frameMagic = 0x184d2204
const skippableMagic = 0x184d2a50
const uncompressedBlock = 0x80000000
const flags = { version: 0xc0, blockChecksum: 0x10, contentSize: 0x08, contentChecksum: 0x04, dictionary: 0x01 }
const versionOne = 0x40
const minMatchBytes = 4

/**
 * Outlines the frames that stand back to back in `bytes`, leaving out skippable ones. Throws DECOMPRESSION_FAILED for
 * what is no LZ4 frame and DECOMPRESSED_TOO_LARGE as soon as they hold more than `limitBytes` together.
 */
export function outlineLz4Frames(bytes: Buffer, limitBytes: number): Lz4Frame[] {
  const frames: Lz4Frame[] = []
  let leftBytes = limitBytes
  for (let start = 0; start < bytes.length; ) {
    const magic = readUInt32(bytes, start)
    if ((magic & 0xfffffff0) >>> 0 === skippableMagic) {
      start += 8 + readUInt32(bytes, start + 4)
      if (start > bytes.length) throw damaged('a skippable frame is cut off')
      continue
    }
    if (magic !== frameMagic) throw damaged(`no frame begins at byte ${start}`)
    const frame = outlineFrame(bytes, start, leftBytes)
    if (frame === null) throw decompressedTooLarge('lz4', limitBytes)
    leftBytes -= frame.contentBytes
    frames.push(frame)
    start = frame.end
  }
  return frames
}

/** Null if the frame holds more than `leftBytes`. */
function outlineFrame(bytes: Buffer, start: number, leftBytes: number): Lz4Frame | null {
  if (start + 7 > bytes.length) throw damaged('a frame header is cut off')
  const flag = bytes[start + 4]!
  const blockSizeCode = (bytes[start + 5]! >> 4) & 7
  if ((flag & flags.version) !== versionOne || blockSizeCode < 4) throw damaged('a frame header of unknown version')
  if ((flag & flags.dictionary) !== 0) throw damaged('it needs a dictionary')
  const blockMaxBytes = 1 << (8 + 2 * blockSizeCode)
  let at = start + 7 + ((flag & flags.contentSize) !== 0 ? 8 : 0)
  let contentBytes = 0
  for (;;) {
    const field = readUInt32(bytes, at)
    at += 4
    if (field === 0) break
    const isPlain = (field & uncompressedBlock) !== 0
    const size = field & ~uncompressedBlock
    if (size > blockMaxBytes || at + size > bytes.length) throw damaged(`a block of ${size} bytes passes its bounds`)
    const inflated = isPlain ? size : inflatedBlockSize(bytes, at, at + size)
    if (inflated > blockMaxBytes)
      throw damaged(`a block inflates to ${inflated} bytes, its frame allows ${blockMaxBytes}`)
    contentBytes += inflated
    if (contentBytes > leftBytes) return null
    at += size + ((flag & flags.blockChecksum) !== 0 ? 4 : 0)
  }
  if ((flag & flags.contentChecksum) !== 0) at += 4
  if (at > bytes.length) throw damaged('a frame is cut off')
  return { start, end: at, contentBytes }
}

/** Adds up the literals and matches of a compressed block. */
function inflatedBlockSize(bytes: Buffer, start: number, end: number): number {
  let size = 0
  let at = start
  while (at < end) {
    const token = bytes[at++]!
    let literals = token >> 4
    if (literals === 15) {
      let byte = 255
      while (byte === 255 && at < end) literals += byte = bytes[at++]!
    }
    size += literals
    at += literals
    if (at >= end) break // the last sequence has no match
    at += 2
    let match = token & 15
    if (match === 15) {
      let byte = 255
      while (byte === 255 && at < end) match += byte = bytes[at++]!
    }
    size += match + minMatchBytes
  }
  if (at !== end) throw damaged('a block ends in the middle of a sequence')
  return size
}

function readUInt32(bytes: Buffer, at: number): number {
  if (at + 4 > bytes.length) throw damaged('a frame is cut off')
  return bytes.readUInt32LE(at)
}

function damaged(why: string): Error {
  return decompressionFailed('lz4', why)
}
