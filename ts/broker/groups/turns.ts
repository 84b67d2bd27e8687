import { isPromise, type MaybePromise } from '../../log/maybe-promise.js'

/**
 * One after another, by key: what is decided about a group while something of it is being written would be decided on what
 * is no longer so. Nobody waits where nothing is under way.
 */
export class Turns {
  readonly #last = new Map<string, Promise<void>>()

  /** Something of this key is under way. */
  isUnderWay(key: string): boolean {
    return this.#last.has(key)
  }

  /** Calls `act` when everything of this key that was asked for before has ended, at once where there is nothing. */
  take<R>(key: string, act: () => MaybePromise<R>): MaybePromise<R> {
    const before = this.#last.get(key)
    const result = before === undefined ? act() : before.then(act)
    if (!isPromise(result)) return result
    const ended: Promise<void> = result.then(
      () => this.#end(key, ended),
      () => this.#end(key, ended),
    )
    this.#last.set(key, ended)
    return result
  }

  async settled(): Promise<void> {
    while (this.#last.size > 0) await Promise.all(this.#last.values())
  }

  #end(key: string, ended: Promise<void>): void {
    if (this.#last.get(key) === ended) this.#last.delete(key)
  }
}
