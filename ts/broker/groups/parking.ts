/** A timer that keeps the process alive needs a time; this one is about 24 days. */
const longMs = 0x7fff_ffff

/**
 * Counts requests whose answer waits for others. While there are any, the process stays alive: somebody in it may be
 * awaiting one. The deadlines that answer them do not keep it.
 */
export class Parking {
  #count = 0
  #alive: NodeJS.Timeout | null = null

  get count(): number {
    return this.#count
  }

  /** A promise that settles when what `keep` was given is called. */
  park<T>(keep: (answer: (response: T) => void) => void): Promise<T> {
    if (this.#count++ === 0) this.#alive = setInterval(() => {}, longMs)
    return new Promise((resolve) => {
      keep((response) => {
        if (--this.#count === 0 && this.#alive !== null) clearInterval(this.#alive)
        resolve(response)
      })
    })
  }
}
