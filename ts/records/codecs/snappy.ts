import { setImmediate as nextTurn } from 'node:timers/promises'
import { type Codec, decompressionFailed } from './codec.js'
import { compressSnappyBlock, decompressSnappyBlock, maxSnappyBytes } from './snappy-block.js'

/** What xerial's SnappyOutputStream, and with it Kafka's Java client, begins its stream with. */
const magic = Buffer.from([0x82, 0x53, 0x4e, 0x41, 0x50, 0x50, 0x59, 0x00])
const headerBytes = magic.length + 8 // version and compatible version follow, int32 each
const blockBytes = 32 * 1024
/** Work between two turns of the event loop, in bytes of plain data: about a millisecond. */
const turnBytes = 512 * 1024

/**
 * Snappy as Kafka frames it: xerial's header, then blocks of 32 KiB, each behind its int32 length. Reads raw blocks
 * too, which librdkafka writes. Runs on the calling thread; the promises give way to the event loop between blocks.
 */
export const snappyCodec: Codec = {
  async compress(bytes) {
    const stream = new SnappyCompressor(bytes)
    while (!stream.run(turnBytes)) await nextTurn()
    return stream.result()
  },
  compressNow(bytes) {
    const stream = new SnappyCompressor(bytes)
    stream.run(Number.POSITIVE_INFINITY)
    return stream.result()
  },
  async decompress(bytes, limitBytes) {
    const stream = new SnappyDecompressor(bytes, limitBytes)
    while (!stream.run(turnBytes)) await nextTurn()
    return stream.result()
  },
  decompressNow(bytes, limitBytes) {
    const stream = new SnappyDecompressor(bytes, limitBytes)
    stream.run(Number.POSITIVE_INFINITY)
    return stream.result()
  },
}

class SnappyCompressor {
  private readonly source: Buffer
  private readonly target: Buffer
  private at = 0
  private position: number

  constructor(source: Buffer) {
    this.source = source
    const blocks = Math.ceil(source.length / blockBytes)
    this.target = Buffer.allocUnsafe(headerBytes + blocks * (4 + maxSnappyBytes(0)) + maxSnappyBytes(source.length))
    magic.copy(this.target)
    this.position = this.target.writeInt32BE(1, magic.length)
    this.position = this.target.writeInt32BE(1, this.position)
  }

  /** Compresses about `bytes` more; true when done. */
  run(bytes: number): boolean {
    const { source, target } = this
    const stop = Math.min(source.length, this.at + bytes)
    while (this.at < stop) {
      const end = Math.min(this.at + blockBytes, source.length)
      const start = this.position + 4
      this.position = compressSnappyBlock(source, this.at, end, target, start)
      target.writeInt32BE(this.position - start, start - 4)
      this.at = end
    }
    return this.at === source.length
  }

  result(): Buffer {
    return this.target.subarray(0, this.position)
  }
}

class SnappyDecompressor {
  private readonly source: Buffer
  private readonly limitBytes: number
  private readonly isFramed: boolean
  private readonly parts: Buffer[] = []
  private at: number
  private inflatedBytes = 0

  constructor(source: Buffer, limitBytes: number) {
    this.source = source
    this.limitBytes = limitBytes
    this.isFramed = this.beginsStream(0)
    this.at = this.isFramed ? headerBytes : 0
  }

  /** Inflates about `bytes` more; true when done. */
  run(bytes: number): boolean {
    const { source } = this
    const stop = this.inflatedBytes + bytes
    while (this.at < source.length && this.inflatedBytes < stop) {
      let end = source.length
      if (this.isFramed) {
        // Streams may be joined: the next one's header stands where a length would.
        if (this.beginsStream(this.at)) this.at += headerBytes
        const length = end - this.at < 4 ? -1 : source.readInt32BE(this.at)
        this.at += 4
        if (length < 0 || length > end - this.at) throw decompressionFailed('snappy', 'a block is cut off')
        end = this.at + length
      }
      const leftBytes = this.limitBytes - this.inflatedBytes
      const part = decompressSnappyBlock(source, this.at, end, leftBytes)
      this.parts.push(part)
      this.inflatedBytes += part.length
      this.at = end
    }
    return this.at === source.length
  }

  private beginsStream(at: number): boolean {
    const { source } = this
    return (
      source.length - at >= headerBytes &&
      source[at] === magic[0] &&
      source.compare(magic, 0, magic.length, at, at + magic.length) === 0
    )
  }

  result(): Buffer {
    return this.parts.length === 1 ? this.parts[0]! : Buffer.concat(this.parts, this.inflatedBytes)
  }
}
