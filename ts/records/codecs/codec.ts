import { SeglogError } from '../../errors/seglog-error.js'

/**
 * One compression format. The `Now` methods run on the calling thread; the others may, for small input, and leave it
 * for large input as far as the codec can. Input is borrowed until the promise settles; output is new memory.
 *
 * Decompression takes no more memory for its output than `limitBytes`, plus a block: more is a SeglogError
 * DECOMPRESSED_TOO_LARGE, damaged input DECOMPRESSION_FAILED.
 */
export interface Codec {
  compress(bytes: Buffer): Promise<Buffer>
  compressNow(bytes: Buffer): Buffer
  decompress(bytes: Buffer, limitBytes: number): Promise<Buffer>
  decompressNow(bytes: Buffer, limitBytes: number): Buffer
}

export function decompressionFailed(codec: string, why: string, cause?: unknown): SeglogError {
  return new SeglogError('DECOMPRESSION_FAILED', `the ${codec} data of this batch is damaged: ${why}`, { cause })
}

export function decompressedTooLarge(codec: string, limitBytes: number): SeglogError {
  return new SeglogError(
    'DECOMPRESSED_TOO_LARGE',
    `the ${codec} data of this batch inflates to more than ${limitBytes} bytes: raise the decompression limit if it is to be trusted`,
  )
}

export function codecMissing(codec: string, packageName: string, cause: unknown): SeglogError {
  return new SeglogError(
    'UNSUPPORTED',
    `the ${codec} codec needs ${packageName}, which does not load here: ${(cause as Error).message}; ` +
      `npm may have left out its binary for this platform (npm i ${packageName}), or choose another codec`,
    { cause },
  )
}
