import { SeglogError } from '../errors/seglog-error.js'
import type { MaybePromise } from '../log/maybe-promise.js'
import type { ApiKey, RequestOf, ResponseOf } from '../protocol/apis.js'
import { checkOptions, invalidOption, type OptionRules } from './options.js'
import type { TopicMetadataCache } from './topic-metadata.js'
import type { Transport } from './transport.js'

/** What an admin needs of the log it belongs to. */
export interface AdminParts {
  transport: Transport
  metadata: TopicMetadataCache
  /** Throws CLOSED once the log is closed. */
  checkOpen: () => void
}

/** Milliseconds a call may take unless it says otherwise. */
export const defaultTimeoutMs = 60_000

/** The requests of one admin. */
export class AdminCalls {
  constructor(
    readonly parts: AdminParts,
    readonly clientId: string | null,
  ) {}

  /** Throws CLOSED. */
  request<K extends ApiKey>(key: K, request: RequestOf<K>): MaybePromise<ResponseOf<K>> {
    this.parts.checkOpen()
    return this.parts.transport.request(key, request, { clientId: this.clientId })
  }
}

/** As `checkOptions`; INVALID_OPTION too for a required one that is not there. */
export function checkCall(of: string, options: object, known: OptionRules, ...required: string[]): void {
  checkOptions(of, options ?? null, known)
  for (const name of required) {
    if ((options as Record<string, unknown>)[name] === undefined) {
      throw invalidOption(of, name, known[name].expected, undefined)
    }
  }
}

/** Throws the first error of a call on several things, with what became of all as its `results`. */
export function throwFirst(outcomes: readonly { error?: SeglogError }[]): void {
  const first = outcomes.find(({ error }) => error !== undefined)?.error
  if (first === undefined) return
  if (outcomes.length === 1) throw first
  const { retriable, topic, partition, key } = first
  throw new SeglogError(first.code, first.message, {
    retriable,
    topic,
    partition,
    key,
    cause: first,
    results: outcomes,
  })
}

export function only<T>(parts: readonly T[]): T {
  if (parts.length === 0) throw new SeglogError('UNKNOWN_SERVER_ERROR', 'the broker gave an empty answer')
  return parts[0]
}
