import { answeredVersions } from '../broker/api/offered-apis.js'
import type { Broker } from '../broker/broker.js'
import { isPromise, type MaybePromise } from '../log/maybe-promise.js'
import { type ApiKey, apiKey, apis, type RequestOf, type ResponseOf } from '../protocol/apis.js'
import {
  type Part,
  type RequestHeader,
  readRequest,
  readRequestHeader,
  writeResponse,
} from '../protocol/codec/frames.js'
import { Reader } from '../protocol/codec/reader.js'
import { errorName, protocolError, protocolErrors } from '../protocol/errors.js'
import type { ProduceResponse } from '../protocol/messages/00-produce.js'
import { covers } from '../protocol/schema.js'
import { ClientRequest, type Peer } from './client-request.js'
import type { Frame } from './frame-reader.js'

/** An answer that is not sent. */
const noParts: readonly Part[] = []

/**
 * Decodes one request, has the broker answer it and encodes the answer; no parts where none is expected (acks 0). The
 * frame's bytes are in use until the answer is there.
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
  return run(broker, header.apiKey as ApiKey, header, reader, peer)
}

function run<K extends ApiKey>(
  broker: Broker,
  key: K,
  header: RequestHeader,
  reader: Reader,
  peer: Peer,
): MaybePromise<readonly Part[]> {
  const { apiVersion, correlationId } = header
  const request = readRequest(reader, key, apiVersion)
  const response = broker.handle(key, request, new ClientRequest(peer, apiVersion, header.clientId))
  const encode =
    key === apiKey.produce && (request as RequestOf<0>).acks === 0
      ? (done: ResponseOf<K>) => unanswered(done as ResponseOf<0>)
      : (done: ResponseOf<K>) => encoded(key, apiVersion, correlationId, done)
  return isPromise(response) ? response.then(encode) : encode(response)
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
