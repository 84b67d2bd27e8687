import type { Timer, Timers } from '../../ts/broker/timers.js'

interface Due {
  at: number
  callback: () => void
}

/** Time that stands still until a test moves it. */
export class ManualTimers implements Timers {
  #now = 0
  readonly #due = new Set<Due>()
  readonly #turn: () => Promise<void>

  /** `turn` is what passes after each callback. */
  constructor(turn: () => Promise<void> = turnOfTheLoop) {
    this.#turn = turn
  }

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

  /** Moves time on, calling back in order what becomes due on the way, with a turn after each. */
  async advance(ms: number): Promise<void> {
    const end = this.#now + ms
    for (;;) {
      let next: Due | null = null
      for (const due of this.#due) if (due.at <= end && (next === null || due.at < next.at)) next = due
      if (next === null) break
      this.#due.delete(next)
      this.#now = Math.max(this.#now, next.at)
      next.callback()
      await this.#turn()
    }
    this.#now = end
    await this.#turn()
  }
}

/** Lets everything run that waits for nothing, and what the disk has done. */
export function turnOfTheLoop(): Promise<void> {
  return new Promise((resolve) => setImmediate(resolve))
}

/** Lets promises settle that wait for nothing but each other. */
export async function turnOfPromises(): Promise<void> {
  for (let i = 0; i < 10; i++) await null
}
