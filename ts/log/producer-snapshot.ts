import { SeglogError } from '../errors/seglog-error.js'

/** One producer in a `.snapshot` file: its last batch, nothing before it. */
export interface ProducerSnapshotEntry {
  producerId: number
  producerEpoch: number
  /** -1 if the producer has written no data under this epoch. */
  lastSequence: number
  lastOffset: number
  /** Last offset minus first offset of the last batch. */
  offsetDelta: number
  timestamp: number
  coordinatorEpoch: number
  /** First offset of the open transaction, -1 if none. */
  currentTxnFirstOffset: number
}

type Crc32c = (bytes: Uint8Array) => number

const headerBytes = 10 // int16 version, uint32 crc, int32 count
const crcEnd = 6
const entryBytes = 46
const version = 1

/** The file `<offset>.snapshot`: producer state before that offset, in Kafka's format (version 1, CRC-32C from byte 6). */
export function serializeProducerSnapshot(entries: readonly ProducerSnapshotEntry[], crc32c: Crc32c): Buffer {
  const bytes = Buffer.alloc(headerBytes + entries.length * entryBytes)
  bytes.writeInt16BE(version, 0)
  bytes.writeInt32BE(entries.length, crcEnd)
  let at = headerBytes
  for (const entry of entries) {
    bytes.writeBigInt64BE(BigInt(entry.producerId), at)
    bytes.writeInt16BE(entry.producerEpoch, at + 8)
    bytes.writeInt32BE(entry.lastSequence, at + 10)
    bytes.writeBigInt64BE(BigInt(entry.lastOffset), at + 14)
    bytes.writeInt32BE(entry.offsetDelta, at + 22)
    bytes.writeBigInt64BE(BigInt(entry.timestamp), at + 26)
    bytes.writeInt32BE(entry.coordinatorEpoch, at + 34)
    bytes.writeBigInt64BE(BigInt(entry.currentTxnFirstOffset), at + 38)
    at += entryBytes
  }
  bytes.writeUInt32BE(crc32c(bytes.subarray(crcEnd)) >>> 0, 2)
  return bytes
}

/** Reads such a file. Throws CORRUPT_LOG naming `path` where length, version or CRC is wrong. */
export function parseProducerSnapshot(bytes: Buffer, crc32c: Crc32c, path: string): ProducerSnapshotEntry[] {
  const wrong = (what: string): SeglogError =>
    new SeglogError('CORRUPT_LOG', `producer snapshot ${path}: ${what}`, { path })
  if (bytes.length < headerBytes) throw wrong(`${bytes.length} bytes`)
  if (bytes.readInt16BE(0) !== version) throw wrong(`unknown version ${bytes.readInt16BE(0)}`)
  const count = bytes.readInt32BE(crcEnd)
  if (bytes.length !== headerBytes + count * entryBytes) throw wrong(`${bytes.length} bytes for ${count} entries`)
  if (bytes.readUInt32BE(2) !== crc32c(bytes.subarray(crcEnd)) >>> 0) throw wrong('wrong CRC')
  return Array.from({ length: count }, (_, index) => {
    const at = headerBytes + index * entryBytes
    return {
      producerId: Number(bytes.readBigInt64BE(at)),
      producerEpoch: bytes.readInt16BE(at + 8),
      lastSequence: bytes.readInt32BE(at + 10),
      lastOffset: Number(bytes.readBigInt64BE(at + 14)),
      offsetDelta: bytes.readInt32BE(at + 22),
      timestamp: Number(bytes.readBigInt64BE(at + 26)),
      coordinatorEpoch: bytes.readInt32BE(at + 34),
      currentTxnFirstOffset: Number(bytes.readBigInt64BE(at + 38)),
    }
  })
}
