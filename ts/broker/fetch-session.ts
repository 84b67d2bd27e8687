import type {
  FetchPartition,
  FetchPartitionResponse,
  FetchRequest,
  FetchResponse,
  FetchTopic,
  FetchTopicResponse,
} from '../protocol/messages/01-fetch.js'

/** A partition that a session follows: what its client asks of it, and what the client was last told. */
interface Followed {
  readonly topic: string
  readonly topicId: string
  asked: FetchPartition
  highWatermark: bigint
  lastStableOffset: bigint
  logStartOffset: bigint
}

const epochMax = 0x7fff_ffff
const nothingTold = { highWatermark: -1n, lastStableOffset: -1n, logStartOffset: -1n }

/**
 * What one client fetches, so that its requests and answers carry only what changed (KIP-227). Partitions are read in
 * the order of the map; one that gave records goes to its end, so that none starves behind those before it.
 */
export class FetchSession {
  readonly id: number
  /** Its partitions are named by topic id, or by name. */
  readonly byTopicId: boolean
  readonly madeMs: number
  usedMs: number
  /** Of the request that comes next. */
  epoch = 1
  readonly #partitions = new Map<string, Followed>()

  constructor(id: number, byTopicId: boolean, nowMs: number) {
    this.id = id
    this.byTopicId = byTopicId
    this.madeMs = nowMs
    this.usedMs = nowMs
  }

  /** Number of partitions. */
  get size(): number {
    return this.#partitions.size
  }

  advance(nowMs: number): void {
    this.epoch = this.epoch === epochMax ? 1 : this.epoch + 1
    this.usedMs = nowMs
  }

  /** Takes the partitions that a request adds, changes and forgets. */
  update({ topics, forgottenTopicsData }: Pick<FetchRequest, 'topics' | 'forgottenTopicsData'>): void {
    for (const { topic, topicId, partitions } of topics) {
      for (const asked of partitions) {
        const key = this.#key(topic, topicId, asked.partition)
        const followed = this.#partitions.get(key)
        if (followed) followed.asked = asked
        else this.#partitions.set(key, { topic, topicId, asked, ...nothingTold })
      }
    }
    for (const { topic, topicId, partitions } of forgottenTopicsData) {
      for (const partition of partitions) this.#partitions.delete(this.#key(topic, topicId, partition))
    }
  }

  /** All that it follows, as a request would say it. */
  topics(): FetchTopic[] {
    const topics: { topic: string; topicId: string; partitions: FetchPartition[] }[] = []
    for (const { topic, topicId, asked } of this.#partitions.values()) {
      const last = topics.at(-1)
      if (last && last.topic === topic && last.topicId === topicId) last.partitions.push(asked)
      else topics.push({ topic, topicId, partitions: [asked] })
    }
    return topics
  }

  /** Of an answer over all partitions what its client does not know yet; remembers that it was told. */
  changes({ responses }: FetchResponse): FetchTopicResponse[] {
    const changed: FetchTopicResponse[] = []
    for (const { topic, topicId, partitions } of responses) {
      const parts = partitions.filter((part) => this.#isNews(this.#key(topic, topicId, part.partitionIndex), part))
      if (parts.length > 0) changed.push({ topic, topicId, partitions: parts })
    }
    return changed
  }

  #isNews(key: string, part: FetchPartitionResponse): boolean {
    const followed = this.#partitions.get(key)
    if (!followed) return true
    const hasRecords = part.records !== null && part.records.length > 0
    const isNews =
      hasRecords ||
      part.errorCode !== 0 ||
      part.divergingEpoch !== undefined ||
      part.highWatermark !== followed.highWatermark ||
      part.lastStableOffset !== followed.lastStableOffset ||
      part.logStartOffset !== followed.logStartOffset
    if (hasRecords) {
      this.#partitions.delete(key)
      this.#partitions.set(key, followed)
    }
    // Whoever was told of an error is told when it is over.
    Object.assign(followed, part.errorCode === 0 ? offsetsOf(part) : nothingTold)
    return isNews
  }

  #key(topic: string, topicId: string, partition: number): string {
    return `${partition}:${this.byTopicId ? topicId : topic}`
  }
}

function offsetsOf({ highWatermark, lastStableOffset, logStartOffset }: FetchPartitionResponse) {
  return { highWatermark, lastStableOffset, logStartOffset }
}
