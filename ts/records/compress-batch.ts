import { SeglogError } from '../errors/seglog-error.js'
import { attributeBits, batchLengthEnd, batchOverheadBytes, headerAt } from './batch-header.js'
import { type CodecName, codecIndex } from './codecs/codec-name.js'
import { compress, compressNow } from './codecs/codecs.js'
import type { Crc32c } from './message.js'
import { patchCrc } from './record-batch-builder.js'

/**
 * Compresses the records of a finished, uncompressed batch (as `RecordBatchBuilder.finish` gives it) off this thread
 * where they are large; it must not change until the promise settles. Returns a new batch with the codec in its
 * attributes and its length adjusted; for 'none' the batch itself. The CRC is 0 unless `crc32c` is given.
 * Throws SeglogError INVALID_BATCH for a batch that is compressed already.
 */
export async function compressBatch(batch: Buffer, codec: CodecName, crc32c?: Crc32c): Promise<Buffer> {
  if (codec === 'none') return batch
  return withRecords(batch, codec, await compress(codec, plainRecords(batch)), crc32c)
}

/** As `compressBatch`, on this thread; for zstd on Node without its own, `loadCodec('zstd')` must have resolved. */
export function compressBatchNow(batch: Buffer, codec: CodecName, crc32c?: Crc32c): Buffer {
  if (codec === 'none') return batch
  return withRecords(batch, codec, compressNow(codec, plainRecords(batch)), crc32c)
}

function plainRecords(batch: Buffer): Buffer {
  if ((batch.readInt16BE(headerAt.attributes) & attributeBits.codec) !== 0) {
    throw new SeglogError('INVALID_BATCH', 'this batch is compressed already')
  }
  return batch.subarray(batchOverheadBytes)
}

function withRecords(batch: Buffer, codec: CodecName, records: Buffer, crc32c: Crc32c | undefined): Buffer {
  const result = Buffer.allocUnsafe(batchOverheadBytes + records.length)
  batch.copy(result, 0, 0, batchOverheadBytes)
  records.copy(result, batchOverheadBytes)
  result.writeInt32BE(result.length - batchLengthEnd, headerAt.batchLength)
  result.writeInt16BE(result.readInt16BE(headerAt.attributes) | codecIndex(codec), headerAt.attributes)
  result.writeUInt32BE(0, headerAt.crc)
  if (crc32c !== undefined) patchCrc(result, crc32c)
  return result
}
