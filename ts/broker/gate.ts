/** Lets so many pieces of work be under way at a time; the others wait, in their order. */
export class Gate {
  readonly #max: number
  readonly #waiting: (() => void)[] = []
  #underWay = 0

  constructor(max: number) {
    this.#max = max
  }

  async run<T>(work: () => Promise<T>): Promise<T> {
    if (this.#underWay < this.#max) this.#underWay++
    else await new Promise<void>((resolve) => this.#waiting.push(resolve))
    try {
      return await work()
    } finally {
      // Whoever waits takes the place over.
      const next = this.#waiting.shift()
      if (next === undefined) this.#underWay--
      else next()
    }
  }
}
