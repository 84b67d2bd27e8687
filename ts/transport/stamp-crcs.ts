import type { ProduceRequest } from '../protocol/messages/00-produce.js'
import type { Crc32c } from '../records/message.js'
import { patchCrc } from '../records/record-batch-builder.js'

/** Gives each batch of a request its checksum: batches that stay in the process need none, so producers leave it out. */
export function stampCrcs(request: ProduceRequest, crc32c: Crc32c): void {
  for (const { partitionData } of request.topicData) {
    for (const { records } of partitionData) if (records instanceof Uint8Array) patchCrc(asBuffer(records), crc32c)
  }
}

function asBuffer(bytes: Uint8Array): Buffer {
  return Buffer.isBuffer(bytes) ? bytes : Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length)
}
