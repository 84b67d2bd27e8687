import type { Codec } from './codec.js'
import type { CodecName } from './codec-name.js'
import { gzipCodec } from './gzip.js'
import { lz4Codec } from './lz4.js'
import { snappyCodec } from './snappy.js'
import { hasNodeZstd, nodeZstdCodec } from './zstd-node.js'
import { loadZstdWasm, zstdWasmCodec } from './zstd-wasm.js'

/** What a batch may inflate to, unless the caller says otherwise. */
export const decompressLimitBytes = 64 * 1024 * 1024

/** Loads what a codec needs. Only the functions ending in `Now` need this, and only for zstd; the rest see to it. */
export async function loadCodec(name: CodecName): Promise<void> {
  if (name === 'zstd' && !hasNodeZstd()) await loadZstdWasm()
}

/** Compresses bytes, off this thread where they are large and the codec can. They must not change until it settles. */
export async function compress(name: CodecName, bytes: Buffer): Promise<Buffer> {
  return name === 'none' ? bytes : codecFor(name).compress(bytes)
}

/** As `compress`, on this thread. */
export function compressNow(name: CodecName, bytes: Buffer): Buffer {
  return name === 'none' ? bytes : codecFor(name).compressNow(bytes)
}

/**
 * Decompresses bytes, off this thread where they are large and the codec can. Throws SeglogError
 * DECOMPRESSED_TOO_LARGE above `limitBytes` (memory for the output stays below it), DECOMPRESSION_FAILED for damage.
 */
export async function decompress(name: CodecName, bytes: Buffer, limitBytes = decompressLimitBytes): Promise<Buffer> {
  return name === 'none' ? bytes : codecFor(name).decompress(bytes, limitBytes)
}

/** As `decompress`, on this thread. */
export function decompressNow(name: CodecName, bytes: Buffer, limitBytes = decompressLimitBytes): Buffer {
  return name === 'none' ? bytes : codecFor(name).decompressNow(bytes, limitBytes)
}

// The packages and node:zlib behind these are loaded by their first call.
function codecFor(name: Exclude<CodecName, 'none'>): Codec {
  switch (name) {
    case 'gzip':
      return gzipCodec
    case 'snappy':
      return snappyCodec
    case 'lz4':
      return lz4Codec
    case 'zstd':
      return hasNodeZstd() ? nodeZstdCodec : zstdWasmCodec
  }
}
