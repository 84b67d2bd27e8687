import { SeglogError } from '../errors/seglog-error.js'
import { attributeBits, batchLengthEnd, batchOverheadBytes, crcStart, headerAt, writeInt64 } from './batch-header.js'
import { encodedHeadersSize, writeHeaders } from './headers.js'
import type { Bytes, Crc32c, Message } from './message.js'
import { varintSize, varlongSize, writeVarint, writeVarlong } from './varint.js'

export interface BuilderOptions {
  /** Largest batch in bytes, header included; only a record that is larger by itself may pass it. */
  maxBytes: number
  /** Memory taken at first (default: 16 KiB or maxBytes, if that is less); it doubles as the batch grows. */
  initialBytes?: number
}

/** What a batch's header says besides its records. */
export interface BatchFields {
  /** Default -1: not an idempotent producer. */
  producerId?: number
  producerEpoch?: number
  baseSequence?: number
  isTransactional?: boolean
  isControl?: boolean
  /** Computes the CRC for bytes that leave the process; without it the field stays 0 and the engine fills it. */
  crc32c?: Crc32c
}

/** Strings up to this many UTF-16 units are copied by a loop: below it the call into V8's writers costs more. */
const shortString = 32
/** Likewise for bytes and `set`. */
const shortBytes = 24
const initialBytesDefault = 16 * 1024
const maxBatchBytes = 0x7fffffff - batchLengthEnd
const maxTimestampMs = 8.64e15

// `utf8Write` is what `write` calls in the end; the detour costs as much as the copy.
type Utf8Buffer = Buffer & { utf8Write(text: string, position: number): number }

/**
 * Encodes records into one uncompressed record batch v2, create time, base offset 0, leader epoch -1. Reusable: after
 * `finish` call `reset`. Not thread-safe; keeps no reference to the messages.
 */
export class RecordBatchBuilder {
  readonly maxBytes: number
  private readonly initialBytes: number
  private buffer: Utf8Buffer
  private position = batchOverheadBytes
  private count = 0
  private baseTimestamp = -1
  private maxTimestamp = -1

  /** Throws SeglogError INVALID_ARGUMENT for a maxBytes that leaves no room for a record or passes 2 GiB. */
  constructor(options: BuilderOptions) {
    const { maxBytes } = options
    if (!Number.isInteger(maxBytes) || maxBytes <= batchOverheadBytes || maxBytes > maxBatchBytes) {
      throw new SeglogError(
        'INVALID_ARGUMENT',
        `maxBytes is ${maxBytes}; give a whole number between ${batchOverheadBytes + 1} and ${maxBatchBytes}`,
        { key: 'maxBytes' },
      )
    }
    this.maxBytes = maxBytes
    this.initialBytes = Math.min(maxBytes, Math.max(options.initialBytes ?? initialBytesDefault, batchOverheadBytes))
    this.buffer = allocate(this.initialBytes)
  }

  get recordCount(): number {
    return this.count
  }

  /** Size of the batch so far, header included. */
  get sizeBytes(): number {
    return this.position
  }

  get isEmpty(): boolean {
    return this.count === 0
  }

  /**
   * Appends one record; false, and nothing changed, if it does not fit (into an empty batch every record fits, up to
   * 2 GiB: then SeglogError BATCH_TOO_LARGE). Throws SeglogError INVALID_ARGUMENT for a message of the wrong shape.
   */
  append(message: Message, now: number = Date.now()): boolean {
    const { value, headers, timestamp = now } = message
    const key = message.key ?? null
    if (!isTimestamp(timestamp) || !isField(key) || !isField(value)) throw invalidMessage(message, timestamp)
    const keyBytes = key === null ? -1 : byteLength(key)
    const valueBytes = value === null ? -1 : byteLength(value)
    const delta = this.count === 0 ? 0 : timestamp - this.baseTimestamp
    const bodyBytes =
      1 +
      varlongSize(delta) +
      varintSize(this.count) +
      varintSize(keyBytes) +
      Math.max(keyBytes, 0) +
      varintSize(valueBytes) +
      Math.max(valueBytes, 0) +
      (headers === undefined ? 1 : encodedHeadersSize(headers))
    if (!this.makeRoom(varintSize(bodyBytes) + bodyBytes)) return false
    const { buffer } = this
    let position = writeVarint(buffer, this.position, bodyBytes)
    buffer[position++] = 0 // attributes
    position = writeVarlong(buffer, position, delta)
    position = writeVarint(buffer, position, this.count)
    position = writeNullableBytes(buffer, position, key, keyBytes)
    position = writeNullableBytes(buffer, position, value, valueBytes)
    if (headers === undefined) buffer[position++] = 0
    else position = writeHeaders(buffer, position, headers)
    if (this.count === 0) this.baseTimestamp = timestamp
    if (timestamp > this.maxTimestamp) this.maxTimestamp = timestamp
    this.position = position
    this.count++
    return true
  }

