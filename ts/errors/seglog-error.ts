import type { EngineErrorCode } from './codes.js'
import type { LibraryErrorCode } from './library-codes.js'

export interface SeglogErrorDetail {
  /** True if the same call may succeed later without a change. */
  retriable?: boolean
  cause?: unknown
  topic?: string
  partition?: number
  offset?: bigint
  path?: string
  /** Byte position in `path`. */
  position?: number
  /** The config key or option at fault. */
  key?: string
  /** What became of each part of a call that did several things, where it is known. */
  results?: readonly unknown[]
}

/**
 * The one error class of the library. Test `code`, never `instanceof`: errors may come from another realm
 * (Jest, worker threads). The message names the thing at fault and what to do.
 */
export class SeglogError extends Error {
  override readonly name = 'SeglogError'
  readonly code: EngineErrorCode | LibraryErrorCode | (string & {})
  readonly retriable: boolean
  declare readonly topic?: string
  declare readonly partition?: number
  declare readonly offset?: bigint
  declare readonly path?: string
  declare readonly position?: number
  declare readonly key?: string
  declare readonly results?: readonly unknown[]

  constructor(code: SeglogError['code'], message: string, detail: SeglogErrorDetail = {}) {
    super(message, detail.cause === undefined ? undefined : { cause: detail.cause })
    const { retriable = false, cause: _cause, ...rest } = detail
    this.code = code
    this.retriable = retriable
    Object.assign(this, rest)
  }
}
