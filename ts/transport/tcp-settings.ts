import { type BackOffTimes, defaultBackOff } from '../client/back-off.js'
import { checkOptions, integer, type OptionRules, plainObject, text } from '../client/options.js'

/** How a client reaches brokers over TCP. Names are KafkaJS's where it has one. */
export interface TcpOptions {
  /** Named in the brokers' logs, metrics and quotas where producers, consumers and admins give none (default 'seglog'). */
  clientId?: string
  /** Milliseconds a connection may take to be made (default 10,000). */
  connectionTimeout?: number
  /** Milliseconds a broker may take to answer, besides the time it was asked to wait (default 30,000). */
  requestTimeout?: number
  /** Milliseconds a call may take with everything it repeats and looks up; a send has its `deliveryTimeout` (default 60,000). */
  apiTimeout?: number
  /** Milliseconds after which what is known of brokers and leaders is asked for again (default 300,000). */
  metadataMaxAge?: number
  /** Milliseconds after which a connection that is not used is closed (default 540,000). */
  connectionMaxIdle?: number
  /** The pauses before a call is repeated: they begin with `initialRetryTime` and double up to `maxRetryTime`. */
  retry?: RetryOptions
}

export interface RetryOptions {
  /** Milliseconds (default 100). */
  initialRetryTime?: number
  /** Milliseconds (default 1,000). */
  maxRetryTime?: number
}

/** TcpOptions, complete. */
export interface TcpSettings {
  readonly clientId: string
  readonly connectionTimeout: number
  readonly requestTimeout: number
  readonly apiTimeout: number
  readonly metadataMaxAge: number
  readonly connectionMaxIdle: number
  readonly backOff: BackOffTimes
}

const milliseconds = integer(1, 0x7fff_ffff)

export const tcpRules: OptionRules = {
  clientId: text,
  connectionTimeout: milliseconds,
  requestTimeout: milliseconds,
  apiTimeout: milliseconds,
  metadataMaxAge: milliseconds,
  connectionMaxIdle: milliseconds,
  retry: plainObject,
}

const retryRules: OptionRules = { initialRetryTime: milliseconds, maxRetryTime: milliseconds }

/** Completes options that `tcpRules` have accepted. Throws INVALID_OPTION, MISSPELLED_OPTION for those within `retry`. */
export function tcpSettings(given: TcpOptions): TcpSettings {
  checkOptions('open() retry', given.retry, retryRules)
  const initialMs = given.retry?.initialRetryTime ?? defaultBackOff.initialMs
  return {
    clientId: given.clientId ?? 'seglog',
    connectionTimeout: given.connectionTimeout ?? 10_000,
    requestTimeout: given.requestTimeout ?? 30_000,
    apiTimeout: given.apiTimeout ?? 60_000,
    metadataMaxAge: given.metadataMaxAge ?? 300_000,
    connectionMaxIdle: given.connectionMaxIdle ?? 540_000,
    backOff: { initialMs, maxMs: Math.max(initialMs, given.retry?.maxRetryTime ?? defaultBackOff.maxMs) },
  }
}
