import { SeglogError } from '../../errors/seglog-error.js'
import { type Codec, codecMissing, decompressedTooLarge, decompressionFailed } from './codec.js'
import { outlineZstdFrames, type ZstdFrame } from './zstd-frame.js'
import { runOnZstdThread } from './zstd-thread.js'

interface ZstdModule {
  init(): Promise<void>
  compress(bytes: Uint8Array, level?: number): Uint8Array
  decompress(bytes: Uint8Array, options: { defaultHeapSize: number }): Uint8Array
}

/** Work above this goes to the thread; below it, it takes a millisecond at most. */
const threadBytes = 256 * 1024
/** The module's memory ends at 2 GiB and it does not check its allocations. */
const maxBytes = 512 * 1024 * 1024

let loaded: ZstdModule | null = null
let loading: Promise<ZstdModule> | null = null

/** Compiles the module; once. */
export function loadZstdWasm(): Promise<ZstdModule> {
  loading ??= (async () => {
    try {
      const zstd = require('@bokuweb/zstd-wasm') as ZstdModule
      await zstd.init()
      loaded = zstd
      return zstd
    } catch (cause) {
      throw codecMissing('zstd', '@bokuweb/zstd-wasm', cause)
    }
  })()
  return loading
}

/**
 * Zstandard in WebAssembly, for a Node whose zlib lacks it (before 22.15). The module inflates in one call and asks for
 * the room first, so the frames are outlined beforehand and inflated one by one. Small input runs on the calling
 * thread, large on a worker.
 */
export const zstdWasmCodec: Codec = {
  async compress(bytes) {
    checkSize(bytes.length)
    return bytes.length < threadBytes ? asBuffer((await loadZstdWasm()).compress(bytes)) : runOnZstdThread(bytes, -1)
  },
  compressNow(bytes) {
    checkSize(bytes.length)
    return asBuffer(loadedModule().compress(bytes))
  },
  async decompress(bytes, limitBytes) {
    const join = new FrameJoin(limitBytes)
    for (const frame of outlineZstdFrames(bytes, limitBytes)) {
      const capacityBytes = join.capacityFor(frame)
      const part = bytes.subarray(frame.start, frame.end)
      try {
        if (Math.max(capacityBytes, part.length) >= threadBytes) join.add(await runOnZstdThread(part, capacityBytes))
        else join.add((await loadZstdWasm()).decompress(part, { defaultHeapSize: capacityBytes }))
      } catch (error) {
        throw join.translate(error as Error, frame)
      }
    }
    return join.result()
  },
  decompressNow(bytes, limitBytes) {
    const zstd = loadedModule()
    const join = new FrameJoin(limitBytes)
    for (const frame of outlineZstdFrames(bytes, limitBytes)) {
      try {
        const capacityBytes = join.capacityFor(frame)
        join.add(zstd.decompress(bytes.subarray(frame.start, frame.end), { defaultHeapSize: capacityBytes }))
      } catch (error) {
        throw join.translate(error as Error, frame)
      }
    }
    return join.result()
  },
}

/** Collects the content of frames below a limit. */
class FrameJoin {
  private readonly limitBytes: number
  private readonly parts: Uint8Array[] = []
  private bytes = 0

  constructor(limitBytes: number) {
    this.limitBytes = Math.min(limitBytes, maxBytes)
  }

  /** Room for the content of the next frame: no more than the limit leaves. */
  capacityFor(frame: ZstdFrame): number {
    return Math.min(frame.capacityBytes, this.limitBytes - this.bytes)
  }

  add(part: Uint8Array): void {
    this.parts.push(part)
    this.bytes += part.length
  }

  translate(error: Error, frame: ZstdFrame): SeglogError {
    const wasCutShort = this.capacityFor(frame) < frame.capacityBytes
    // 70 is zstd's stable code for a destination that is too small; the module gives it as a negative number.
    if (wasCutShort && /-70\b/.test(error.message)) return decompressedTooLarge('zstd', this.limitBytes)
    return decompressionFailed('zstd', error.message, error)
  }

  result(): Buffer {
    return this.parts.length === 1 ? asBuffer(this.parts[0]!) : Buffer.concat(this.parts, this.bytes)
  }
}

function loadedModule(): ZstdModule {
  if (loaded !== null) return loaded
  throw new SeglogError(
    'INVALID_ARGUMENT',
    "zstd is not loaded: await loadCodec('zstd') before calling it without a promise",
  )
}

function checkSize(bytes: number): void {
  if (bytes <= maxBytes) return
  throw new SeglogError(
    'BATCH_TOO_LARGE',
    `${bytes} bytes are more than zstd takes at once (${maxBytes}): send smaller batches`,
  )
}

function asBuffer(bytes: Uint8Array): Buffer {
  return Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length)
}
