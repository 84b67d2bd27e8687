/** Something that happens once, and what waits for it. */
export class Signal<T = void> {
  private given: { readonly value: T } | null = null
  private resolve!: (value: T) => void
  readonly happened: Promise<T> = new Promise((resolve) => {
    this.resolve = resolve
  })

  get isSet(): boolean {
    return this.given !== null
  }

  get value(): T | undefined {
    return this.given?.value
  }

  /** Later calls change nothing. */
  set(value: T): void {
    this.given ??= { value }
    this.resolve(value)
  }
}
