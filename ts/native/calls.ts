import type { Binding, NativeModule, Ticket } from './binding.js'
import { engineError } from './engine-error.js'

interface Pending {
  resolve(value: unknown): void
  reject(error: Error): void
  /** What the addon still refers to: buffers stay referenced until their call has settled. */
  readonly held: unknown
}

const turn = Promise.resolve()

/**
 * The promises of the addon's asynchronous calls. Calls begun in one turn of the event loop are sent together by one
 * kick; what finishes comes back in batches.
 */
export class Calls {
  readonly native: Binding
  readonly #pending = new Map<number, Pending>()
  readonly #events = new Map<number, (error: Error) => void>()
  #kicked = false
  #turn = 0

  constructor(module: NativeModule) {
    this.native = module.start((tickets, errors, values) => this.#complete(tickets, errors, values), engineError)
  }

  /**
   * Settles as the call that `begin` starts. What `begin` throws rejects. `held` is kept alive until then, if it is
   * what the call reads or writes.
   */
  run<T>(begin: (native: Binding) => Ticket<T>, held?: unknown): Promise<T> {
    return new Promise<T>((resolve, reject) => {
      const ticket = begin(this.native)
      this.#pending.set(ticket, { resolve: resolve as (value: unknown) => void, reject, held })
      if (this.#kicked) return
      this.#kicked = true
      turn.then(this.#kick)
    })
  }

  /** Calls `listener` whenever `ticket` is answered; it keeps nothing alive. Undefined ends it. */
  on(ticket: number, listener: ((error: Error) => void) | undefined): void {
    if (listener) this.#events.set(ticket, listener)
    else this.#events.delete(ticket)
  }

  /** Grows by one whenever calls leave: two calls that see the same number leave together. */
  get turn(): number {
    return this.#turn
  }

  readonly #kick = (): void => {
    this.#kicked = false
    this.#turn++
    this.native.kick()
  }

  #complete(tickets: number[], errors: (Error | null)[], values: unknown[]): void {
    for (let i = 0; i < tickets.length; i++) {
      const ticket = tickets[i]!
      const error = errors[i]!
      const pending = this.#pending.get(ticket)
      if (!pending) {
        const listener = error && this.#events.get(ticket)
        if (listener) queueMicrotask(() => listener(error)) // what it throws must not lose the rest of the batch
        continue
      }
      this.#pending.delete(ticket)
      if (error) pending.reject(error)
      else pending.resolve(values[i])
    }
  }
}
