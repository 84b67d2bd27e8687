/**
 * What stands in the records of the soak. A record's key names it, and its value follows from the key: so whoever reads
 * a record can tell each of its bytes without having seen it before.
 */
import { openEngine } from '../../ts/native/open-engine.js'
import type { RecordBatch } from '../../ts/records/record-batch.js'
import { RecordBatchBuilder } from '../../ts/records/record-batch-builder.js'
import type { RecordCursor } from '../../ts/records/record-cursor.js'
import { Random } from './random.js'

/** Where a batch was sent, by which connection, as which of those that this one sent there. */
export interface BatchName {
  /** Of its topic: no two topics have the same, those of one name among them. */
  readonly incarnation: number
  readonly partition: number
  readonly writer: number
  readonly sequence: number
}

/** The broker's default of message.max.bytes. */
export const batchBytesMax = 1_048_588
const keyBytes = 24
const recordsMax = 400
/** What a record of some size takes besides its value. */
const recordOverheadBytes = keyBytes + 12
const batchOverheadBytes = 61

const valueBytesMax = batchBytesMax - batchOverheadBytes - recordOverheadBytes
const pool = new Random(20_261_125).bytes(8 << 20)
const crc32c = (bytes: Uint8Array): number => openEngine().crc32c(bytes)
const builder = new RecordBatchBuilder({ maxBytes: batchBytesMax })
const key = Buffer.alloc(keyBytes)
const keyAt = { incarnation: 0, writer: 4, sequence: 8, valueBytes: 12, partition: 16, index: 18, count: 20, zero: 22 }

/** A batch of about `sizeBytes`, as a client sends it, of one record or up to some hundreds. */
export function makeBatch(name: BatchName, sizeBytes: number): { bytes: Buffer; count: number } {
  const wanted = 1 + (mix(name, 0) % recordsMax) ** 2 / recordsMax
  const room = Math.min(sizeBytes, batchBytesMax) - batchOverheadBytes
  const count = Math.max(1, Math.min(Math.floor(wanted), Math.floor(room / (recordOverheadBytes + 20))))
  const valueBytes = Math.max(0, Math.min(valueBytesMax, Math.floor(room / count) - recordOverheadBytes))
  builder.reset()
  for (let index = 0; index < count; index += 1) {
    writeKey(name, index, count, valueBytes)
    if (!builder.append({ key, value: valueFor(name, index, valueBytes) }))
      throw new Error('the batch has grown too long')
  }
  return { bytes: Buffer.from(builder.finish({ crc32c })), count }
}

/**
 * Checks each byte of a batch that was read from the partition; answers its name. Throws where anything is not as it was
 * sent.
 */
export function checkBatch(batch: RecordBatch, incarnation: number | null, partition: number): BatchName {
  const { header } = batch
  const where = `the batch at offset ${header.baseOffset} of partition ${partition}`
  if (!batch.crcMatches(crc32c)) throw new Error(`${where} has a wrong checksum`)
  if (header.lastOffsetDelta !== header.recordCount - 1) throw new Error(`the offsets of ${where} have gaps`)
  const cursor = batch.cursor()
  let name: BatchName | null = null
  for (let index = 0; cursor.next(); index += 1) {
    const sent = cursor.key()
    if (sent === null || sent.length !== keyBytes) throw new Error(`${where} has a record that nobody sent`)
    name ??= nameIn(sent)
    const valueBytes = sent.readUInt32BE(keyAt.valueBytes)
    writeKey(name, index, header.recordCount, valueBytes)
    if (!key.equals(sent)) throw new Error(`record ${index} of ${where} has the key ${sent.toString('hex')}`)
    if (cursor.offsetDelta !== index) throw new Error(`record ${index} of ${where} has the offset ${cursor.offset}`)
    checkValue(cursor, name, index, valueBytes, where)
  }
  if (name === null) throw new Error(`${where} is empty`)
  if (name.partition !== partition || (incarnation !== null && name.incarnation !== incarnation)) {
    throw new Error(`${where} was sent to partition ${name.partition} of topic ${name.incarnation}`)
  }
  return name
}

function checkValue(cursor: RecordCursor, name: BatchName, index: number, valueBytes: number, where: string): void {
  const value = cursor.value()
  const due = valueFor(name, index, valueBytes)
  if (value?.equals(due)) return
  const at = value === null ? -1 : due.findIndex((byte, i) => byte !== value[i])
  const sizes = `${value?.length ?? 'no'} bytes of ${valueBytes}`
  throw new Error(`record ${index} of ${where} has another value than was sent: ${sizes}, different from ${at} on`)
}

function nameIn(bytes: Buffer): BatchName {
  return {
    incarnation: bytes.readUInt32BE(keyAt.incarnation),
    partition: bytes.readUInt16BE(keyAt.partition),
    writer: bytes.readUInt32BE(keyAt.writer),
    sequence: bytes.readUInt32BE(keyAt.sequence),
  }
}

function writeKey(name: BatchName, index: number, count: number, valueBytes: number): void {
  key.writeUInt32BE(name.incarnation, keyAt.incarnation)
  key.writeUInt32BE(name.writer, keyAt.writer)
  key.writeUInt32BE(name.sequence, keyAt.sequence)
  key.writeUInt32BE(valueBytes, keyAt.valueBytes)
  key.writeUInt16BE(name.partition, keyAt.partition)
  key.writeUInt16BE(index, keyAt.index)
  key.writeUInt16BE(count, keyAt.count)
  key.writeUInt16BE(0, keyAt.zero)
}

/** A piece of one pool of random bytes: two records have the same start in it once in eight million times. */
function valueFor(name: BatchName, index: number, valueBytes: number): Buffer {
  const start = mix(name, index + 1) % (pool.length - valueBytesMax)
  return pool.subarray(start, start + valueBytes)
}

function mix({ incarnation, partition, writer, sequence }: BatchName, index: number): number {
  let mixed = 0x9e37_79b9
  for (const part of [incarnation, partition, writer, sequence, index]) {
    mixed = Math.imul(mixed ^ part, 0x85eb_ca6b)
    mixed ^= mixed >>> 13
    mixed = Math.imul(mixed, 0xc2b2_ae35)
    mixed ^= mixed >>> 16
  }
  return mixed >>> 0
}
