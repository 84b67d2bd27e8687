/** A position that a group committed for one partition. */
export interface CommittedOffset {
  readonly offset: bigint
  /** Of the last record consumed; -1 if the client did not say. */
  readonly leaderEpoch: number
  readonly metadata: string
  /** Milliseconds since 1970. */
  readonly commitTimestamp: number
  /** Milliseconds since 1970 after which it may go, from clients that chose it themselves; -1 for the broker's rule. */
  readonly expireTimestamp: number
  /** The topic it was meant for, the zero uuid in records that do not say. */
  readonly topicId: string
  /** Where its record lies in `__consumer_offsets`. */
  readonly recordOffset: number
}

/** The offsets of one group, by topic and partition. */
export class CommittedOffsets {
  readonly #topics = new Map<string, Map<number, CommittedOffset>>()

  get isEmpty(): boolean {
    return this.#topics.size === 0
  }

  get topics(): IterableIterator<[topic: string, partitions: ReadonlyMap<number, CommittedOffset>]> {
    return this.#topics.entries()
  }

  of(topic: string): ReadonlyMap<number, CommittedOffset> | undefined {
    return this.#topics.get(topic)
  }

  get(topic: string, partition: number): CommittedOffset | undefined {
    return this.#topics.get(topic)?.get(partition)
  }

  set(topic: string, partition: number, offset: CommittedOffset): void {
    let partitions = this.#topics.get(topic)
    if (partitions === undefined) {
      partitions = new Map()
      this.#topics.set(topic, partitions)
    }
    partitions.set(partition, offset)
  }

  delete(topic: string, partition: number): void {
    const partitions = this.#topics.get(topic)
    partitions?.delete(partition)
    if (partitions?.size === 0) this.#topics.delete(topic)
  }
}
