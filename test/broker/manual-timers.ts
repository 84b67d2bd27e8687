import type { Timer, Timers } from '../../ts/broker/timers.js'

interface Due {
  at: number
  callback: () => void
}

/** Time that stands still until a test moves it. */
export class ManualTimers implements Timers {
  #now = 0
  readonly #due = new Set<Due>()

  readonly now = (): number => this.#now

  /** How many timers are set. */
  get size(): number {
    return this.#due.size
  }

  readonly after = (ms: number, callback: () => void): Timer => {
    const due = { at: this.#now + ms, callback }
    this.#due.add(due)
    return { cancel: () => this.#due.delete(due) }
  }

  /** Moves time on, calling back in order what becomes due on the way, with a turn of promises after each. */
  async advance(ms: number): Promise<void> {
    const end = this.#now + ms
    for (;;) {
      let next: Due | null = null
      for (const due of this.#due) if (due.at <= end && (next === null || due.at < next.at)) next = due
      if (next === null) break
      this.#due.delete(next)
      this.#now = Math.max(this.#now, next.at)
      next.callback()
      await turn()
    }
    this.#now = end
    await turn()
  }
}

/** Lets promises that wait for nothing settle. */
export function turn(): Promise<void> {
  return new Promise((resolve) => setImmediate(resolve))
}
