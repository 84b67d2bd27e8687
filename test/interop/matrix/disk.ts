import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { type Codec, codecs } from '../clients/foreign-client.js'

export interface StoredBatch {
  baseOffset: number
  codec: Codec
  records: number
  producerId: number
}

/** The batches in the segments of a partition's folder, by their headers alone (`<topic>-<partition>`). */
export function batchesOnDisk(data: string, folder: string): StoredBatch[] {
  const path = join(data, folder)
  const segments = readdirSync(path)
    .filter((name) => name.endsWith('.log'))
    .sort()
  return segments.flatMap((name) => batchesIn(readFileSync(join(path, name))))
}

function batchesIn(bytes: Buffer): StoredBatch[] {
  const batches: StoredBatch[] = []
  // A segment that is being written may be longer than what it holds: the rest is zeros.
  for (let at = 0; at + 61 <= bytes.length && bytes.readInt32BE(at + 8) > 0; at += 12 + bytes.readInt32BE(at + 8)) {
    batches.push({
      baseOffset: Number(bytes.readBigInt64BE(at)),
      codec: codecs[bytes.readInt16BE(at + 21) & 7] as Codec,
      producerId: Number(bytes.readBigInt64BE(at + 43)),
      records: bytes.readInt32BE(at + 57),
    })
  }
  return batches
}
