import type { LogConfig } from '../log/log-config.js'
import type { MaybePromise } from '../log/maybe-promise.js'
import { protocolError } from '../protocol/errors.js'
import type { Records } from '../protocol/schema.js'
import { BatchHeader, batchOverheadBytes, headerAt, readInt64, writeInt64 } from '../records/batch-header.js'
import { codecName } from '../records/codecs/codec-name.js'
import { decompress } from '../records/codecs/codecs.js'
import type { Crc32c } from '../records/message.js'
import { RecordBatch } from '../records/record-batch.js'
import { patchCrc } from '../records/record-batch-builder.js'
import { RecordCursor } from '../records/record-cursor.js'

const codecLast = 4
const zstd = 4
const zstdSince = 7

/**
 * Checks what a produce request brought for one partition and answers it as the buffers to append. In-process batches
 * (`trusted`) were made by our encoder: only their timestamps are compared with the topic's bounds, and on compacted
 * topics their keys are looked for. Throws INVALID_RECORD for none, or none with a key; INVALID_TIMESTAMP.
 */
export function trustedBatches(records: Records | null, config: LogConfig, now: number): Records {
  if (records === null || records.length === 0) throw protocolError('INVALID_RECORD', 'the request has no records')
  if (config.cleanupPolicy.includes('compact')) {
    if (records instanceof Uint8Array) checkKeys(records)
    else for (const batch of records) checkKeys(batch)
  }
  if (config.messageTimestampType === 'LogAppendTime') return records
  if (records instanceof Uint8Array) checkTimestamps(records, config, now)
  else for (const batch of records) checkTimestamps(batch, config, now)
  return records
}

function checkKeys(bytes: Uint8Array): void {
  if (bytes.length < batchOverheadBytes) return // the log says what is wrong with it
  const cursor = new RecordBatch(Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length)).inflateNow().cursor()
  for (let i = 0; cursor.next(); i++) if (cursor.keyLength < 0) throw keyless(i)
}

/** Looks at the header's base and max timestamp of the batch that begins the buffer. */
function checkTimestamps(batch: Uint8Array, config: LogConfig, now: number): void {
  if (batch.length < batchOverheadBytes) return // the log says what is wrong with it
  const max = int64(batch, headerAt.maxTimestamp)
  if (max > now + config.messageTimestampAfterMaxMs) throw outOfBounds(max, now, config)
  if (config.messageTimestampBeforeMaxMs === Number.POSITIVE_INFINITY) return
  const base = int64(batch, headerAt.baseTimestamp)
  if (base !== -1 && base < now - config.messageTimestampBeforeMaxMs) throw outOfBounds(base, now, config)
}

/**
 * The same for a batch from another process, by the rules of a Kafka leader: exactly one batch of format v2, whole,
 * beginning at offset 0 with dense offset deltas and the records its header counts, no control batch, a codec that the
 * request's version permits, keys on compacted topics. The CRC is left to the append, except where the header's max
 * timestamp is not that of the records: then it is checked here and the header corrected, as Kafka does.
 *
 * A value at once unless the batch is compressed. Throws or rejects with INVALID_RECORD, CORRUPT_MESSAGE,
 * INVALID_TIMESTAMP, UNSUPPORTED_COMPRESSION_TYPE, INVALID_TXN_STATE.
 */
export function clientBatch(
  records: Records | null,
  apiVersion: number,
  config: LogConfig,
  now: number,
  crc32c: Crc32c,
): MaybePromise<Buffer> {
  const bytes = oneBuffer(records)
  if (bytes.length > config.maxMessageBytes) throw tooLarge(bytes.length, config)
  const header = checkedHeader(bytes, apiVersion)
  const body = bytes.subarray(batchOverheadBytes)
  const check = (plain: Buffer) => withMaxTimestamp(bytes, header, walkRecords(header, plain, config, now), crc32c)
  return header.codec === 0 ? check(body) : decompress(codecName(header.codec), body).then(check)
}

/** The batch with the largest timestamp of its records in its header; the same bytes where it was there already. */
function withMaxTimestamp(bytes: Buffer, header: BatchHeader, maxTimestamp: number, crc32c: Crc32c): Buffer {
  if (header.isAppendTime || maxTimestamp === header.maxTimestamp) return bytes
  if (crc32c(bytes.subarray(headerAt.attributes)) >>> 0 !== header.crc) {
    throw protocolError('CORRUPT_MESSAGE', "the batch's bytes do not have the checksum it states")
  }
  const corrected = Buffer.from(bytes)
  writeInt64(corrected, headerAt.maxTimestamp, maxTimestamp)
  patchCrc(corrected, crc32c)
  return corrected
}

