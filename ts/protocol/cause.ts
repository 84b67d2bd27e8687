import type { SeglogError } from '../errors/seglog-error.js'

const causeKey = Symbol.for('seglog.cause')

/**
 * Attaches the full error behind an error code to a response part (the partition, topic or resource entry that carries
 * the code). Kafka's responses have room for a number and sometimes a message; in-process the caller can have the
 * code, path and cause too. Not enumerable: the codec, JSON and equality never see it.
 */
export function withCause<T extends object>(part: T, cause: SeglogError): T {
  return Object.defineProperty(part, causeKey, { value: cause, enumerable: false, configurable: true })
}

/** The error attached by `withCause`, or undefined (always so when the response came over the wire). */
export function causeOf(part: object): SeglogError | undefined {
  return (part as { [causeKey]?: SeglogError })[causeKey]
}
