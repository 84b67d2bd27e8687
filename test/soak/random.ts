import { randomFrom } from '../crash/child.js'

/** Choices from a repeatable random source. */
export class Random {
  private readonly next: () => number

  constructor(seed: number) {
    this.next = randomFrom(seed)
  }

  /** In [0, 1). */
  fraction(): number {
    return this.next()
  }

  /** A whole number from `low` up to and including `high`. */
  between(low: number, high: number): number {
    return low + Math.floor(this.next() * (high - low + 1))
  }

  /** As `between`, each order of magnitude as likely as any other. */
  magnitude(low: number, high: number): number {
    return Math.floor(low * (high / low) ** this.next())
  }

  chance(share: number): boolean {
    return this.next() < share
  }

  of<T>(items: readonly T[]): T {
    return items[Math.floor(this.next() * items.length)]!
  }

  /** One of the keys, each as likely as its weight says. */
  weighted<T extends string>(weights: Readonly<Record<T, number>>): T {
    const entries = Object.entries(weights) as [T, number][]
    let left = this.next() * entries.reduce((sum, [, weight]) => sum + weight, 0)
    for (const [name, weight] of entries) {
      left -= weight
      if (left < 0) return name
    }
    return entries.at(-1)![0]
  }

  bytes(length: number): Buffer {
    const bytes = Buffer.allocUnsafe(length)
    for (let i = 0; i < length; i += 1) bytes[i] = this.next() * 256
    return bytes
  }
}
