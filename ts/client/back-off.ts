/** How long to wait between attempts. */
export interface BackOffTimes {
  /** Before the second attempt, in milliseconds; it doubles with each further one. */
  readonly initialMs: number
  readonly maxMs: number
}

export const defaultBackOff: BackOffTimes = { initialMs: 100, maxMs: 1_000 }

/** A fifth to both sides, so that clients which lost the same broker do not come back at the same moment. */
const jitter = 0.2

/** Milliseconds to wait after `attempts` attempts have failed (1 or more); `random` gives numbers in [0, 1). */
export function backOffMs({ initialMs, maxMs }: BackOffTimes, attempts: number, random = Math.random): number {
  const exact = Math.min(maxMs, initialMs * 2 ** Math.min(attempts - 1, 30))
  return exact * (1 - jitter + random() * 2 * jitter)
}
