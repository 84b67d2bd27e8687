import { SeglogError } from '../errors/seglog-error.js'
import type { MaybePromise } from '../log/maybe-promise.js'
import { apiKey } from '../protocol/apis.js'
import { zeroUuid } from '../protocol/uuid.js'
import type { From } from './consumer-options.js'
import { errorOf } from './response-error.js'
import type { TopicMetadata, TopicMetadataCache } from './topic-metadata.js'
import type { Transport } from './transport.js'

/** A regular expression of RE2's syntax, which the broker matches whole topic names with. */
export interface BrokerExpression {
  readonly re2: string
}

export type Subscribed = string | RegExp | BrokerExpression

/** What a consumer subscribed to: topics by name, and patterns for the names of others, those to come included. */
export class Subscription {
  private readonly names = new Map<string, { from: From; partitionCount: number }>()
  private readonly patterns: { pattern: RegExp; from: From }[] = []
  /** Topics that matched when their pattern was new; all that there were for the one that only the broker can match. */
  private readonly matchedFirst = new Map<string, number>()
  private brokerExpression: { re2: string; from: From } | null = null

  constructor(
    private readonly transport: Transport,
    private readonly metadata: TopicMetadataCache,
    private readonly createTopics: boolean,
  ) {}

  /** What the broker is to match; null for nothing. */
  get expression(): string | null {
    return this.brokerExpression?.re2 ?? null
  }

  get hasPatterns(): boolean {
    return this.patterns.length > 0
  }

  /**
   * Adds topics. Rejects with UNKNOWN_TOPIC_OR_PARTITION for a name that is not there and cannot be made, with
   * INVALID_ARGUMENT for a second expression for the broker, which takes one.
   */
  async add(topics: readonly Subscribed[], from: From): Promise<TopicMetadata[]> {
    this.setExpressions(topics.filter(isExpression), from)
    const named = topics.filter((one) => typeof one === 'string')
    const found = await Promise.all([...new Set(named)].map((topic) => this.find(topic)))
    for (const { topic, partitionCount } of found) this.names.set(topic, { from, partitionCount })
    for (const pattern of topics) if (isPattern(pattern)) this.patterns.push({ pattern, from })
    if (named.length < topics.length) {
      const all = await partitionCounts(this.transport, null)
      for (const [topic, count] of all) {
        if (this.expression !== null || this.matches(topic)) this.matchedFirst.set(topic, count)
      }
    }
    return found
  }

  private setExpressions(expressions: readonly BrokerExpression[], from: From): void {
    for (const { re2 } of expressions) {
      if (this.brokerExpression !== null && this.brokerExpression.re2 !== re2) {
        const message = `a consumer has one expression for the broker: write (${this.expression})|(${re2}) from the beginning`
        throw new SeglogError('INVALID_ARGUMENT', message)
      }
      this.brokerExpression = { re2, from }
    }
  }

  /** The names of now. */
  async topics(): Promise<string[]> {
    if (!this.hasPatterns) return [...this.names.keys()]
    const all = await partitionCounts(this.transport, null)
    return [...new Set([...this.names.keys(), ...[...all.keys()].filter((topic) => this.matches(topic))])]
  }

  includes(topic: string): boolean {
    return this.names.has(topic) || this.matches(topic)
  }

  /** Where to begin with a partition nobody has committed an offset of: what came after the subscription, at its start. */
  fromOf(topic: string, partition: number): From {
    const named = this.names.get(topic)
    const matched = this.patterns.find(({ pattern }) => fits(pattern, topic)) ?? this.brokerExpression
    const from = named?.from ?? matched?.from ?? 'latest'
    const known = named?.partitionCount ?? this.matchedFirst.get(topic) ?? 0
    return from === 'latest' && partition >= known ? 'earliest' : from
  }

  private matches(topic: string): boolean {
    return this.patterns.some(({ pattern }) => fits(pattern, topic))
  }

  private find(topic: string): MaybePromise<TopicMetadata> {
    return this.metadata.get(topic) ?? this.metadata.fetch(topic, this.createTopics)
  }
}

/** Number of partitions of these topics, or of all but internal ones; topics that are not there are left out. */
export async function partitionCounts(
  transport: Transport,
  topics: readonly string[] | null,
): Promise<Map<string, number>> {
  if (topics?.length === 0) return new Map()
  const { topics: found } = await transport.request(apiKey.metadata, {
    topics: topics?.map((name) => ({ topicId: zeroUuid, name })) ?? null,
    allowAutoTopicCreation: false,
    includeClusterAuthorizedOperations: false,
    includeTopicAuthorizedOperations: false,
  })
  const counts = new Map<string, number>()
  for (const part of found) {
    const error = errorOf(part, { topic: part.name ?? undefined })
    const isGone = error?.code === 'UNKNOWN_TOPIC_OR_PARTITION' || error?.code === 'INVALID_TOPIC_EXCEPTION'
    if (error !== null && !isGone) throw error
    if (error === null && part.name !== null && (topics !== null || !part.isInternal)) {
      counts.set(part.name, part.partitions.length)
    }
  }
  return counts
}

function isExpression(one: Subscribed): one is BrokerExpression {
  return typeof one === 'object' && 're2' in one
}

function isPattern(one: Subscribed): one is RegExp {
  return typeof one === 'object' && !('re2' in one)
}

function fits(pattern: RegExp, topic: string): boolean {
  // A pattern with the flag g or y begins where its last match ended.
  pattern.lastIndex = 0
  return pattern.test(topic)
}
