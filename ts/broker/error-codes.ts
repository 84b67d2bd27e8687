import { SeglogError, type SeglogErrorDetail } from '../errors/seglog-error.js'
import { stackless } from '../errors/stackless.js'
import { type ProtocolErrorName, protocolError, protocolErrors } from '../protocol/errors.js'

/** Kafka's nearest name for errors that are not Kafka's. */
const nearestName: Readonly<Record<string, ProtocolErrorName>> = {
  IO_ERROR: 'KAFKA_STORAGE_ERROR',
  NO_SPACE: 'KAFKA_STORAGE_ERROR',
  TOO_MANY_OPEN_FILES: 'KAFKA_STORAGE_ERROR',
  FILE_NOT_FOUND: 'KAFKA_STORAGE_ERROR',
  ACCESS_DENIED: 'KAFKA_STORAGE_ERROR',
  DIRECTORY_OFFLINE: 'KAFKA_STORAGE_ERROR',
  CORRUPT_LOG: 'KAFKA_STORAGE_ERROR',
  READ_ONLY: 'POLICY_VIOLATION',
  CLOSED: 'NOT_LEADER_OR_FOLLOWER',
  CORRUPT_BATCH: 'CORRUPT_MESSAGE',
  INVALID_BATCH: 'INVALID_RECORD',
  BATCH_TOO_LARGE: 'RECORD_LIST_TOO_LARGE',
  DECOMPRESSION_FAILED: 'INVALID_RECORD',
  DECOMPRESSED_TOO_LARGE: 'INVALID_RECORD',
  INVALID_ARGUMENT: 'INVALID_REQUEST',
  UNKNOWN_CONFIG: 'INVALID_CONFIG',
  TIMED_OUT: 'REQUEST_TIMED_OUT',
  CANCELLED: 'REQUEST_TIMED_OUT',
  ABORTED: 'REQUEST_TIMED_OUT',
}

/** The error code that a response carries for this error. */
export function errorCodeOf(error: SeglogError): number {
  const name = Object.hasOwn(protocolErrors, error.code)
    ? (error.code as ProtocolErrorName)
    : (nearestName[error.code] ?? 'UNKNOWN_SERVER_ERROR')
  return protocolErrors[name].code
}

/**
 * Anything thrown, as a SeglogError. Told by its shape, not its class (errors may come from another realm); what is none
 * becomes UNKNOWN_SERVER_ERROR with the original as cause.
 */
export function asSeglogError(error: unknown): SeglogError {
  if (error instanceof SeglogError) return error
  if (error instanceof Error && 'code' in error && typeof error.code === 'string' && 'retriable' in error) {
    return error as SeglogError
  }
  const message = error instanceof Error ? error.message : String(error)
  return protocolError('UNKNOWN_SERVER_ERROR', `the broker failed: ${message}`, { cause: error })
}

/**
 * As `asSeglogError`, saying where it happened: topic and partition are part of the error, and its message begins with
 * them, unless it names them itself or speaks of the topic as a whole.
 */
export function placedError(thrown: unknown, topic: string, partition: number): SeglogError {
  const error = asSeglogError(thrown)
  const place = `${topic}-${partition}`
  const ofTopic = error.topic !== undefined && error.partition === undefined
  const named = ofTopic || error.message.includes(place)
  if (named && error.partition !== undefined) return error
  const { code, message, retriable, cause, offset, path, position, key } = error
  const detail: SeglogErrorDetail = { retriable, topic, partition }
  if (cause !== undefined) detail.cause = cause
  if (offset !== undefined) detail.offset = offset
  if (path !== undefined) detail.path = path
  if (position !== undefined) detail.position = position
  if (key !== undefined) detail.key = key
  return stackless(() => new SeglogError(code, named ? message : `${place}: ${message}`, detail))
}
