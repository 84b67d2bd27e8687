import { decompressedTooLarge, decompressionFailed } from './codec.js'

/**
 * The outline of the Zstandard frame format (RFC 8878): where frames end and how much they can inflate to at most, read
 * without decompressing.
 */

/** One frame in [start, end), and a size that its content cannot pass. */
export interface ZstdFrame {
  start: number
  end: number
  capacityBytes: number
}

const frameMagic = 0xfd2fb528
const skippableMagic = 0x184d2a50
const maxBlockBytes = 128 * 1024
const blockType = { raw: 0, runLength: 1, compressed: 2, reserved: 3 } as const
const dictionaryIdBytes = [0, 1, 2, 4]
const contentSizeBytes = [0, 2, 4, 8]

/**
 * Outlines the frames that stand back to back in `bytes`, leaving out skippable ones. Throws DECOMPRESSION_FAILED for
 * what is no Zstandard frame and DECOMPRESSED_TOO_LARGE where the sizes they declare pass `limitBytes`.
 */
export function outlineZstdFrames(bytes: Buffer, limitBytes: number): ZstdFrame[] {
  const frames: ZstdFrame[] = []
  let declaredBytes = 0
  for (let start = 0; start < bytes.length; ) {
    const magic = readUInt(bytes, start, 4)
    if ((magic & 0xfffffff0) >>> 0 === skippableMagic) {
      start += 8 + readUInt(bytes, start + 4, 4)
      if (start > bytes.length) throw damaged('a skippable frame is cut off')
      continue
    }
    if (magic !== frameMagic) throw damaged(`no frame begins at byte ${start}`)
    const { declared, ...frame } = outlineFrame(bytes, start)
    declaredBytes += declared
    if (declaredBytes > limitBytes) throw decompressedTooLarge('zstd', limitBytes)
    frames.push(frame)
    start = frame.end
  }
  return frames
}

function outlineFrame(bytes: Buffer, start: number): ZstdFrame & { declared: number } {
  const descriptor = readUInt(bytes, start + 4, 1)
  const isSingleSegment = (descriptor & 0x20) !== 0
  if ((descriptor & 0x08) !== 0) throw damaged('a frame header of unknown kind')
  let at = start + 5 + (isSingleSegment ? 0 : 1)
  const idBytes = dictionaryIdBytes[descriptor & 3]!
  if (idBytes > 0 && readUInt(bytes, at, idBytes) !== 0) throw damaged('it needs a dictionary')
  at += idBytes
  const sizeCode = descriptor >> 6
  const sizeBytes = sizeCode === 0 && isSingleSegment ? 1 : contentSizeBytes[sizeCode]!
  let declared = 0
  if (sizeBytes === 8) declared = readUInt(bytes, at, 4) + readUInt(bytes, at + 4, 4) * 2 ** 32
  else if (sizeBytes > 0) declared = readUInt(bytes, at, sizeBytes) + (sizeBytes === 2 ? 256 : 0)
  at += sizeBytes
  let bound = 0
  for (let isLast = false; !isLast; ) {
    const header = readUInt(bytes, at, 3)
    at += 3
    isLast = (header & 1) !== 0
    const type = (header >> 1) & 3
    const size = header >> 3
    if (type === blockType.reserved || size > maxBlockBytes) throw damaged('a block of unknown kind')
    bound += type === blockType.compressed ? maxBlockBytes : size
    at += type === blockType.runLength ? 1 : size
  }
  if ((descriptor & 0x04) !== 0) at += 4
  if (at > bytes.length) throw damaged('a frame is cut off')
  if (declared > bound) throw damaged(`a frame of at most ${bound} bytes declares ${declared}`)
  return { start, end: at, capacityBytes: sizeBytes > 0 ? declared : bound, declared }
}

function readUInt(bytes: Buffer, at: number, size: number): number {
  if (at + size > bytes.length) throw damaged('a frame is cut off')
  return bytes.readUIntLE(at, size)
}

function damaged(why: string): Error {
  return decompressionFailed('zstd', why)
}
