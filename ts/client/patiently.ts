import type { MaybePromise } from '../log/maybe-promise.js'
import { type BackOffTimes, backOffMs } from './back-off.js'
import { type Clock, pause, processClock } from './group/clock.js'
import { keepingAlive } from './keeping-alive.js'
import { asSeglogError } from './settle-errors.js'

const backOff: BackOffTimes = { initialMs: 20, maxMs: 1_000 }

/** Does it again while it fails with what may pass, such as a coordinator that loads, for `timeoutMs` at most. */
export async function patiently<T>(
  work: () => MaybePromise<T>,
  timeoutMs: number,
  clock: Clock = processClock,
): Promise<T> {
  const deadlineMs = clock.now() + timeoutMs
  for (let attempts = 1; ; attempts++) {
    try {
      return await work()
    } catch (error) {
      if (!asSeglogError(error).retriable || clock.now() >= deadlineMs) throw error
    }
    await keepingAlive(pause(clock, backOffMs(backOff, attempts)))
  }
}
