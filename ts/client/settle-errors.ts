import { SeglogError } from '../errors/seglog-error.js'

/** The error itself where it has a code of ours; anything else wrapped, so that callers can rely on `code`. */
export function asSeglogError(error: unknown): SeglogError {
  if (error instanceof Error && error.name === 'SeglogError') return error as SeglogError
  const message = error instanceof Error ? error.message : String(error)
  return new SeglogError('UNKNOWN_SERVER_ERROR', message, { cause: error })
}

/** ABORTED, with the signal's reason as cause. */
export function abortedError(what: string, signal: AbortSignal): SeglogError {
  return new SeglogError('ABORTED', what, { cause: signal.reason })
}
