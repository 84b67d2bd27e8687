import * as fc from 'fast-check'
import type { Bytes, Message, RecordHeaders } from '../../ts/records/message.js'
import type { RecordBatch } from '../../ts/records/record-batch.js'
import { type BatchFields, RecordBatchBuilder } from '../../ts/records/record-batch-builder.js'
import { RecordBatchReader } from '../../ts/records/record-batch-reader.js'

/** CRC-32C bit by bit: slow, and independent of the engine's. */
export function crc32cBySteps(bytes: Uint8Array): number {
  let crc = 0xffffffff
  for (const byte of bytes) {
    crc ^= byte
    for (let bit = 0; bit < 8; bit++) crc = crc & 1 ? (crc >>> 1) ^ 0x82f63b78 : crc >>> 1
  }
  return (crc ^ 0xffffffff) >>> 0
}

/** One batch of all messages. */
export function batchOf(messages: readonly Message[], fields?: BatchFields): Buffer {
  const builder = new RecordBatchBuilder({ maxBytes: 16 * 1024 * 1024, initialBytes: 64 })
  if (builder.appendAll(messages, 0, 1_700_000_000_000) !== messages.length) throw new Error('the sample does not fit')
  return Buffer.from(builder.finish(fields))
}

export interface PlainRecord {
  offset: bigint
  timestamp: number
  key: string | null
  value: string | null
  headers: [string, string | (string | null)[] | null][]
}

const hex = (bytes: Buffer | null) => bytes?.toString('hex') ?? null

/** Everything a reader can see of a batch. */
export function recordsOf(batch: RecordBatch): PlainRecord[] {
  return Array.from(batch, (record) => ({
    offset: record.offset,
    timestamp: record.timestamp,
    key: hex(record.key),
    value: hex(record.value),
    headers: headersInHex(record.headers),
  }))
}

/** What recordsOf must say of these messages. */
export function expectedRecords(messages: readonly Message[], now: number, baseOffset = 0): PlainRecord[] {
  return messages.map((message, index) => ({
    offset: BigInt(baseOffset + index),
    timestamp: message.timestamp ?? now,
    key: bytesInHex(message.key ?? null),
    value: bytesInHex(message.value),
    headers: Object.entries(message.headers ?? {}).flatMap(([name, value]): PlainRecord['headers'] => {
      if (value === undefined) return []
      if (!Array.isArray(value)) return [[name, bytesInHex(value as Bytes | null)]]
      if (value.length < 2) return value.map((one) => [name, bytesInHex(one)])
      return [[name, value.map(bytesInHex)]]
    }),
  }))
}

/** Walks every way into a batch; used to see what damaged bytes do. */
export function readEverything(bytes: Buffer): void {
  for (const batch of new RecordBatchReader(bytes)) {
    batch.inflateNow(1024 * 1024)
    const cursor = batch.cursor()
    while (cursor.next()) {
      cursor.key()
      cursor.value()
      cursor.headers()
    }
    for (const record of batch) void [record.key, record.value, record.headers, record.timestamp, record.copy().key]
  }
}

const anyBytes: fc.Arbitrary<Bytes> = fc.oneof(
  fc.string({ unit: 'binary', maxLength: 80 }),
  fc.string({ maxLength: 80 }),
  fc.uint8Array({ maxLength: 200 }),
  fc.uint8Array({ maxLength: 200 }).map((bytes) => Buffer.from(bytes)),
)
const nullable = fc.option(anyBytes, { freq: 6 })
const headerName = fc.oneof(fc.string({ maxLength: 12 }), fc.constantFrom('__proto__', 'trace', 'schluessel-ä'))

/** Messages of every shape. */
export const anyMessage: fc.Arbitrary<Message> = fc.record(
  {
    key: nullable,
    value: nullable,
    headers: fc
      .uniqueArray(
        fc.tuple(headerName, fc.oneof(nullable, fc.array(nullable, { maxLength: 3 }), fc.constant(undefined))),
        {
          maxLength: 4,
          selector: ([name]) => name,
        },
      )
      .map((entries) => Object.fromEntries(entries)),
    timestamp: fc.oneof(
      fc.integer({ min: 1_699_999_990_000, max: 1_700_000_010_000 }),
      fc.maxSafeInteger().map((n) => Math.min(Math.abs(n), 8.64e15)),
      fc.constant(-1),
    ),
  },
  { requiredKeys: ['value'] },
)

function headersInHex(headers: RecordHeaders): PlainRecord['headers'] {
  return Object.entries(headers).map(([name, value]) => [name, Array.isArray(value) ? value.map(hex) : hex(value)])
}

function bytesInHex(bytes: Bytes | null): string | null {
  return bytes === null ? null : Buffer.from(bytes as Uint8Array).toString('hex')
}
