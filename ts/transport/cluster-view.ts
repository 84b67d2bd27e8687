import type { RequestOf, ResponseOf } from '../protocol/apis.js'
import { zeroUuid } from '../protocol/uuid.js'
import type { Address } from './tcp-address.js'
import type { TopicIds } from './topic-ids.js'

type MetadataResponse = ResponseOf<3>
type AskedTopics = RequestOf<3>['topics']

interface PartitionView {
  /** -1 for none. */
  leaderId: number
  /** -1 where the broker does not say. */
  leaderEpoch: number
}

interface TopicView {
  readonly topicId: string
  /** Why there is nothing to know of it; 0 for a topic that is there. */
  readonly errorCode: number
  readonly partitions: PartitionView[]
  /** When it was learned, in milliseconds of `performance.now`. */
  readonly learnedMs: number
  /** Something said that it is no longer true. */
  isStale: boolean
}

/** No broker: the partition has no leader, or nobody knows it. */
export const noNode = -1

/**
 * What a client knows of a cluster: where the brokers are, and which of them leads each partition of the topics it uses.
 * Learned from every Metadata answer, and from answers that name a new leader.
 */
export class ClusterView implements TopicIds {
  private brokersById = new Map<number, Address>()
  private readonly topics = new Map<string, TopicView>()
  /** -1 while nobody has said. */
  controllerId = noNode

  constructor(private readonly maxAgeMs: number) {}

  get brokers(): ReadonlyMap<number, Address> {
    return this.brokersById
  }

  addBroker(nodeId: number, address: Address): void {
    if (nodeId >= 0 && address.host !== '') this.brokersById.set(nodeId, address)
  }

  /** What an answer says of the topics it was asked about; of all topics, only of those known before. */
  learn(response: MetadataResponse, asked: AskedTopics): void {
    if (response.brokers.length > 0) {
      this.brokersById = new Map(response.brokers.map(({ nodeId, host, port }) => [nodeId, { host, port }]))
    }
    this.controllerId = response.controllerId
    const learnedMs = performance.now()
    for (const { name, topicId, errorCode, partitions } of response.topics) {
      const known = name === null ? undefined : this.topics.get(name)
      if (name === null || (asked === null && known === undefined)) continue
      const isSame = known !== undefined && known.topicId === topicId
      const views: PartitionView[] = []
      for (const { partitionIndex, leaderId, leaderEpoch } of partitions) {
        const before = isSame ? known.partitions[partitionIndex] : undefined
        // Brokers learn of a change one after the other: who is behind must not take us back.
        const isOlder = before !== undefined && leaderEpoch >= 0 && leaderEpoch < before.leaderEpoch
        views[partitionIndex] = isOlder ? before : { leaderId, leaderEpoch }
      }
      this.topics.set(name, { topicId, errorCode, partitions: views, learnedMs, isStale: false })
    }
  }

  /** An answer of the old leader named the new one. */
  learnLeader(topic: string, partition: number, leaderId: number, leaderEpoch: number): boolean {
    const view = this.topics.get(topic)?.partitions[partition]
    if (view === undefined || leaderId < 0 || leaderEpoch <= view.leaderEpoch || !this.brokersById.has(leaderId)) {
      return false
    }
    view.leaderId = leaderId
    view.leaderEpoch = leaderEpoch
    return true
  }

  /** What is known of the topic is not true any more. */
  doubt(topic: string): void {
    const view = this.topics.get(topic)
    if (view !== undefined) view.isStale = true
  }

  /** A broker was lost, or the cluster says that leaders have moved. */
  doubtAll(): void {
    for (const view of this.topics.values()) view.isStale = true
  }

  /** The topic is to be asked for before it is used. */
  isUnknown(topic: string): boolean {
    const view = this.topics.get(topic)
    return (
      view === undefined || view.isStale || view.errorCode !== 0 || performance.now() > view.learnedMs + this.maxAgeMs
    )
  }

  /** Lets go of topics that nobody asked about for long. */
  forgetOld(): void {
    const oldestMs = performance.now() - 2 * this.maxAgeMs
    for (const [topic, { learnedMs }] of this.topics) if (learnedMs < oldestMs) this.topics.delete(topic)
  }

  idOf(topic: string): string {
    return this.topics.get(topic)?.topicId ?? zeroUuid
  }

  /** Why nothing is known of the topic: the code of the last answer, 0 for none. */
  errorOf(topic: string): number {
    return this.topics.get(topic)?.errorCode ?? 0
  }

  /** True if the topic is known and has this partition. */
  hasPartition(topic: string, partition: number): boolean {
    return this.topics.get(topic)?.partitions[partition] !== undefined
  }

  leaderOf(topic: string, partition: number): number {
    return this.topics.get(topic)?.partitions[partition]?.leaderId ?? noNode
  }

  /** -1 where it is not known. */
  leaderEpochOf(topic: string, partition: number): number {
    return this.topics.get(topic)?.partitions[partition]?.leaderEpoch ?? -1
  }
}