function oneBuffer(records: Records | null): Buffer {
  if (records === null || records.length === 0) throw protocolError('INVALID_RECORD', 'the request has no records')
  if (!(records instanceof Uint8Array)) return Buffer.concat(records)
  return Buffer.from(records.buffer, records.byteOffset, records.byteLength)
}

function checkedHeader(bytes: Buffer, apiVersion: number): BatchHeader {
  if (bytes.length > headerAt.magic && bytes[headerAt.magic] !== 2) {
    throw invalid(`the batch has format ${bytes[headerAt.magic]}; only format 2 is taken`)
  }
  const header = new BatchHeader(bytes, 0, bytes.length)
  if (header.sizeBytes !== bytes.length) throw invalid('a produce request takes one batch per partition, this has more')
  if (header.baseOffset !== 0) throw invalid(`a new batch begins at offset 0, this one at ${header.baseOffset}`)
  if (header.recordCount === 0 || header.recordCount !== header.lastOffsetDelta + 1) {
    throw invalid(`the batch counts ${header.recordCount} records, its last offset delta is ${header.lastOffsetDelta}`)
  }
  if (header.isControl) throw invalid('control batches are written by brokers only')
  if (header.producerId >= 0 && (header.baseSequence < 0 || header.producerEpoch < 0)) {
    throw invalid(`producer ${header.producerId} sent sequence ${header.baseSequence}, epoch ${header.producerEpoch}`)
  }
  if (header.isTransactional) {
    throw protocolError('INVALID_TXN_STATE', 'the batch belongs to a transaction, which this broker has not begun')
  }
  if (header.codec > codecLast || (header.codec === zstd && apiVersion < zstdSince)) {
    throw protocolError('UNSUPPORTED_COMPRESSION_TYPE', `codec ${header.codec} cannot be used in Produce ${apiVersion}`)
  }
  return header
}

/** Answers the largest timestamp of the records. */
function walkRecords(header: BatchHeader, body: Buffer, config: LogConfig, now: number): number {
  const cursor = new RecordCursor(header, body, 0, body.length)
  const checkTime = config.messageTimestampType === 'CreateTime'
  const newest = now + config.messageTimestampAfterMaxMs
  const oldest = now - config.messageTimestampBeforeMaxMs
  const keyed = config.cleanupPolicy.includes('compact')
  let max = -1
  for (let i = 0; cursor.next(); i++) {
    if (cursor.offsetDelta !== i) throw invalid(`record ${i} has the offset delta ${cursor.offsetDelta}`)
    if (keyed && cursor.keyLength < 0) throw keyless(i)
    const timestamp = header.baseTimestamp + cursor.timestampDelta
    if (timestamp > max) max = timestamp
    if (checkTime && timestamp !== -1 && (timestamp > newest || timestamp < oldest))
      throw outOfBounds(timestamp, now, config)
  }
  return max
}

function keyless(index: number): Error {
  return invalid(`record ${index} has no key, which a compacted topic needs`)
}

function outOfBounds(timestamp: number, now: number, config: LogConfig): Error {
  const ahead = timestamp > now
  const key = ahead ? 'message.timestamp.after.max.ms' : 'message.timestamp.before.max.ms'
  const limit = ahead ? config.messageTimestampAfterMaxMs : config.messageTimestampBeforeMaxMs
  const distance = Math.abs(timestamp - now)
  const message = `a record's timestamp ${timestamp} lies ${distance} ms ${ahead ? 'ahead of' : 'behind'} the clock, ${key} is ${limit}`
  return protocolError('INVALID_TIMESTAMP', message, { key })
}

function tooLarge(sizeBytes: number, config: LogConfig): Error {
  const message = `the batch has ${sizeBytes} bytes, max.message.bytes is ${config.maxMessageBytes}`
  return protocolError('MESSAGE_TOO_LARGE', message, { key: 'max.message.bytes' })
}

function invalid(message: string): Error {
  return protocolError('INVALID_RECORD', message)
}

function int64(bytes: Uint8Array, at: number): number {
  return readInt64(bytes instanceof Buffer ? bytes : Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength), at)
}
