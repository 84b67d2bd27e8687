import { type Codec, codecMissing, decompressionFailed } from './codec.js'
import { outlineLz4Frames } from './lz4-frame.js'

type Lz4Module = typeof import('lz4-napi')

/** Below this, handing the work to a thread costs more than the work. */
const threadBytes = 64 * 1024

/**
 * LZ4 frames by lz4-napi, independent blocks as Kafka's Java client demands. lz4-napi inflates without a
 * bound and stops behind the first frame, so the frames are outlined first and inflated one by one.
 */
export const lz4Codec: Codec = {
  compress: async (bytes) => (bytes.length < threadBytes ? lz4().compressFrameSync(bytes) : lz4().compressFrame(bytes)),
  compressNow: (bytes) => lz4().compressFrameSync(bytes),
  async decompress(bytes, limitBytes) {
    const frames = outlineLz4Frames(bytes, limitBytes)
    const parts: Buffer[] = []
    const { decompressFrame, decompressFrameSync } = lz4()
    for (const { start, end, contentBytes } of frames) {
      const frame = bytes.subarray(start, end)
      try {
        parts.push(contentBytes < threadBytes ? decompressFrameSync(frame) : await decompressFrame(frame))
      } catch (error) {
        throw decompressionFailed('lz4', (error as Error).message, error)
      }
    }
    return join(parts)
  },
  decompressNow(bytes, limitBytes) {
    const { decompressFrameSync } = lz4()
    const parts = outlineLz4Frames(bytes, limitBytes).map(({ start, end }) => {
      try {
        return decompressFrameSync(bytes.subarray(start, end))
      } catch (error) {
        throw decompressionFailed('lz4', (error as Error).message, error)
      }
    })
    return join(parts)
  },
}

let loaded: Lz4Module | null = null

function lz4(): Lz4Module {
  try {
    loaded ??= require('lz4-napi') as Lz4Module
    return loaded
  } catch (cause) {
    throw codecMissing('lz4', 'lz4-napi', cause)
  }
}

function join(parts: Buffer[]): Buffer {
  return parts.length === 1 ? parts[0]! : Buffer.concat(parts)
}