  /**
   * Appends messages from index `from` up to `to` until one does not fit; returns the index of that one, or `to`. A
   * message of the wrong shape throws; those before it are in the batch (see recordCount).
   */
  appendAll(messages: readonly Message[], from = 0, now: number = Date.now(), to = messages.length): number {
    for (let index = from; index < to; index++) {
      index = this.appendPlain(messages, index, to, now)
      if (index < to && !this.append(messages[index]!, now)) return index
    }
    return to
  }

  /**
   * The fast half of `appendAll`: one tight loop over messages without headers or timestamps of their own whose text is
   * ASCII, as far as the memory at hand goes. Returns the index of the first message it did not append.
   */
  private appendPlain(messages: readonly Message[], from: number, to: number, now: number): number {
    if (!isTimestamp(now)) return from
    const { buffer } = this
    const capacity = Math.min(buffer.length, this.maxBytes)
    const delta = this.count === 0 ? 0 : now - this.baseTimestamp
    const fixedBytes = 2 + varlongSize(delta) // attributes, timestamp delta, header count
    let { position, count } = this
    let index = from
    for (; index < to; index++) {
      const message = messages[index]!
      const { key, value } = message
      if (message.headers !== undefined || message.timestamp !== undefined) break
      // Strings are taken for ASCII, one byte per unit; where that turns out wrong the loop ends before the record.
      const keyBytes = plainLength(key)
      const valueBytes = value === undefined ? -1 : plainLength(value)
      if (keyBytes < 0 || valueBytes < 0) break
      const bodyBytes =
        fixedBytes + lengthSize(count) + lengthSize(keyBytes) + keyBytes + lengthSize(valueBytes) + valueBytes
      if (position + lengthSize(bodyBytes) + bodyBytes > capacity) break
      let at = writeLength(buffer, position, bodyBytes)
      buffer[at++] = 0 // attributes
      if (delta === 0) buffer[at++] = 0
      else at = writeVarlong(buffer, at, delta)
      at = writeLength(buffer, at, count)
      if (key === null || key === undefined) buffer[at++] = 1
      else {
        at = writeLength(buffer, at, keyBytes)
        if (typeof key !== 'string') copyBytes(buffer, at, key, keyBytes)
        else if (!copyAscii(buffer, at, key, keyBytes)) break
        at += keyBytes
      }
      if (value === null) buffer[at++] = 1
      else {
        at = writeLength(buffer, at, valueBytes)
        if (typeof value !== 'string') copyBytes(buffer, at, value, valueBytes)
        else if (!copyAscii(buffer, at, value, valueBytes)) break
        at += valueBytes
      }
      buffer[at++] = 0 // headers
      position = at
      count++
    }
    if (index > from) {
      if (this.count === 0) this.baseTimestamp = now
      if (now > this.maxTimestamp) this.maxTimestamp = now
      this.position = position
      this.count = count
    }
    return index
  }

  /**
   * Completes the header and returns the batch: a view of this builder's memory, valid until `reset`. Throws SeglogError
   * INVALID_ARGUMENT when it has no record.
   */
  finish(fields: BatchFields = {}): Buffer {
    if (this.count === 0) throw new SeglogError('INVALID_ARGUMENT', 'the batch is empty: append a record first')
    const { buffer, position, count } = this
    writeInt64(buffer, headerAt.baseOffset, 0)
    buffer.writeInt32BE(position - batchLengthEnd, headerAt.batchLength)
    buffer.writeInt32BE(-1, headerAt.leaderEpoch)
    buffer[headerAt.magic] = 2
    buffer.writeUInt32BE(0, headerAt.crc)
    const attributes =
      (fields.isTransactional === true ? attributeBits.transactional : 0) |
      (fields.isControl === true ? attributeBits.control : 0)
    buffer.writeInt16BE(attributes, headerAt.attributes)
    buffer.writeInt32BE(count - 1, headerAt.lastOffsetDelta)
    writeInt64(buffer, headerAt.baseTimestamp, this.baseTimestamp)
    writeInt64(buffer, headerAt.maxTimestamp, this.maxTimestamp)
    writeInt64(buffer, headerAt.producerId, fields.producerId ?? -1)
    buffer.writeInt16BE(fields.producerEpoch ?? -1, headerAt.producerEpoch)
    buffer.writeInt32BE(fields.baseSequence ?? -1, headerAt.baseSequence)
    buffer.writeInt32BE(count, headerAt.recordCount)
    const batch = buffer.subarray(0, position)
    if (fields.crc32c !== undefined) patchCrc(batch, fields.crc32c)
    return batch
  }

  /**
   * Begins the next batch. With `keepMemory` false the finished batch stays valid, and the builder takes new memory
   * (the size of the last, as the next batch is likely to fill it too).
   */
  reset(keepMemory = true): void {
    const { length } = this.buffer
    if (length > this.maxBytes) this.buffer = allocate(this.initialBytes)
    else if (!keepMemory) this.buffer = allocate(length)
    this.position = batchOverheadBytes
    this.count = 0
    this.baseTimestamp = -1
    this.maxTimestamp = -1
  }

