import { batchOverheadBytes, headerAt } from '../../ts/records/batch-header.js'
import { type CodecName, codecIndex } from '../../ts/records/codecs/codec-name.js'
import { compress } from '../../ts/records/codecs/codecs.js'
import type { Crc32c } from '../../ts/records/message.js'
import { patchCrc } from '../../ts/records/record-batch-builder.js'

/** The batch with its records compressed. */
export async function compressBatch(plain: Buffer, codec: string, crc32c: Crc32c): Promise<Buffer> {
  const body = await compress(codec as CodecName, plain.subarray(batchOverheadBytes))
  const batch = Buffer.concat([plain.subarray(0, batchOverheadBytes), body])
  batch.writeInt32BE(batch.length - 12, headerAt.batchLength)
  batch[headerAt.attributes + 1] |= codecIndex(codec as CodecName)
  patchCrc(batch, crc32c)
  return batch
}
