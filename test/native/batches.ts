/** Record batches v2 built by hand, so that these tests stand on nothing but the engine. */
export interface BatchOptions {
  baseOffset?: number
  records?: number
  valueBytes?: number
  timestamp?: number
  producerId?: number
  baseSequence?: number
}

/** A whole uncompressed batch without a CRC: the engine computes it. Record n has timestamp + n. */
export function batch(options: BatchOptions = {}): Buffer {
  const { baseOffset = 0, records = 1, valueBytes = 20, timestamp = 1_700_000_000_000, producerId = -1 } = options
  const body = Buffer.concat(
    Array.from({ length: records }, (_, i) => record(i, Buffer.alloc(valueBytes, 97 + (i % 26)))),
  )
  const bytes = Buffer.alloc(61 + body.length)
  bytes.writeBigInt64BE(BigInt(baseOffset), 0)
  bytes.writeInt32BE(bytes.length - 12, 8)
  bytes.writeInt32BE(-1, 12)
  bytes.writeInt8(2, 16)
  bytes.writeInt32BE(records - 1, 23)
  bytes.writeBigInt64BE(BigInt(timestamp), 27)
  bytes.writeBigInt64BE(BigInt(timestamp + records - 1), 35)
  bytes.writeBigInt64BE(BigInt(producerId), 43)
  bytes.writeInt16BE(producerId < 0 ? -1 : 0, 51)
  bytes.writeInt32BE(producerId < 0 ? -1 : (options.baseSequence ?? 0), 53)
  bytes.writeInt32BE(records, 57)
  body.copy(bytes, 61)
  return bytes
}

/** A batch of one record that is `size` bytes in all. */
export function batchOfSize(size: number): Buffer {
  let valueBytes = size - 61 - 8
  for (;;) {
    const bytes = batch({ valueBytes })
    if (bytes.length === size) return bytes
    valueBytes += Math.sign(size - bytes.length)
  }
}

function record(index: number, value: Buffer): Buffer {
  const body = Buffer.concat([
    Buffer.from([0]),
    varint(index),
    varint(index),
    varint(-1),
    varint(value.length),
    value,
    varint(0),
  ])
  return Buffer.concat([varint(body.length), body])
}

function varint(number: number): Buffer {
  const bytes: number[] = []
  let rest = ((number << 1) ^ (number >> 31)) >>> 0
  for (; rest > 127; rest >>>= 7) bytes.push((rest & 127) | 128)
  return Buffer.from([...bytes, rest])
}

/** What the engine makes of a batch on disk: base offset and leader epoch patched, checksummed. */
export function stored(
  bytes: Buffer,
  baseOffset: number,
  leaderEpoch: number,
  crc32c: (bytes: Uint8Array) => number,
): Buffer {
  const copy = Buffer.from(bytes)
  copy.writeBigInt64BE(BigInt(baseOffset), 0)
  copy.writeInt32BE(leaderEpoch, 12)
  copy.writeUInt32BE(crc32c(copy.subarray(21)), 17)
  return copy
}
