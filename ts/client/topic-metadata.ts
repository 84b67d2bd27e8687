import { SeglogError } from '../errors/seglog-error.js'
import { isPromise, type MaybePromise } from '../log/maybe-promise.js'
import { apiKey, type ResponseOf } from '../protocol/apis.js'
import { zeroUuid } from '../protocol/uuid.js'
import { errorOf } from './response-error.js'
import type { Transport } from './transport.js'

export interface TopicMetadata {
  readonly topic: string
  /** 22 characters, as Kafka writes topic ids. */
  readonly topicId: string
  readonly partitionCount: number
  readonly fetchedMs: number
}

/**
 * What this client knows of topics: asked of the broker once, kept for `maxAgeMs`, shared by the producers, consumers
 * and admins of one open log. Lookups of one topic that run at the same time share a request.
 */
export class TopicMetadataCache {
  private readonly topics = new Map<string, TopicMetadata>()
  private readonly running = new Map<string, Promise<TopicMetadata>>()

  constructor(
    private readonly transport: Transport,
    private readonly maxAgeMs: number = 5 * 60_000,
  ) {}

  /** What is known and young enough. */
  get(topic: string): TopicMetadata | undefined {
    const known = this.topics.get(topic)
    return known !== undefined && Date.now() - known.fetchedMs < this.maxAgeMs ? known : undefined
  }

  forget(topic: string): void {
    this.topics.delete(topic)
  }

  /**
   * Asks the broker, creating the topic if `create` and the broker permits it. Throws UNKNOWN_TOPIC_OR_PARTITION,
   * INVALID_TOPIC_EXCEPTION and what creation may throw.
   */
  fetch(topic: string, create: boolean): MaybePromise<TopicMetadata> {
    const key = `${create ? '+' : '-'}${topic}`
    const running = this.running.get(key)
    if (running !== undefined) return running
    const response = this.transport.request(apiKey.metadata, {
      topics: [{ topicId: zeroUuid, name: topic }],
      allowAutoTopicCreation: create,
      includeClusterAuthorizedOperations: false,
      includeTopicAuthorizedOperations: false,
    })
    if (!isPromise(response)) return this.learn(topic, response)
    const learned = response.then((late) => this.learn(topic, late)).finally(() => this.running.delete(key))
    this.running.set(key, learned)
    return learned
  }

  private learn(topic: string, response: ResponseOf<typeof apiKey.metadata>): TopicMetadata {
    const found = response.topics[0]
    const error =
      found === undefined ? new SeglogError('UNKNOWN_SERVER_ERROR', 'an empty answer') : errorOf(found, { topic })
    if (error !== null) {
      this.topics.delete(topic)
      throw error
    }
    const metadata = {
      topic,
      topicId: found.topicId,
      partitionCount: found.partitions.length,
      fetchedMs: Date.now(),
    }
    this.topics.set(topic, metadata)
    return metadata
  }
}
