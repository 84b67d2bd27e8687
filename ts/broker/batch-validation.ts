import { summaryOf } from '../log/batch-summary.js'
import type { LogConfig } from '../log/log-config.js'
import type { LogAppendOptions } from '../log/log-types.js'
import type { MaybePromise } from '../log/maybe-promise.js'
import type { RecordRules } from '../native/engine.js'
import { protocolError } from '../protocol/errors.js'
import type { Records } from '../protocol/schema.js'
import { BatchHeader, batchOverheadBytes, headerAt, readInt64, writeInt64 } from '../records/batch-header.js'
import { codecName } from '../records/codecs/codec-name.js'
import { decompress } from '../records/codecs/codecs.js'
import type { Crc32c } from '../records/message.js'
import { RecordBatch } from '../records/record-batch.js'
import { patchCrc } from '../records/record-batch-builder.js'
import { RecordCursor } from '../records/record-cursor.js'
import { byteLength } from './byte-length.js'
import { asSeglogError } from './error-codes.js'
import { Gate } from './gate.js'

const codecLast = 4
const zstd = 4
const zstdSince = 7
/** Further from now than any clock. */
const maxTime = Number.MAX_SAFE_INTEGER
/** A batch may inflate to a thousand times its size, so few are inflated at a time: as many as there are threads for it. */
const inflating = new Gate(4)

/**
 * Checks what a produce request brought for one partition and answers it as the buffers to append. In-process batches
 * (`trusted`) were made by our encoder: only their timestamps are compared with the topic's bounds, and on compacted
 * topics their keys are looked for. Throws INVALID_RECORD for none, or none with a key; INVALID_TIMESTAMP.
 */
export function trustedBatches(records: Records | null, config: LogConfig, now: number): Records {
  const batches = someRecords(records)
  if (config.cleanupPolicy.includes('compact')) {
    if (batches instanceof Uint8Array) checkKeys(batches)
    else for (const batch of batches) checkKeys(batch)
  }
  if (config.messageTimestampType === 'LogAppendTime') return batches
  if (batches instanceof Uint8Array) checkTimestamps(batches, config, now)
  else for (const batch of batches) checkTimestamps(batch, config, now)
  return batches
}

function checkKeys(bytes: Uint8Array): void {
  if (bytes.length < batchOverheadBytes) return // the log says what is wrong with it
  const cursor = new RecordBatch(Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length)).inflateNow().cursor()
  for (let i = 0; cursor.next(); i++) if (cursor.keyLength < 0) throw keyless(i)
}

/** Looks at the header's base and max timestamp of the batch that begins the buffer. */
function checkTimestamps(batch: Uint8Array, config: LogConfig, now: number): void {
  if (batch.length < batchOverheadBytes) return // the log says what is wrong with it
  const max = readInt64(batch, headerAt.maxTimestamp)
  if (max > now + config.messageTimestampAfterMaxMs) throw outOfBounds(max, now, config)
  if (config.messageTimestampBeforeMaxMs === Number.POSITIVE_INFINITY) return
  const base = readInt64(batch, headerAt.baseTimestamp)
  if (base !== -1 && base < now - config.messageTimestampBeforeMaxMs) throw outOfBounds(base, now, config)
}

/** A batch from another process as it is to be appended. */
export interface ClientBatch {
  /** The request's own bytes, not joined. */
  readonly buffers: Records
  /** What is known of the batch, and what the append has to check: its CRC, and records that were not walked here. */
  readonly options: LogAppendOptions
}

/**
 * The same for a batch from another process, by the rules of a Kafka leader: exactly one batch of format v2, whole,
 * beginning at offset 0 with dense offset deltas and the records its header counts, no control batch, a codec that the
 * request's version permits, keys on compacted topics. The CRC is left to the append, and so are the records of an
 * uncompressed batch, which the engine walks on the stored bytes. A compressed batch is inflated and walked here; where
 * the header's max timestamp is not that of the records it is corrected, as Kafka does.
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
): MaybePromise<ClientBatch> {
  const buffers = someRecords(records)
  const sizeBytes = byteLength(buffers)
  if (sizeBytes > config.maxMessageBytes) throw tooLarge(sizeBytes, config)
  const header = checkedHeader(headOf(buffers), sizeBytes, apiVersion)
  if (header.codec === 0) {
    const summary = summaryOf(header, header.maxTimestamp)
    return { buffers, options: { crc: 'verify', records: rulesOf(config, now), summary } }
  }
  const bytes = oneBuffer(buffers)
  return inflating.run(async () => {
    const plain = await decompress(codecName(header.codec), bytes.subarray(batchOverheadBytes))
    const maxTimestamp = walkRecords(header, plain, config, now)
    const summary = summaryOf(header, maxTimestamp)
    return { buffers: withMaxTimestamp(bytes, header, maxTimestamp, crc32c), options: { crc: 'verify', summary } }
  })
}

/** Why the engine refused the records of an uncompressed client batch (INVALID_BATCH): the error that names the record. */
export function refusal(error: unknown, { buffers }: ClientBatch, config: LogConfig, now: number): unknown {
  if (asSeglogError(error).code !== 'INVALID_BATCH') return error
  try {
    const bytes = oneBuffer(buffers)
    walkRecords(new BatchHeader(bytes, 0, bytes.length), bytes.subarray(batchOverheadBytes), config, now)
  } catch (named) {
    return named
  }
  return error
}

function rulesOf(config: LogConfig, now: number): RecordRules {
  const isCreateTime = config.messageTimestampType === 'CreateTime'
  return {
    oldest: isCreateTime ? Math.max(now - config.messageTimestampBeforeMaxMs, -maxTime) : -maxTime,
    newest: isCreateTime ? Math.min(now + config.messageTimestampAfterMaxMs, maxTime) : maxTime,
    keyed: config.cleanupPolicy.includes('compact'),
  }
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

function someRecords(records: Records | null): Records {
  if (records === null || records.length === 0) throw protocolError('INVALID_RECORD', 'the request has no records')
  return records
}

function oneBuffer(buffers: Records): Buffer {
  if (!(buffers instanceof Uint8Array)) return Buffer.concat(buffers)
  return Buffer.from(buffers.buffer, buffers.byteOffset, buffers.byteLength)
}

/** Enough of the bytes to read the header from. */
function headOf(buffers: Records): Uint8Array {
  if (buffers instanceof Uint8Array) return buffers
  let bytes = 0
  let count = 0
  while (bytes < batchOverheadBytes && count < buffers.length) bytes += buffers[count++].length
  return count === 1 ? buffers[0] : Buffer.concat(buffers.slice(0, count))
}

function checkedHeader(head: Uint8Array, sizeBytes: number, apiVersion: number): BatchHeader {
  if (head.length > headerAt.magic && head[headerAt.magic] !== 2) {
    throw invalid(`the batch has format ${head[headerAt.magic]}; only format 2 is taken`)
  }
  const header = new BatchHeader(head, 0, sizeBytes)
  if (header.sizeBytes !== sizeBytes) throw invalid('a produce request takes one batch per partition, this has more')
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
