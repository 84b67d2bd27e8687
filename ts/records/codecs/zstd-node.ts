import { promisify } from 'node:util'
import type { ZlibOptions as PlainZlibOptions } from 'node:zlib'
import { type Codec, decompressedTooLarge, decompressionFailed } from './codec.js'
import { outlineZstdFrames } from './zstd-frame.js'

type ZlibOptions = PlainZlibOptions & { params: Record<number, number> }

/** The part of node:zlib that Node 22.15 brought. */
interface ZstdZlib {
  zstdCompress(bytes: Buffer, callback: (error: Error | null, result: Buffer) => void): void
  zstdDecompress(bytes: Buffer, options: ZlibOptions, callback: (error: Error | null, result: Buffer) => void): void
  zstdCompressSync(bytes: Buffer): Buffer
  zstdDecompressSync(bytes: Buffer, options: ZlibOptions): Buffer
}

/** Whether this Node's zlib has Zstandard. */
export function hasNodeZstd(): boolean {
  return 'zstdCompress' in zstd()
}

const zlib = () => require('node:zlib') as typeof import('node:zlib')
const zstd = () => zlib() as unknown as ZstdZlib

/**
 * Zstandard by node:zlib. It reads the first of several frames only, and takes one that is cut off for whole (both seen
 * in 22.23), so the frames are outlined first and inflated one by one. Promises run on libuv's threads.
 */
export const nodeZstdCodec: Codec = {
  compress: (bytes) => promisify(zstd().zstdCompress)(bytes),
  compressNow: (bytes) => zstd().zstdCompressSync(bytes),
  async decompress(bytes, limitBytes) {
    const inflate = promisify(zstd().zstdDecompress)
    const parts: Buffer[] = []
    let leftBytes = limitBytes
    for (const { start, end } of outlineZstdFrames(bytes, limitBytes)) {
      const part = await inflate(bytes.subarray(start, end), optionsFor(leftBytes)).catch((error: Error) => {
        throw translate(error, limitBytes)
      })
      leftBytes = leftAfter(part, leftBytes, limitBytes)
      parts.push(part)
    }
    return join(parts)
  },
  decompressNow(bytes, limitBytes) {
    const parts: Buffer[] = []
    let leftBytes = limitBytes
    for (const { start, end } of outlineZstdFrames(bytes, limitBytes)) {
      let part: Buffer
      try {
        part = zstd().zstdDecompressSync(bytes.subarray(start, end), optionsFor(leftBytes))
      } catch (error) {
        throw translate(error as Error, limitBytes)
      }
      leftBytes = leftAfter(part, leftBytes, limitBytes)
      parts.push(part)
    }
    return join(parts)
  },
}

/** Frames up to this window are read whatever the limit is: RFC 8878 asks it of every reader. */
const windowBits = 23

function optionsFor(limitBytes: number): ZlibOptions {
  const { ZSTD_d_windowLogMax: windowLogMax } = zlib().constants as unknown as Record<string, number>
  return {
    // Zero is not a length that zlib takes.
    maxOutputLength: Math.max(limitBytes, 1),
    chunkSize: 128 * 1024,
    params: { [windowLogMax!]: Math.max(windowBits, Math.min(27, Math.floor(Math.log2(limitBytes + 1)))) },
  }
}

function leftAfter(part: Buffer, leftBytes: number, limitBytes: number): number {
  if (part.length > leftBytes) throw decompressedTooLarge('zstd', limitBytes)
  return leftBytes - part.length
}

function translate(error: Error & { code?: string }, limitBytes: number): Error {
  if (error.code === 'ERR_BUFFER_TOO_LARGE' || error.code === 'ZSTD_error_frameParameter_windowTooLarge') {
    return decompressedTooLarge('zstd', limitBytes)
  }
  return decompressionFailed('zstd', error.message, error)
}

function join(parts: Buffer[]): Buffer {
  return parts.length === 1 ? parts[0]! : Buffer.concat(parts)
}
