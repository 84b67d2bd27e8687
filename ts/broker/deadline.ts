import type { Timer, Timers } from './timers.js'

/**
 * A moment that may be put off again and again, as a session is by heartbeats: moving it later costs no timer. `expire`
 * is called once when it has passed; until it is set again, nothing happens.
 */
export class Deadline {
  readonly #timers: Timers
  readonly #expire: () => void
  #at = Number.POSITIVE_INFINITY
  #timer: Timer | null = null
  #firesAt = Number.POSITIVE_INFINITY

  constructor(timers: Timers, expire: () => void) {
    this.#timers = timers
    this.#expire = expire
  }

  get isSet(): boolean {
    return this.#at !== Number.POSITIVE_INFINITY
  }

  /** The moment is `ms` from now, whatever it was before. */
  set(ms: number): void {
    this.#at = this.#timers.now() + ms
    if (this.#timer !== null && this.#firesAt <= this.#at) return
    this.#timer?.cancel()
    this.#arm(ms)
  }

  /** There is no such moment. */
  clear(): void {
    this.#at = Number.POSITIVE_INFINITY
    this.#timer?.cancel()
    this.#timer = null
  }

  #arm(ms: number): void {
    this.#firesAt = this.#timers.now() + ms
    this.#timer = this.#timers.after(ms, this.#look)
  }

  readonly #look = (): void => {
    this.#timer = null
    const left = this.#at - this.#timers.now()
    if (left > 0) {
      this.#arm(left)
    } else {
      this.#at = Number.POSITIVE_INFINITY
      this.#expire()
    }
  }
}
