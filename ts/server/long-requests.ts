import type { Pace } from '../broker/request-context.js'

/** Elements that are handled in one turn of the event loop. */
const elementsPerTurn = 1000

interface Waiting {
  readonly number: number
  readonly go: () => void
}

/**
 * Where requests with many elements take turns, those of all connections: in each turn of the event loop one of them does
 * a piece of its work, the one that came first of those that have something to do. So what comes over other connections is
 * answered between the pieces, and one request after another takes memory for its objects. Who waits for something else
 * (records, the disk) keeps nobody up.
 */
export class LongRequests {
  /** The first to come first. */
  readonly #waiting: Waiting[] = []
  #count = 0
  #isScheduled = false

  /** Takes a request on. It has to wait for its first turn too: `next`. */
  begin(): Pace {
    const number = this.#count++
    let elements = 0
    return {
      isDue: (handled = 1) => {
        elements += handled
        return elements > elementsPerTurn
      },
      next: async () => {
        await this.#turn(number)
        elements = 0
      },
    }
  }

  #turn(number: number): Promise<void> {
    return new Promise((go) => {
      const behind = this.#waiting.findLastIndex((other) => other.number <= number)
      this.#waiting.splice(behind + 1, 0, { number, go })
      this.#schedule()
    })
  }

  #schedule(): void {
    if (this.#isScheduled || this.#waiting.length === 0) return
    this.#isScheduled = true
    setImmediate(this.#grant)
  }

  readonly #grant = (): void => {
    this.#isScheduled = false
    this.#waiting.shift()?.go()
    this.#schedule()
  }
}
