/** Members ordered by how much each has, the least on top; of those with as much, the one that came first. */
export class LoadHeap {
  readonly #heap: number[]
  readonly #ids: readonly string[]
  readonly #loads: ReadonlyMap<string, number>

  /** `loads` is looked at as it changes; only the load of the member on top may, and `sinkLeast` is to follow. */
  constructor(ids: readonly string[], loads: ReadonlyMap<string, number>) {
    this.#ids = ids
    this.#loads = loads
    // In ascending order it is a heap.
    this.#heap = ids.map((_, i) => i).sort((a, b) => this.#compare(a, b))
  }

  get least(): string | undefined {
    return this.#heap.length === 0 ? undefined : this.#ids[this.#heap[0]]
  }

  /** The member on top got more. */
  sinkLeast(): void {
    const heap = this.#heap
    let at = 0
    for (;;) {
      const left = 2 * at + 1
      if (left >= heap.length) return
      const right = left + 1
      const child = right < heap.length && this.#compare(heap[right], heap[left]) < 0 ? right : left
      if (this.#compare(heap[at], heap[child]) <= 0) return
      const moved = heap[at]
      heap[at] = heap[child]
      heap[child] = moved
      at = child
    }
  }

  #compare(a: number, b: number): number {
    return this.#loads.get(this.#ids[a])! - this.#loads.get(this.#ids[b])! || a - b
  }
}