  /** Sees to `bytes` of room behind the position, or says that they would pass maxBytes. */
  private makeRoom(bytes: number): boolean {
    return this.position + bytes <= this.buffer.length || this.grow(this.position + bytes)
  }

  private grow(neededBytes: number): boolean {
    if (neededBytes > this.maxBytes && this.count > 0) return false
    if (neededBytes > maxBatchBytes) {
      throw new SeglogError('BATCH_TOO_LARGE', `a record of ${neededBytes} bytes fits no batch: send less than 2 GiB`)
    }
    const doubled = Math.min(this.maxBytes, this.buffer.length * 2)
    const grown = allocate(Math.max(doubled, neededBytes))
    this.buffer.copy(grown, batchOverheadBytes, batchOverheadBytes, this.position)
    this.buffer = grown
    return true
  }
}

/** Writes an idempotent producer's numbers into a finished batch; its CRC is void then. */
export function patchNumbers(batch: Buffer, producerId: number, producerEpoch: number, baseSequence: number): void {
  writeInt64(batch, headerAt.producerId, producerId)
  batch.writeInt16BE(producerEpoch, headerAt.producerEpoch)
  batch.writeInt32BE(baseSequence, headerAt.baseSequence)
}

/** Computes the CRC of a finished batch and writes it into the header. */
export function patchCrc(batch: Buffer, crc32c: Crc32c): void {
  batch.writeUInt32BE(crc32c(batch.subarray(crcStart)) >>> 0, headerAt.crc)
}

/** UTF-8 length of a string, or the length of bytes. */
export function byteLength(bytes: Bytes): number {
  return typeof bytes === 'string' ? Buffer.byteLength(bytes) : bytes.length
}

/** Varint length and the bytes; a length of -1 stands for null. */
export function writeNullableBytes(target: Buffer, position: number, bytes: Bytes | null, length: number): number {
  position = writeVarint(target, position, length)
  if (bytes === null) return position
  if (typeof bytes === 'string') target.write(bytes, position)
  else target.set(bytes, position)
  return position + length
}

/** Length of a field in bytes if it is ASCII text; -1 for what is not for the fast loop. */
function plainLength(field: Bytes | null | undefined): number {
  if (field === null || field === undefined) return 0
  return typeof field === 'string' || field instanceof Uint8Array ? field.length : -1
}

function copyBytes(target: Buffer, position: number, bytes: Uint8Array, length: number): void {
  if (length > shortBytes) target.set(bytes, position)
  else for (let index = 0; index < length; index++) target[position + index] = bytes[index]!
}

/** False if the text is not ASCII: then what was written is void. */
function copyAscii(target: Utf8Buffer, position: number, text: string, length: number): boolean {
  if (length > shortString) return target.utf8Write(text, position) === length
  let seen = 0
  for (let index = 0; index < length; index++) {
    const unit = text.charCodeAt(index)
    seen |= unit
    target[position + index] = unit
  }
  return seen < 0x80
}

function allocate(bytes: number): Utf8Buffer {
  return Buffer.allocUnsafeSlow(bytes) as Utf8Buffer
}

/** varintSize of a length or count, which is never negative. */
function lengthSize(length: number): number {
  return length < 0x40 ? 1 : length < 0x2000 ? 2 : varintSize(length)
}

/** writeVarint of a length or count. */
function writeLength(target: Uint8Array, position: number, length: number): number {
  if (length < 0x40) {
    target[position] = length << 1
    return position + 1
  }
  if (length < 0x2000) {
    target[position] = ((length << 1) & 0x7f) | 0x80
    target[position + 1] = length >>> 6
    return position + 2
  }
  return writeVarint(target, position, length)
}

function isTimestamp(timestamp: unknown): boolean {
  return Number.isInteger(timestamp) && (timestamp as number) >= -1 && (timestamp as number) <= maxTimestampMs
}

function isField(bytes: unknown): bytes is Bytes | null {
  return bytes === null || typeof bytes === 'string' || bytes instanceof Uint8Array
}

function invalidMessage(message: Message, timestamp: unknown): SeglogError {
  if (!isTimestamp(timestamp)) {
    return new SeglogError(
      'INVALID_ARGUMENT',
      `a message's timestamp is ${String(timestamp)}; give whole milliseconds`,
      {
        key: 'timestamp',
      },
    )
  }
  const field = isField(message.key ?? null) ? 'value' : 'key'
  const given: unknown = message[field]
  const hint = field === 'value' && given === undefined ? '; null is a value without bytes' : ''
  return new SeglogError(
    'INVALID_ARGUMENT',
    `a message's ${field} is of type ${given === null ? 'null' : typeof given}; give a Buffer, Uint8Array, string or null${hint}`,
    { key: field },
  )
}
