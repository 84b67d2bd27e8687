import { promisify } from 'node:util'
import type { ZlibOptions } from 'node:zlib'
import { type Codec, decompressedTooLarge, decompressionFailed } from './codec.js'

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

const zstd = () => require('node:zlib') as ZstdZlib

/** Zstandard by node:zlib; several frames in a row are one text. Promises run on libuv's threads. */
export const nodeZstdCodec: Codec = {
  compress: (bytes) => promisify(zstd().zstdCompress)(bytes),
  compressNow: (bytes) => zstd().zstdCompressSync(bytes),
  decompress: (bytes, limitBytes) =>
    promisify(zstd().zstdDecompress)(bytes, optionsFor(limitBytes)).catch((error: Error) => {
      throw translate(error, limitBytes)
    }),
  decompressNow(bytes, limitBytes) {
    try {
      return zstd().zstdDecompressSync(bytes, optionsFor(limitBytes))
    } catch (error) {
      throw translate(error as Error, limitBytes)
    }
  },
}

function optionsFor(limitBytes: number): ZlibOptions {
  return { maxOutputLength: Math.max(limitBytes, 1), chunkSize: 128 * 1024 }
}

function translate(error: Error & { code?: string }, limitBytes: number): Error {
  if (error.code === 'ERR_BUFFER_TOO_LARGE') return decompressedTooLarge('zstd', limitBytes)
  return decompressionFailed('zstd', error.message, error)
}
