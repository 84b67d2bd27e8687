import type { Signal } from './signal.js'

/** Something that will happen unless it is cancelled. Cancelling twice, or too late, does nothing. */
export interface Alarm {
  cancel(): void
}

/** Time for members of groups, so that tests can drive it. */
export interface Clock {
  /** Milliseconds of a clock that only goes forward. */
  now(): number
  /** Calls back once, when `ms` have passed. Never within this call, and never keeping an idle process alive. */
  after(ms: number, callback: () => void): Alarm
}

/** setTimeout fires at once for anything longer. */
const waitMsMax = 0x7fff_ffff

export const processClock: Clock = {
  now: () => performance.now(),
  after(ms, callback) {
    const timeout = setTimeout(callback, Math.min(ms, waitMsMax)).unref()
    return { cancel: () => clearTimeout(timeout) }
  },
}

/** Resolves after `ms`, or as soon as `over` happens. */
export function pause<T>(clock: Clock, ms: number, over?: Signal<T>): Promise<void> {
  return new Promise((resolve) => {
    const alarm = clock.after(ms, () => {
      forget?.()
      resolve()
    })
    const forget = over?.listen(() => {
      alarm.cancel()
      resolve()
    })
  })
}
