import { answeredVersions } from '../broker/api/offered-apis.js'
import type { Broker } from '../broker/broker.js'
import { SeglogError } from '../errors/seglog-error.js'
import { isPromise, type MaybePromise } from '../log/maybe-promise.js'
import { type ApiKey, apiKey, apis, type RequestOf, type ResponseOf } from '../protocol/apis.js'
import {
  mostRequestElements,
  type Part,
  type RequestHeader,
  readRequest,
  readRequestHeader,
  readShortRequest,
  writeResponse,
} from '../protocol/codec/frames.js'
import { Reader } from '../protocol/codec/reader.js'
import { errorName, protocolError, protocolErrors } from '../protocol/errors.js'
import type { ProduceResponse } from '../protocol/messages/00-produce.js'
import { covers } from '../protocol/schema.js'
import { ClientRequest, type Peer } from './client-request.js'
import type { Frame } from './wire.js'

/** An answer that is not sent. */
const noParts: readonly Part[] = []
/** Requests with more elements in their arrays are long: about what takes a millisecond. */
const shortElements = 1000
/** What an element of a request takes in memory once it is decoded, with its part of the answer. */
const elementBytes = 256

/**
 * Decodes one request, has the broker answer it and encodes the answer; no parts where none is expected (acks 0). The
 * frame's bytes are in use until the answer is there. A long request is run in pieces, taking turns with those of other
 * connections.
 *
 * Whatever is thrown or rejected ends the connection: MALFORMED_MESSAGE for what cannot be read, UNSUPPORTED_VERSION for
 * an API or version that is not offered, a protocol error where a produce without an answer failed, CLOSED when the broker
 * is, anything else for a fault of the broker.
 */
export function runRequest(broker: Broker, frame: Frame, peer: Peer): MaybePromise<readonly Part[]> {
  const reader = new Reader(frame.chunks)
  const header = readRequestHeader(reader)
  const versions = answeredVersions(header.apiKey)
  if (versions === null || !covers(versions, header.apiVersion)) return answerToUnknown(header)
  return run(broker, header.apiKey as ApiKey, header, reader, frame, peer)
}

function run<K extends ApiKey>(
  broker: Broker,
  key: K,
  header: RequestHeader,
  reader: Reader,
  frame: Frame,
  peer: Peer,
): MaybePromise<readonly Part[]> {
  const { apiVersion, correlationId, clientId } = header
  const request = readShortRequest(reader, key, apiVersion, shortElements)
  if (request === null) return runLong(broker, key, frame, peer)
  const response = broker.handle(key, request, new ClientRequest(peer, apiVersion, clientId))
  if (!isPromise(response)) return answerOf(key, apiVersion, correlationId, request, response)
  return response.then((done) => answerOf(key, apiVersion, correlationId, request, done))
}

/** In one turn it is decoded, in others its elements are handled, and in the last the answer is encoded. */
async function runLong<K extends ApiKey>(broker: Broker, key: K, frame: Frame, peer: Peer): Promise<readonly Part[]> {
  const pace = peer.beginLong()
  await pace.next()
  if (peer.isGone) throw new SeglogError('CLOSED', 'the connection has ended')
  const reader = new Reader(frame.chunks)
  const { apiVersion, correlationId, clientId } = readRequestHeader(reader)
  const request = readRequest(reader, key, apiVersion)
  const bytes = (mostRequestElements - reader.elementsLeft) * elementBytes
  peer.hold(bytes)
  try {
    await pace.next()
    const response = await broker.handle(key, request, new ClientRequest(peer, apiVersion, clientId, pace))
    await pace.next()
    return answerOf(key, apiVersion, correlationId, request, response)
  } finally {
    peer.letGo(bytes)
  }
}

function answerOf<K extends ApiKey>(
  key: K,
  version: number,
  correlationId: number,
  request: RequestOf<K>,
  response: ResponseOf<K>,
): readonly Part[] {
  const isUnanswered = key === apiKey.produce && (request as RequestOf<0>).acks === 0
  return isUnanswered ? unanswered(response as ResponseOf<0>) : encoded(key, version, correlationId, response)
}

function encoded<K extends ApiKey>(
  key: K,
  version: number,
  correlationId: number,
  response: ResponseOf<K>,
): readonly Part[] {
  try {
    return writeResponse(key, version, correlationId, response)
  } catch (error) {
    const what = `the answer to ${apis[key].name} ${version} cannot be written: ${(error as Error).message}`
    throw protocolError('UNKNOWN_SERVER_ERROR', what, { cause: error })
  }
}

/**
 * ApiVersions of a version to come is answered by version 0 with the versions there are: the client asks again. Anything
 * else that is not known ends the connection, as in Kafka; clients that probe rely on it.
 */
function answerToUnknown({ apiKey: key, apiVersion, correlationId }: RequestHeader): readonly Part[] {
  if (key !== apiKey.apiVersions) {
    const name = (apis as Partial<Record<number, { name: string }>>)[key]?.name ?? `API ${key}`
    throw protocolError('UNSUPPORTED_VERSION', `${name} version ${apiVersion} is not offered by this broker`)
  }
  const { from, to } = answeredVersions(key)!
  return writeResponse(apiKey.apiVersions, 0, correlationId, {
    errorCode: protocolErrors.UNSUPPORTED_VERSION.code,
    apiKeys: [{ apiKey: key, minVersion: from, maxVersion: to }],
    throttleTimeMs: 0,
    zkMigrationReady: false,
  })
}

/** With acks 0 the end of the connection is all that tells a client of a failure. */
function unanswered({ responses }: ProduceResponse): readonly Part[] {
  for (const { name, partitionResponses } of responses) {
    for (const { index, errorCode, errorMessage } of partitionResponses) {
      if (errorCode === 0) continue
      const what = errorMessage ?? errorName(errorCode)
      throw protocolError(errorName(errorCode), `a produce with acks=0 to ${name}-${index} failed: ${what}`)
    }
  }
  return noParts
}
