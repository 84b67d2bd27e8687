import type { SeglogError } from '../errors/seglog-error.js'
import { protocolError } from '../protocol/errors.js'

const unsent = Symbol('unsent')

/** A request that no byte of left this process: whatever it asks for, it can be made again. */
export function unsentError(error: SeglogError): SeglogError {
  return Object.defineProperty(error, unsent, { value: true })
}

/** True for a failure that came before the broker could see the request. */
export function isUnsent(error: unknown): boolean {
  return typeof error === 'object' && error !== null && unsent in error
}

/** BROKER_NOT_AVAILABLE, retriable: a broker that did not take the connection. */
export function unreachable(name: string, cause: unknown): SeglogError {
  const message = `cannot connect to ${name}: ${reasonOf(cause)}`
  return unsentError(protocolError('BROKER_NOT_AVAILABLE', message, { retriable: true, cause }))
}

/** NETWORK_EXCEPTION: a connection that ended before the answer came. */
export function lostConnection(message: string, cause?: unknown): SeglogError {
  return protocolError('NETWORK_EXCEPTION', message, { cause })
}

/** What a system error says in few words; several attempts (IPv6, then IPv4) in one line. */
export function reasonOf(error: unknown): string {
  if (error instanceof AggregateError && error.errors.length > 0) {
    return [...new Set(error.errors.map(reasonOf))].join(', ')
  }
  return error instanceof Error ? error.message : String(error)
}
