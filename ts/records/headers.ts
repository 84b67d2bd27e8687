import { SeglogError } from '../errors/seglog-error.js'
import type { Bytes, MessageHeaders, RecordHeaders } from './message.js'
import { VarintReader, varintSize, writeVarint } from './varint.js'

/** Bytes that the header count and all headers take. Throws SeglogError INVALID_ARGUMENT for a value of a wrong type. */
export function encodedHeadersSize(headers: MessageHeaders): number {
  let count = 0
  let size = 0
  for (const [name, value] of eachHeader(headers)) {
    const nameBytes = Buffer.byteLength(name)
    size += varintSize(nameBytes) + nameBytes
    const valueBytes = headerBytes(name, value)
    size += varintSize(valueBytes) + Math.max(valueBytes, 0)
    count++
  }
  return varintSize(count) + size
}

/** Writes the header count and all headers; returns the position after them. */
export function writeHeaders(target: Buffer, position: number, headers: MessageHeaders): number {
  const list = [...eachHeader(headers)]
  position = writeVarint(target, position, list.length)
  for (const [name, value] of list) {
    position = writeVarint(target, position, Buffer.byteLength(name))
    position += target.write(name, position)
    const valueBytes = headerBytes(name, value)
    position = writeVarint(target, position, valueBytes)
    if (value === null) continue
    if (typeof value === 'string') target.write(value, position)
    else target.set(value, position)
    position += valueBytes
  }
  return position
}

/**
 * Reads the headers of one record from [start, end), in order, values as views. Throws SeglogError INVALID_BATCH if they
 * do not fill those bytes exactly.
 */
export function readHeaderList(bytes: Buffer, start: number, end: number): [string, Buffer | null][] {
  const reader = new VarintReader(bytes, start, end)
  const count = reader.readVarint()
  if (count < 0) throw malformed(start, `a header count of ${count}`)
  const list: [string, Buffer | null][] = []
  for (let index = 0; index < count; index++) {
    const name = readBytes(reader, bytes)
    if (name === null) throw malformed(reader.position, 'a header without a key')
    list.push([name.toString(), readBytes(reader, bytes)])
  }
  if (reader.position !== end) throw malformed(reader.position, `${end - reader.position} bytes behind the headers`)
  return list
}

/** As readHeaderList, by name: a header that occurs more than once becomes an array. */
export function headersOf(list: readonly [string, Buffer | null][]): RecordHeaders {
  const headers = new Map<string, Buffer | null | (Buffer | null)[]>()
  for (const [name, value] of list) {
    const before = headers.get(name)
    if (before === undefined) headers.set(name, value)
    else if (Array.isArray(before)) before.push(value)
    else headers.set(name, [before, value])
  }
  // fromEntries defines properties, so that a header named __proto__ is one more header.
  return Object.fromEntries(headers)
}

function* eachHeader(headers: MessageHeaders): Generator<[string, Bytes | null]> {
  if (typeof headers !== 'object' || headers === null || Symbol.iterator in headers) throw noHeaders(headers)
  for (const name of Object.keys(headers)) {
    const value = headers[name]
    if (Array.isArray(value)) for (const one of value) yield [name, one]
    else if (value !== undefined) yield [name, value as Bytes | null]
  }
}

function headerBytes(name: string, value: Bytes | null): number {
  if (value === null) return -1
  if (typeof value === 'string') return Buffer.byteLength(value)
  if (value instanceof Uint8Array) return value.length
  throw new SeglogError(
    'INVALID_ARGUMENT',
    `header ${JSON.stringify(name)} is of type ${typeof value}; give a string, Buffer, Uint8Array, null or an array of them`,
    { key: 'headers' },
  )
}

/** A Map or a list of pairs would lose its headers in silence. */
function noHeaders(given: unknown): SeglogError {
  const type = typeof given === 'object' ? (given?.constructor.name ?? 'null') : typeof given
  return new SeglogError('INVALID_ARGUMENT', `a message's headers are of type ${type}; give an object of name: value`, {
    key: 'headers',
  })
}

function readBytes(reader: VarintReader, bytes: Buffer): Buffer | null {
  const length = reader.readVarint()
  if (length === -1) return null
  const start = reader.position
  if (length < 0 || length > reader.end - start) throw malformed(start, `a header length of ${length}`)
  reader.position = start + length
  return bytes.subarray(start, start + length)
}

function malformed(position: number, what: string): SeglogError {
  return new SeglogError('INVALID_BATCH', `${what} at byte ${position}: the records of this batch are damaged`, {
    position,
  })
}
