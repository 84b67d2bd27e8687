import { version as ownVersion } from '../../package.json'
import { asSeglogError } from '../client/settle-errors.js'
import { SeglogError } from '../errors/seglog-error.js'
import { type ApiKey, apiKey, apis, type RequestOf, type ResponseOf } from '../protocol/apis.js'
import { readResponse, readResponseHeader, writeRequest } from '../protocol/codec/frames.js'
import { malformed } from '../protocol/codec/malformed.js'
import { Reader } from '../protocol/codec/reader.js'
import { protocolError, protocolErrors } from '../protocol/errors.js'
import type { Message, VersionRange } from '../protocol/schema.js'
import { FrameSocket } from './frame-socket.js'
import { acceptedProduce } from './produce-shape.js'
import { shapeOf } from './request-shapes.js'
import type { Address } from './tcp-address.js'
import type { TcpSettings } from './tcp-settings.js'
import type { TopicIds } from './topic-ids.js'

/** Above it an answer is taken for garbage: nothing asks for as much. */
const maxAnswerBytes = 0x3fff_ffff
const unsupportedVersion = protocolErrors.UNSUPPORTED_VERSION.code
const errorCodeAt = 4

/**
 * A connection on which both sides know what the other speaks. Requests are given in the shape of the newest version and
 * answered in it, whichever version travels.
 */
export class TcpConnection {
  private constructor(
    readonly socket: FrameSocket,
    private readonly offered: ReadonlyMap<number, VersionRange>,
    private readonly topicIds: TopicIds,
  ) {}

  /** Connects and asks for the versions. Rejects with BROKER_NOT_AVAILABLE and what ends connections; all retriable. */
  static async open(
    address: Address,
    settings: TcpSettings,
    topicIds: TopicIds,
    signal?: AbortSignal,
  ): Promise<TcpConnection> {
    const socket = await FrameSocket.open(address, settings.connectionTimeout, maxAnswerBytes, signal)
    const abort = () => {
      const message = `connecting to ${socket.name} was aborted`
      socket.close(new SeglogError('ABORTED', message, { cause: signal?.reason }))
    }
    signal?.addEventListener('abort', abort, { once: true })
    try {
      const offered = await negotiate(socket, settings)
      return new TcpConnection(socket, offered, topicIds)
    } catch (error) {
      socket.close()
      throw error
    } finally {
      signal?.removeEventListener('abort', abort)
    }
  }

  /**
   * Resolves to the answer; to a Produce with acks 0 when it was written. Throws or rejects with UNSUPPORTED, INVALID_ARGUMENT,
   * MALFORMED_MESSAGE, TIMED_OUT and NETWORK_EXCEPTION.
   */
  async request<K extends ApiKey>(
    key: K,
    request: RequestOf<K>,
    clientId: string,
    timeoutMs: number,
  ): Promise<ResponseOf<K>> {
    const { socket } = this
    const { name } = apis[key]
    const { version, shaped } = this.shape(key, request)
    const correlationId = socket.nextCorrelationId()
    const parts = this.encode(key, version, correlationId, clientId, shaped)
    if (key === apiKey.produce && (request as RequestOf<0>).acks === 0) {
      await socket.tell(parts, name)
      return acceptedProduce(request as RequestOf<0>) as ResponseOf<K>
    }
    const frame = await socket.ask(correlationId, parts, name, timeoutMs)
    const response = this.decode(key, version, frame)
    return shapeOf(key).unfold(response, request, version, shaped)
  }

  private shape<K extends ApiKey>(key: K, request: RequestOf<K>): { version: number; shaped: RequestOf<K> } {
    const shape = shapeOf(key)
    const version = Math.min(this.newestOf(key), shape.newest(request, this.topicIds))
    return { version, shaped: shape.fold(request, version, this.topicIds) }
  }

  /** The newest version both sides know. Throws UNSUPPORTED where there is none. */
  private newestOf(key: ApiKey): number {
    const { name, request } = apis[key]
    const { versions, lastStable }: Message = request
    const offered = this.offered.get(key)
    if (offered === undefined)
      throw unsupported(`the broker at ${this.socket.name} does not offer ${name} (API ${key})`)
    const newest = Math.min(offered.to, lastStable)
    if (newest >= Math.max(offered.from, versions.from)) return newest
    const message = `${name}: the broker at ${this.socket.name} offers versions ${offered.from} to ${offered.to}, this client has ${versions.from} to ${lastStable}`
    throw unsupported(message)
  }

  private encode<K extends ApiKey>(
    key: K,
    version: number,
    correlationId: number,
    clientId: string,
    request: RequestOf<K>,
  ): Uint8Array[] {
    try {
      return writeRequest(key, version, correlationId, clientId, request)
    } catch (error) {
      const { code, message } = asSeglogError(error)
      if (code !== 'UNSUPPORTED_VERSION') throw error
      const offered = `the broker at ${this.socket.name} offers ${apis[key].name} up to version ${this.offered.get(key)?.to}`
      throw unsupported(`${message}; ${offered}`, error)
    }
  }

  private decode<K extends ApiKey>(key: K, version: number, frame: Buffer): ResponseOf<K> {
    try {
      return decode(key, version, frame)
    } catch (error) {
      const { code, message } = asSeglogError(error)
      const placed = new SeglogError(code, `${this.socket.name} sent what is no answer: ${message}`, { cause: error })
      this.socket.close(placed)
      throw placed
    }
  }
}

function decode<K extends ApiKey>(key: K, version: number, frame: Buffer): ResponseOf<K> {
  const reader = new Reader(frame)
  readResponseHeader(reader, key, version)
  return readResponse(reader, key, version)
}

/**
 * Asks for the broker's versions with the newest request; a broker that does not know it says so by an answer of version
 * 0, and is asked again by that.
 */
async function negotiate(socket: FrameSocket, settings: TcpSettings): Promise<ReadonlyMap<number, VersionRange>> {
  const newest = apis[apiKey.apiVersions].request.lastStable
  let frame = await askVersions(socket, newest, settings)
  let version = newest
  if (frame.length >= errorCodeAt + 2 && frame.readInt16BE(errorCodeAt) === unsupportedVersion) {
    version = 0
    frame = await askVersions(socket, version, settings)
  }
  try {
    const response = decode(apiKey.apiVersions, version, frame)
    if (response.errorCode !== 0) throw protocolError(response.errorCode)
    const offered = new Map<number, VersionRange>()
    for (const { apiKey: key, minVersion, maxVersion } of response.apiKeys) {
      offered.set(key, { from: minVersion, to: maxVersion })
    }
    if (offered.size === 0) throw malformed('a list of no APIs')
    return offered
  } catch (error) {
    const { code, message } = asSeglogError(error)
    throw new SeglogError(code, `${socket.name} does not answer like a Kafka broker: ${message}`, { cause: error })
  }
}

function askVersions(socket: FrameSocket, version: number, settings: TcpSettings): Promise<Buffer> {
  const correlationId = socket.nextCorrelationId()
  const names = version < 3 ? ['', ''] : ['seglog', ownVersion]
  const request = { clientSoftwareName: names[0], clientSoftwareVersion: names[1] }
  const parts = writeRequest(apiKey.apiVersions, version, correlationId, settings.clientId, request)
  return socket.ask(correlationId, parts, 'ApiVersions', Math.min(settings.connectionTimeout, settings.requestTimeout))
}

function unsupported(message: string, cause?: unknown): SeglogError {
  return new SeglogError('UNSUPPORTED', message, { cause })
}
