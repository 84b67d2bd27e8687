/** Something that happens once, and what waits for it. */
export class Signal<T = void> {
  private given: { readonly value: T } | null = null
  private readonly listeners = new Set<(value: T) => void>()

  get isSet(): boolean {
    return this.given !== null
  }

  get value(): T | undefined {
    return this.given?.value
  }

  /** Resolves when it happens. */
  get happened(): Promise<T> {
    return new Promise((resolve) => this.listen(resolve))
  }

  /** Later calls change nothing. */
  set(value: T): void {
    if (this.given !== null) return
    this.given = { value }
    for (const listener of this.listeners) listener(value)
    this.listeners.clear()
  }

  /** Calls back when it happens, now if it has, unless it is undone by what this returns. */
  listen(listener: (value: T) => void): () => void {
    if (this.given !== null) {
      listener(this.given.value)
      return () => {}
    }
    this.listeners.add(listener)
    return () => this.listeners.delete(listener)
  }

  /** What the work comes to, or null if this happens first. Leaves nothing behind: a promise would keep every waiter. */
  unless<R>(work: Promise<R>): Promise<R | null> {
    return new Promise((resolve, reject) => {
      const forget = this.listen(() => resolve(null))
      work.then(
        (result) => {
          forget()
          resolve(result)
        },
        (error) => {
          forget()
          reject(error)
        },
      )
    })
  }
}
