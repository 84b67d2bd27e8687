/**
 * Segments of one log, ordered by base offset. Look-ups are binary searches over a few hundred entries at most; the list
 * owns nothing.
 */
export class SegmentList<T extends { readonly baseOffset: number }> {
  readonly #entries: T[] = []

  get length(): number {
    return this.#entries.length
  }

  get first(): T | undefined {
    return this.#entries[0]
  }

  get last(): T | undefined {
    return this.#entries.at(-1)
  }

  [Symbol.iterator](): IterableIterator<T> {
    return this.#entries.values()
  }

  at(index: number): T | undefined {
    return this.#entries[index]
  }

  /** Appends an entry whose base offset is above all others. */
  add(entry: T): void {
    const last = this.last
    if (last !== undefined && entry.baseOffset <= last.baseOffset) {
      throw new RangeError(`segment ${entry.baseOffset} does not follow segment ${last.baseOffset}`)
    }
    this.#entries.push(entry)
  }

  /** Index of the entry with the greatest base offset that is not above `offset`, -1 if all are above. */
  floorIndex(offset: number): number {
    let low = 0
    let high = this.#entries.length
    while (low < high) {
      const middle = (low + high) >>> 1
      if (this.#entries[middle].baseOffset <= offset) low = middle + 1
      else high = middle
    }
    return low - 1
  }

  floor(offset: number): T | undefined {
    return this.#entries[this.floorIndex(offset)]
  }

  /** The entry after the given one. */
  after(entry: T): T | undefined {
    return this.#entries[this.floorIndex(entry.baseOffset) + 1]
  }

  /** Takes out the first `count` entries and returns them. */
  removeFirst(count: number): T[] {
    return this.#entries.splice(0, count)
  }

  /** Takes out every entry with a base offset above `offset` and returns them, last first. */
  removeAbove(offset: number): T[] {
    return this.#entries.splice(this.floorIndex(offset) + 1).reverse()
  }
}
