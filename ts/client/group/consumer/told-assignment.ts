import type { TopicPartition } from '../../consumer-options.js'

/** Partitions of one topic, as heartbeats have them. */
export interface TopicPartitionIds {
  readonly topicId: string
  readonly partitions: readonly number[]
}

export interface IdentifiedPartition extends TopicPartition {
  readonly topicId: string
}

/** What a member was told to have. A topic that was deleted and made anew is another one: it has another id. */
export class ToldAssignment {
  private readonly topics: ReadonlyMap<string, ReadonlySet<number>>

  constructor(topics: readonly TopicPartitionIds[]) {
    this.topics = new Map(topics.map(({ topicId, partitions }) => [topicId, new Set(partitions)]))
  }

  /** What of these is to be given up. */
  goneFrom<P extends IdentifiedPartition>(held: readonly P[]): P[] {
    return held.filter(({ topicId, partition }) => this.topics.get(topicId)?.has(partition) !== true)
  }

  /** What is to be taken up by a member that has these. */
  addedTo(held: readonly IdentifiedPartition[]): TopicPartitionIds[] {
    const has = new ToldAssignment(toTopicPartitionIds(held)).topics
    return Array.from(this.topics, ([topicId, partitions]) => {
      return { topicId, partitions: [...partitions].filter((index) => has.get(topicId)?.has(index) !== true) }
    }).filter(({ partitions }) => partitions.length > 0)
  }

  isSameAs({ topics }: ToldAssignment): boolean {
    if (topics.size !== this.topics.size) return false
    for (const [topicId, partitions] of this.topics) {
      const others = topics.get(topicId)
      if (others?.size !== partitions.size) return false
      for (const partition of partitions) if (!others.has(partition)) return false
    }
    return true
  }
}

/** Partitions by topic, in order, so that the same ones make the same list. */
export function toTopicPartitionIds(held: readonly IdentifiedPartition[]): TopicPartitionIds[] {
  const topics = new Map<string, number[]>()
  for (const { topicId, partition } of held) {
    const partitions = topics.get(topicId)
    if (partitions === undefined) topics.set(topicId, [partition])
    else partitions.push(partition)
  }
  return Array.from(topics, ([topicId, partitions]) => ({
    topicId,
    partitions: partitions.sort((a, b) => a - b),
  })).sort((a, b) => (a.topicId < b.topicId ? -1 : 1))
}
