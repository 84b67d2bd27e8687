import { type Codec, codecMissing, decompressedTooLarge, decompressionFailed } from './codec.js'

type SnappyModule = typeof import('snappy')

/** What xerial's SnappyOutputStream, and with it Kafka's Java client, begins its stream with. */
const magic = Buffer.from([0x82, 0x53, 0x4e, 0x41, 0x50, 0x50, 0x59, 0x00])
const headerBytes = magic.length + 8 // version and compatible version follow, int32 each
const blockBytes = 32 * 1024
/** Below this, handing the work to a thread costs more than the work. */
const threadBytes = 64 * 1024

/**
 * Snappy as Kafka frames it: xerial's header, then blocks of 32 KiB, each behind its int32 length. Reads raw blocks
 * too, which librdkafka writes. A block says how long it inflates, which is checked against the limit before any memory
 * is taken for it.
 */
export const snappyCodec: Codec = {
  async compress(bytes) {
    if (bytes.length < threadBytes) return this.compressNow(bytes)
    const { compress } = snappy()
    return frame(await Promise.all(split(bytes).map((block) => compress(block))))
  },
  compressNow(bytes) {
    const { compressSync } = snappy()
    return frame(split(bytes).map((block) => compressSync(block)))
  },
  async decompress(bytes, limitBytes) {
    if (bytes.length < threadBytes) return this.decompressNow(bytes, limitBytes)
    const { uncompress } = snappy()
    const blocks = outline(bytes, limitBytes)
    return join(await Promise.all(blocks.map((block) => uncompress(block).catch(damaged))))
  },
  decompressNow(bytes, limitBytes) {
    const { uncompressSync } = snappy()
    return join(
      outline(bytes, limitBytes).map((block) => {
        try {
          return uncompressSync(block)
        } catch (error) {
          return damaged(error)
        }
      }),
    )
  },
}

let loaded: SnappyModule | null = null

function snappy(): SnappyModule {
  try {
    loaded ??= require('snappy') as SnappyModule
    return loaded
  } catch (cause) {
    throw codecMissing('snappy', 'snappy', cause)
  }
}

function damaged(error: unknown): never {
  throw decompressionFailed('snappy', (error as Error).message, error)
}

function split(bytes: Buffer): Buffer[] {
  return Array.from({ length: Math.ceil(bytes.length / blockBytes) }, (_, n) =>
    bytes.subarray(n * blockBytes, (n + 1) * blockBytes),
  )
}

function frame(blocks: readonly Buffer[]): Buffer {
  const header = Buffer.alloc(headerBytes)
  magic.copy(header)
  header.writeInt32BE(1, magic.length)
  header.writeInt32BE(1, magic.length + 4)
  const parts: Buffer[] = [header]
  for (const block of blocks) {
    const length = Buffer.allocUnsafe(4)
    length.writeInt32BE(block.length)
    parts.push(length, block)
  }
  return Buffer.concat(parts)
}

/** The raw blocks of a framed stream, or of several that were joined; the whole input where it is not framed. */
function outline(bytes: Buffer, limitBytes: number): Buffer[] {
  const blocks: Buffer[] = []
  if (!beginsStream(bytes, 0)) {
    if (bytes.length > 0) blocks.push(bytes)
  } else {
    for (let at = 0; at < bytes.length; ) {
      if (beginsStream(bytes, at)) {
        at += headerBytes
        continue
      }
      const length = bytes.length - at < 4 ? -1 : bytes.readInt32BE(at)
      at += 4
      if (length < 0 || length > bytes.length - at) throw decompressionFailed('snappy', 'a block is cut off')
      blocks.push(bytes.subarray(at, at + length))
      at += length
    }
  }
  let inflatedBytes = 0
  for (const block of blocks) {
    inflatedBytes += inflatedSize(block)
    if (inflatedBytes > limitBytes) throw decompressedTooLarge('snappy', limitBytes)
  }
  return blocks
}

function beginsStream(bytes: Buffer, at: number): boolean {
  return (
    bytes.length - at >= headerBytes &&
    bytes[at] === magic[0] &&
    bytes.compare(magic, 0, magic.length, at, at + magic.length) === 0
  )
}

/** The size a raw block inflates to: an unsigned varint in front of it. */
function inflatedSize(block: Buffer): number {
  let size = 0
  for (let at = 0; at < 5; at += 1) {
    const byte = block[at]
    if (byte === undefined) break
    size += (byte & 0x7f) * 2 ** (7 * at)
    if (byte < 0x80) return size
  }
  throw decompressionFailed('snappy', 'a block has no size')
}

function join(parts: readonly (Buffer | string)[]): Buffer {
  const buffers = parts as readonly Buffer[] // strings come only where the package is asked for them
  return buffers.length === 1 ? buffers[0]! : Buffer.concat(buffers)
}
