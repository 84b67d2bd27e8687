import { setTimeout as sleep } from 'node:timers/promises'
import { SeglogError } from '../errors/seglog-error.js'
import { isPromise, type MaybePromise } from '../log/maybe-promise.js'
import { apiKey, type ResponseOf } from '../protocol/apis.js'
import { zeroUuid } from '../protocol/uuid.js'
import { backOffMs } from './back-off.js'
import { errorOf } from './response-error.js'
import type { Transport } from './transport.js'

export interface TopicMetadata {
  readonly topic: string
  /** 22 characters, as Kafka writes topic ids. */
  readonly topicId: string
  readonly partitionCount: number
  /** When it is to be asked for again, by `Date.now`. */
  readonly freshUntilMs: number
}

/** What a broker says of a topic that it has just told the controller to make. */
const notYet: ReadonlySet<string> = new Set(['UNKNOWN_TOPIC_OR_PARTITION', 'LEADER_NOT_AVAILABLE'])
/** How long a topic may take to come into being. */
const creationMs = 5_000

/**
 * What this client knows of topics: asked of the broker once, kept for `maxAgeMs`, shared by the producers, consumers
 * and admins of one open log. Lookups of one topic that run at the same time share a request.
 */
export class TopicMetadataCache {
  private readonly topics = new Map<string, TopicMetadata>()
  private changes = 0
  private readonly running = new Map<string, Promise<TopicMetadata>>()

  constructor(
    private readonly transport: Transport,
    private readonly maxAgeMs: number = 5 * 60_000,
  ) {}

  /** Changes with everything that is learned or forgotten: what was got under it is still known. */
  get version(): number {
    return this.changes
  }

  /** What is known and young enough. */
  get(topic: string, nowMs: number = Date.now()): TopicMetadata | undefined {
    const known = this.topics.get(topic)
    return known !== undefined && nowMs < known.freshUntilMs ? known : undefined
  }

  forget(topic: string): void {
    this.changes++
    this.topics.delete(topic)
  }

  /**
   * Asks the broker, creating the topic if `create` and the broker permits it; a cluster is asked again for some seconds,
   * since it answers before the topic is there. Throws UNKNOWN_TOPIC_OR_PARTITION, INVALID_TOPIC_EXCEPTION and what
   * creation may throw.
   */
  fetch(topic: string, create: boolean): MaybePromise<TopicMetadata> {
    const key = `${create ? '+' : '-'}${topic}`
    const running = this.running.get(key)
    if (running !== undefined) return running
    const answer = this.ask(topic, create)
    if (!isPromise(answer)) return answer
    const waits = create && this.transport.isRemote
    const learned = (waits ? this.untilThere(topic, answer) : answer).finally(() => this.running.delete(key))
    this.running.set(key, learned)
    return learned
  }

  private ask(topic: string, create: boolean): MaybePromise<TopicMetadata> {
    const response = this.transport.request(apiKey.metadata, {
      topics: [{ topicId: zeroUuid, name: topic }],
      allowAutoTopicCreation: create,
      includeClusterAuthorizedOperations: false,
      includeTopicAuthorizedOperations: false,
    })
    return isPromise(response) ? response.then((late) => this.learn(topic, late)) : this.learn(topic, response)
  }

  private async untilThere(topic: string, first: Promise<TopicMetadata>): Promise<TopicMetadata> {
    const deadlineMs = Date.now() + creationMs
    for (let attempts = 1, answer = first; ; attempts++) {
      try {
        return await answer
      } catch (error) {
        if (!notYet.has((error as SeglogError).code) || Date.now() >= deadlineMs) throw error
      }
      await sleep(backOffMs(this.transport.backOff, attempts))
      answer = Promise.resolve().then(() => this.ask(topic, true))
    }
  }

  private learn(topic: string, response: ResponseOf<typeof apiKey.metadata>): TopicMetadata {
    const found = response.topics[0]
    const error =
      found === undefined ? new SeglogError('UNKNOWN_SERVER_ERROR', 'an empty answer') : errorOf(found, { topic })
    if (error !== null) {
      this.forget(topic)
      throw error
    }
    this.changes++
    const metadata = {
      topic,
      topicId: found.topicId,
      partitionCount: found.partitions.length,
      freshUntilMs: Date.now() + this.maxAgeMs,
    }
    this.topics.set(topic, metadata)
    return metadata
  }
}
