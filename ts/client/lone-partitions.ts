import { AssignedPartition } from './assigned-partition.js'
import type { AssignedPartitions } from './assigned-partitions.js'
import type { From, ReadOptions } from './consumer-options.js'
import { lookUpOffsets } from './offset-lookup.js'
import type { Subscribed, Subscription } from './subscription.js'
import type { TopicMetadata, TopicMetadataCache } from './topic-metadata.js'
import type { Transport } from './transport.js'

interface LonePartitionsParts {
  readonly transport: Transport
  readonly metadata: TopicMetadataCache
  readonly partitions: AssignedPartitions
  readonly subscription: Subscription
  readonly options: ReadOptions
}

/** The partitions of a consumer that shares its topics with nobody: all of them, those that are added later too. */
export class LonePartitions {
  private lookAgainMs = Number.POSITIVE_INFINITY

  constructor(private readonly parts: LonePartitionsParts) {}

  /** Reads all partitions of these topics; those that were read already start anew. */
  async subscribe(topics: readonly Subscribed[], from: From): Promise<void> {
    const { partitions, subscription, options } = this.parts
    const before = partitions.list.map(({ topic }) => topic)
    const named = (await subscription.add(topics, from)).map(({ topic }) => topic)
    const matched = subscription.hasPatterns ? await subscription.topics() : []
    const names = [...new Set([...named, ...matched.filter((topic) => !before.includes(topic))])]
    const added = await Promise.all(names.map((topic) => this.allPartitions(topic, from)))
    this.lookAgainMs = performance.now() + options.metadataMaxAge
    partitions.replace([...partitions.list.filter(({ topic }) => !names.includes(topic)), ...added.flat()])
  }

  /** It is time to look for new partitions and topics. */
  get isDue(): boolean {
    return performance.now() >= this.lookAgainMs
  }

  async look(): Promise<void> {
    const { metadata, partitions, subscription, options } = this.parts
    this.lookAgainMs = performance.now() + options.metadataMaxAge
    for (const topic of await subscription.topics()) {
      metadata.forget(topic)
      const had = partitions.list.filter((one) => one.topic === topic).map(({ partition }) => partition)
      partitions.add(await this.allPartitions(topic, 'earliest', had))
    }
  }

  private async allPartitions(topic: string, from: From, except: readonly number[] = []): Promise<AssignedPartition[]> {
    const { transport, options } = this.parts
    const { topicId, partitionCount } = await this.metadataOf(topic)
    const numbers = Array.from({ length: partitionCount }, (_, partition) => partition).filter(
      (one) => !except.includes(one),
    )
    const offsets = await lookUpOffsets(transport, topic, numbers, from)
    const reset = options.autoOffsetReset ?? 'earliest'
    return numbers.map((partition, index) => new AssignedPartition(topic, topicId, partition, offsets[index], reset))
  }

  private async metadataOf(topic: string): Promise<TopicMetadata> {
    const { metadata, options } = this.parts
    return metadata.get(topic) ?? (await metadata.fetch(topic, options.allowAutoTopicCreation))
  }
}
