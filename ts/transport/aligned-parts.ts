/** Finds the parts of an answer by the partition they are about. */
export class AlignedParts<T> {
  private readonly parts = new Map<string, Map<number, T>>()

  add(topic: string, partition: number, part: T): void {
    const ofTopic = this.parts.get(topic)
    if (ofTopic === undefined) this.parts.set(topic, new Map([[partition, part]]))
    else ofTopic.set(partition, part)
  }

  get(topic: string, partition: number): T | undefined {
    return this.parts.get(topic)?.get(partition)
  }
}
