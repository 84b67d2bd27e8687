import { type BackOffTimes, backOffMs } from '../client/back-off.js'
import { asSeglogError } from '../client/settle-errors.js'
import type { SeglogError } from '../errors/seglog-error.js'
import { isUnsent } from './connection-error.js'
import type { Pauses } from './pauses.js'

/** One call of a client, with all its attempts. */
export interface Call {
  readonly clientId: string
  /** By `performance.now`: no attempt begins after it. */
  readonly deadlineMs: number
  readonly signal?: AbortSignal
}

/** What an attempt brought: an answer, and whether a later one may be better. */
export interface Attempt<T> {
  readonly answer: T
  readonly again: boolean
}

/**
 * Makes attempts until one is good, with growing pauses, as long as the call's time lasts; then gives the last answer, or
 * rejects with the last failure. Failures are repeated if the broker never saw the request, or where `mayRepeat` says
 * that seeing it twice does no harm.
 */
export async function repeated<T>(
  call: Call,
  times: BackOffTimes,
  pauses: Pauses,
  mayRepeat: boolean,
  attempt: () => Promise<Attempt<T>>,
): Promise<T> {
  for (let attempts = 1; ; attempts++) {
    const pauseMs = backOffMs(times, attempts)
    const isLast = () => performance.now() + pauseMs >= call.deadlineMs
    try {
      const { answer, again } = await attempt()
      if (!again || isLast()) return answer
    } catch (thrown) {
      const error = asSeglogError(thrown)
      if (!canRepeat(error, mayRepeat) || isLast()) throw error
    }
    await pauses.wait(pauseMs, call.signal)
  }
}

function canRepeat(error: SeglogError, mayRepeat: boolean): boolean {
  return error.retriable && (mayRepeat || isUnsent(error))
}
