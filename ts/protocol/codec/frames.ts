import { isUint8Array } from 'node:util/types'
import { SeglogError } from '../../errors/seglog-error.js'
import { type ApiKey, apis, type RequestOf, type ResponseOf } from '../apis.js'
import { isFileRegion } from '../file-region.js'
import { covers, type Message } from '../schema.js'
import { malformed } from './malformed.js'
import { readMessage, writeMessage } from './message-codec.js'
import type { Reader } from './reader.js'
import { longestString } from './shape.js'
import { type Part, Writer } from './writer.js'

export type { Part } from './writer.js'

export interface RequestHeader {
  apiKey: number
  apiVersion: number
  correlationId: number
  clientId: string | null
}

/** Its responses never carry tagged fields in the header: who asks does not know yet what the broker speaks. */
const apiVersionsKey = 18
/** Elements in all arrays of a request. Kafka's clusters have some 200,000 partitions, and few requests name them all. */
export const mostRequestElements = 250_000

const writer = new Writer()

/**
 * The header of a request. Behind it stands the body, except where key or version is unknown here: then only the fixed
 * part was read (the client's id is null), since how the rest is written is anyone's guess.
 */
export function readRequestHeader(reader: Reader): RequestHeader {
  const apiKey = reader.readInt16()
  const apiVersion = reader.readInt16()
  const correlationId = reader.readInt32()
  const table = requestTable(apiKey)
  if (table === null || !covers(table.versions, apiVersion))
    return { apiKey, apiVersion, correlationId, clientId: null }
  const length = reader.readInt16()
  if (length < -1) throw malformed(`the client id has the length ${length}`)
  const clientId = length < 0 ? null : reader.readString(length)
  if (covers(table.flexible, apiVersion)) skipTags(reader)
  return { apiKey, apiVersion, correlationId, clientId }
}

/**
 * The body of a request. Bytes behind it are ignored, as Kafka does. What is not that request, or lies about its lengths,
 * is MALFORMED_MESSAGE, found before memory is taken for it.
 */
export function readRequest<K extends ApiKey>(reader: Reader, key: K, version: number): RequestOf<K> {
  reader.limitElements(mostRequestElements)
  return readMessage(apis[key].request, version, reader) as RequestOf<K>
}

/**
 * As `readRequest`; null for a request with more than `mostElements` in all its arrays, which is found before those are
 * read. The reader is of no use then.
 */
export function readShortRequest<K extends ApiKey>(
  reader: Reader,
  key: K,
  version: number,
  mostElements: number,
): RequestOf<K> | null {
  reader.limitElements(mostElements)
  try {
    return readMessage(apis[key].request, version, reader) as RequestOf<K>
  } catch (error) {
    if (reader.elementsLeft < 0) return null
    throw error
  }
}

/**
 * A request as the parts of its frame, length and header in front. Records are among the parts as they are, and must not
 * change until they were sent. Throws INVALID_ARGUMENT for a value that is not of its field's type or range, and
 * UNSUPPORTED_VERSION for one that the version has no room for; both name the field.
 */
export function writeRequest<K extends ApiKey>(
  key: K,
  version: number,
  correlationId: number,
  clientId: string | null,
  request: RequestOf<K>,
): Uint8Array[] {
  const table: Message = apis[key].request
  writer.beginFrame()
  writer.writeInt16(key)
  writer.writeInt16(version)
  writer.writeInt32(correlationId)
  writeClientId(clientId)
  if (covers(table.flexible, version)) writer.writeUvarint(0)
  writeMessage(table, version, writer, request)
  return writer.finishFrame() as Uint8Array[]
}

/** The header of a response: its correlation id. Behind it stands the body. */
export function readResponseHeader(reader: Reader, key: ApiKey, version: number): number {
  const correlationId = reader.readInt32()
  if (hasHeaderTags(key, version)) skipTags(reader)
  return correlationId
}

/** The body of a response. Bytes behind it are ignored, as Kafka does. */
export function readResponse<K extends ApiKey>(reader: Reader, key: K, version: number): ResponseOf<K> {
  return readMessage(apis[key].response, version, reader) as ResponseOf<K>
}

/**
 * A response as the parts of its frame, length and header in front; otherwise like `writeRequest`. Regions among the
 * parts are the caller's to release; when this throws, all those in the response have been.
 */
export function writeResponse<K extends ApiKey>(
  key: K,
  version: number,
  correlationId: number,
  response: ResponseOf<K>,
): Part[] {
  try {
    writer.beginFrame()
    writer.writeInt32(correlationId)
    if (hasHeaderTags(key, version)) writer.writeUvarint(0)
    writeMessage(apis[key].response as Message, version, writer, response)
    return writer.finishFrame()
  } catch (error) {
    releaseRegions(response)
    throw error
  }
}

function requestTable(key: number): Message | null {
  return (apis as Partial<Record<number, { request: Message }>>)[key]?.request ?? null
}

function hasHeaderTags(key: ApiKey, version: number): boolean {
  return (key as number) !== apiVersionsKey && covers(apis[key].response.flexible, version)
}

function writeClientId(clientId: string | null): void {
  if (clientId === null) {
    writer.writeInt16(-1)
    return
  }
  const size = Buffer.byteLength(clientId)
  if (size > longestString)
    throw new SeglogError('INVALID_ARGUMENT', `clientId must be a string of up to ${longestString} bytes, got ${size}`)
  writer.writeInt16(size)
  writer.writeText(clientId, size)
}

function skipTags(reader: Reader): void {
  for (let left = reader.readUvarint(); left > 0; left--) {
    reader.readUvarint()
    reader.skip(reader.readUvarint())
  }
}

function releaseRegions(value: unknown): void {
  if (typeof value !== 'object' || value === null || isUint8Array(value)) return
  if (isFileRegion(value)) value.release()
  else for (const inner of Object.values(value)) releaseRegions(inner)
}
