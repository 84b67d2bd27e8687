/** Something that will happen unless it is cancelled. Cancelling twice, or too late, does nothing. */
export interface Timer {
  cancel(): void
}

/** Time for deadlines, so that tests can drive it. */
export interface Timers {
  /** Milliseconds of a clock that only goes forward. */
  now(): number
  /** Calls back once, when `ms` have passed. Never within this call, and never keeping an idle process alive. */
  after(ms: number, callback: () => void): Timer
}

/** setTimeout fires at once for anything longer. */
const waitMsMax = 0x7fff_ffff
/** A timer later than this was held up: the event loop stood still. */
const stallMs = 500

/**
 * Timers of this process, for deadlines that others must meet by what they send. Node runs timers before it reads from
 * sockets, so after a stall of the event loop a timely heartbeat lies unread when its deadline comes up, and a member in
 * this process had no chance to send it. Hence a due timer first lets the loop poll, twice, and one that comes late
 * waits once more as long as it was late (at most its own time). Whoever asked looks at the time again when it calls.
 */
export const loopTimers: Timers = {
  now: () => performance.now(),
  after: (ms, callback) => new LoopTimer(ms, callback),
}

class LoopTimer implements Timer {
  readonly #callback: () => void
  readonly #ms: number
  #extended = false
  #timeout: NodeJS.Timeout | null = null
  #immediate: NodeJS.Immediate | null = null

  constructor(ms: number, callback: () => void) {
    this.#callback = callback
    this.#ms = ms
    this.#wait(ms)
  }

  cancel(): void {
    if (this.#timeout !== null) clearTimeout(this.#timeout)
    if (this.#immediate !== null) clearImmediate(this.#immediate)
    this.#timeout = null
    this.#immediate = null
  }

  #wait(ms: number): void {
    const due = performance.now() + ms
    const step = Math.min(ms, waitMsMax)
    this.#timeout = setTimeout(() => this.#due(due), step).unref()
  }

  #due(due: number): void {
    this.#timeout = null
    const late = performance.now() - due
    // One that was too long for setTimeout, or that the clock of timers rounded down.
    if (late < 0) this.#wait(-late)
    else if (late > stallMs && !this.#extended) {
      this.#extended = true
      this.#wait(Math.min(late, this.#ms))
    } else this.#afterPoll(() => this.#afterPoll(() => this.#callback()))
  }

  #afterPoll(callback: () => void): void {
    this.#immediate = setImmediate(() => {
      this.#immediate = null
      callback()
    })
  }
}
