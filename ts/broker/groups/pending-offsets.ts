import type { CommittedOffset } from './committed-offsets.js'

interface PendingOffset {
  readonly group: string
  readonly topic: string
  readonly partition: number
  readonly offset: CommittedOffset
}

/** Offsets written within transactions, by producer id: a marker decides what becomes of them. */
export class PendingOffsets {
  readonly #byProducer = new Map<number, Map<string, PendingOffset>>()

  add(producerId: number, group: string, topic: string, partition: number, offset: CommittedOffset): void {
    let offsets = this.#byProducer.get(producerId)
    if (offsets === undefined) {
      offsets = new Map()
      this.#byProducer.set(producerId, offsets)
    }
    offsets.set(keyOf(group, topic, partition), { group, topic, partition, offset })
  }

  /** Takes out what a producer's transaction wrote. */
  take(producerId: number): PendingOffset[] {
    const offsets = [...(this.#byProducer.get(producerId)?.values() ?? [])]
    this.#byProducer.delete(producerId)
    return offsets
  }

  /** A tombstone also removes what is not decided yet. */
  forget(group: string, topic: string, partition: number): void {
    const key = keyOf(group, topic, partition)
    for (const [producerId, offsets] of this.#byProducer) {
      if (offsets.delete(key) && offsets.size === 0) this.#byProducer.delete(producerId)
    }
  }

  has(group: string, topic: string, partition: number): boolean {
    const key = keyOf(group, topic, partition)
    for (const offsets of this.#byProducer.values()) if (offsets.has(key)) return true
    return false
  }

  hasGroup(group: string): boolean {
    for (const offsets of this.#byProducer.values()) {
      for (const pending of offsets.values()) if (pending.group === group) return true
    }
    return false
  }

  /** Where offsets of the group are pending. */
  *ofGroup(group: string): IterableIterator<{ topic: string; partition: number }> {
    for (const offsets of this.#byProducer.values()) {
      for (const pending of offsets.values()) if (pending.group === group) yield pending
    }
  }
}

/** Topic names hold no slash. */
function keyOf(group: string, topic: string, partition: number): string {
  return `${topic}/${partition}/${group}`
}
