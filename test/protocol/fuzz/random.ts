/** Numbers that come again for the same seed (mulberry32). */
export class Random {
  private state: number

  constructor(...seeds: readonly number[]) {
    this.state = 0x9e37_79b9
    for (const seed of seeds) this.state = Math.imul(this.next() ^ seed, 0x85eb_ca6b)
  }

  /** 32 bits. */
  next(): number {
    this.state = (this.state + 0x6d2b_79f5) | 0
    let mixed = Math.imul(this.state ^ (this.state >>> 15), this.state | 1)
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61)
    return (mixed ^ (mixed >>> 14)) >>> 0
  }

  /** From 0 up to, but not including, `end`. */
  below(end: number): number {
    return this.next() % Math.max(1, end)
  }

  pick<T>(choices: readonly T[]): T {
    return choices[this.below(choices.length)]!
  }

  bytes(length: number): Buffer {
    return Buffer.from(Array.from({ length }, () => this.below(0x100)))
  }
}
