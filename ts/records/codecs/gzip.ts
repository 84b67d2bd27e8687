import { promisify } from 'node:util'
import type { ZlibOptions } from 'node:zlib'
import { type Codec, decompressedTooLarge, decompressionFailed } from './codec.js'

// Loaded when first used: it takes a few milliseconds of a program's start.
const zlib = () => require('node:zlib') as typeof import('node:zlib')

/** Gzip by node:zlib; several members in a row are one text. Promises run on libuv's threads. */
export const gzipCodec: Codec = {
  compress: (bytes) => promisify<Buffer, Buffer>(zlib().gzip)(bytes),
  compressNow: (bytes) => zlib().gzipSync(bytes),
  decompress: (bytes, limitBytes) =>
    promisify<Buffer, ZlibOptions, Buffer>(zlib().gunzip)(bytes, optionsFor(limitBytes)).catch((error: Error) => {
      throw translate(error, limitBytes)
    }),
  decompressNow(bytes, limitBytes) {
    try {
      return zlib().gunzipSync(bytes, optionsFor(limitBytes))
    } catch (error) {
      throw translate(error as Error, limitBytes)
    }
  },
}

function optionsFor(limitBytes: number): ZlibOptions {
  return { maxOutputLength: Math.max(limitBytes, 1), chunkSize: 64 * 1024 }
}

function translate(error: Error & { code?: string }, limitBytes: number): Error {
  if (error.code === 'ERR_BUFFER_TOO_LARGE') return decompressedTooLarge('gzip', limitBytes)
  return decompressionFailed('gzip', error.message, error)
}
