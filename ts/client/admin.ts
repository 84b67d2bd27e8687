import { SeglogError } from '../errors/seglog-error.js'
import { apiKey, type ResponseOf } from '../protocol/apis.js'
import { offsetQuery } from '../protocol/messages/02-list-offsets.js'
import { configResourceType, configSource } from '../protocol/messages/32-describe-configs.js'
import { configOperation } from '../protocol/messages/44-incremental-alter-configs.js'
import { zeroUuid } from '../protocol/uuid.js'
import { AdminCalls, type AdminParts, checkCall, defaultTimeoutMs, only, throwFirst } from './admin-calls.js'
import { AdminGroups } from './admin-groups.js'
import type {
  CallOptions,
  ConfigEntry,
  CreatedTopic,
  NewTopic,
  PartitionOffsetAt,
  PartitionOffsets,
  TopicConfig,
  TopicDescription,
  TopicOutcome,
} from './admin-options.js'
import * as rules from './admin-options.js'
import { checkOptions } from './options.js'
import { errorOf, throwErrorOf } from './response-error.js'

/**
 * Topics, their partitions and configs, offsets, and groups. Methods on several things do what they can and then reject
 * with the first error, whose `results` tell what became of each. All reject with CLOSED after `log.close()`, and with
 * READ_ONLY for a change to a log that was opened so.
 */
export class Admin extends AdminGroups {
  /** Use `log.admin()`. */
  constructor(parts: AdminParts, options: { clientId?: string } = {}) {
    checkOptions('log.admin()', options, rules.adminRules)
    super(new AdminCalls(parts, options.clientId ?? null))
  }

  /**
   * Creates a topic. Rejects with TOPIC_ALREADY_EXISTS, INVALID_TOPIC_EXCEPTION, INVALID_PARTITIONS, and INVALID_CONFIG
   * or UNKNOWN_CONFIG naming the key.
   */
  async createTopic(topic: NewTopic & CallOptions): Promise<CreatedTopic> {
    const { timeout, validateOnly, ...rest } = topic
    const [created] = await this.createTopics({ topics: [rest], timeout, validateOnly })
    return created
  }

  /** As `createTopic`, for several. */
  async createTopics(options: { topics: readonly NewTopic[] } & CallOptions): Promise<CreatedTopic[]> {
    checkCall('admin.createTopics()', options, rules.createTopicsRules, 'topics')
    for (const topic of options.topics) {
      checkCall('admin.createTopic()', topic, rules.newTopicRules, 'topic')
      if (topic.partitions === -1) throw minusOnePartitions(topic.topic)
    }
    const response = await this.calls.request(apiKey.createTopics, {
      topics: options.topics.map(({ topic, partitions, replicationFactor, config = {} }) => ({
        name: topic,
        numPartitions: partitions ?? -1,
        replicationFactor: replicationFactor ?? -1,
        assignments: [],
        configs: configsOf(config),
      })),
      timeoutMs: options.timeout ?? defaultTimeoutMs,
      validateOnly: options.validateOnly ?? false,
    })
    const outcomes: (CreatedTopic & TopicOutcome)[] = []
    for (const [index, result] of response.topics.entries()) {
      const { name: topic, topicId, numPartitions: partitions } = result
      this.calls.parts.metadata.forget(topic)
      const error = errorOf(result, { topic })
      const isThere = error?.code === 'TOPIC_ALREADY_EXISTS' && options.topics[index]?.ifNotExists === true
      if (isThere) outcomes.push({ ...(await this.existing(topic)), created: false })
      else outcomes.push({ topic, topicId, partitions, created: error === null, ...(error === null ? {} : { error }) })
    }
    throwFirst(outcomes)
    return outcomes
  }

  /** Names of all topics, sorted; internal ones only if asked for. */
  async listTopics(options: { includeInternal?: boolean } = {}): Promise<string[]> {
    checkCall('admin.listTopics()', options, rules.listTopicsRules)
    const topics = await this.describeTopics()
    return topics.filter(({ isInternal }) => !isInternal || options.includeInternal === true).map(({ topic }) => topic)
  }

  /** A topic's id and partitions. Rejects with UNKNOWN_TOPIC_OR_PARTITION. */
  async describeTopic(topic: string): Promise<TopicDescription> {
    checkCall('admin.describeTopic()', { topic }, rules.topicRules, 'topic')
    const [description] = await this.describeTopics({ topics: [topic] })
    return description
  }

  /** As `describeTopic`, for several, or for all; sorted by name. */
  async describeTopics(options: { topics?: readonly string[] } = {}): Promise<TopicDescription[]> {
    checkCall('admin.describeTopics()', options, rules.describeTopicsRules)
    const response = await this.calls.request(apiKey.metadata, {
      topics: options.topics?.map((name) => ({ topicId: zeroUuid, name })) ?? null,
      allowAutoTopicCreation: false,
      includeClusterAuthorizedOperations: false,
      includeTopicAuthorizedOperations: false,
    })
    const descriptions = response.topics.map((found) => {
      const topic = found.name ?? ''
      const error = errorOf(found, { topic })
      const partitions = found.partitions.map((one) => ({
        partition: one.partitionIndex,
        leader: one.leaderId,
        leaderEpoch: one.leaderEpoch,
        replicas: [...one.replicaNodes],
        isr: [...one.isrNodes],
      }))
      partitions.sort((a, b) => a.partition - b.partition)
      return {
        topic,
        topicId: found.topicId,
        isInternal: found.isInternal,
        partitions,
        ...(error === null ? {} : { error }),
      }
    })
    throwFirst(descriptions)
    return descriptions.sort((a, b) => (a.topic < b.topic ? -1 : 1))
  }

  /** Deletes a topic and all its records. Rejects with UNKNOWN_TOPIC_OR_PARTITION unless `ifExists`. */
  async deleteTopic(options: { topic: string; timeout?: number; ifExists?: boolean }): Promise<void> {
    checkCall('admin.deleteTopic()', options, rules.deleteTopicRules, 'topic')
    const { topic, ...rest } = options
    await this.deleteTopics({ topics: [topic], ...rest })
  }

  /** As `deleteTopic`, for several. */
  async deleteTopics(options: { topics: readonly string[]; timeout?: number; ifExists?: boolean }): Promise<void> {
    checkCall('admin.deleteTopics()', options, rules.deleteTopicsRules, 'topics')
    const response = await this.calls.request(apiKey.deleteTopics, {
      topics: options.topics.map((name) => ({ name, topicId: zeroUuid })),
      topicNames: [],
      timeoutMs: options.timeout ?? defaultTimeoutMs,
    })
    const outcomes: TopicOutcome[] = response.responses.map((result) => {
      const topic = result.name ?? ''
      this.calls.parts.metadata.forget(topic)
      const error = errorOf(result, { topic })
      const isForgiven = error?.code === 'UNKNOWN_TOPIC_OR_PARTITION' && options.ifExists === true
      return error === null || isForgiven ? { topic } : { topic, error }
    })
    throwFirst(outcomes)
  }

  /** Raises a topic's partitions to `count`. Rejects with INVALID_PARTITIONS for a number that is not above today's. */
  async createPartitions(options: { topic: string; count: number } & CallOptions): Promise<void> {
    checkCall('admin.createPartitions()', options, rules.createPartitionsRules, 'topic', 'count')
    const { topic, count } = options
    const response = await this.calls.request(apiKey.createPartitions, {
      topics: [{ name: topic, count, assignments: null }],
      timeoutMs: options.timeout ?? defaultTimeoutMs,
      validateOnly: options.validateOnly ?? false,
    })
    this.calls.parts.metadata.forget(topic)
    throwErrorOf(only(response.results), { topic })
  }

  /** A topic's configs by name, defaults included; `names` picks some. */
  async describeConfigs(options: { topic: string; names?: readonly string[] }): Promise<Record<string, ConfigEntry>> {
    checkCall('admin.describeConfigs()', options, rules.configRules, 'topic')
    const { topic, names } = options
    const configurationKeys = names === undefined ? null : [...names]
    const response = await this.calls.request(apiKey.describeConfigs, {
      resources: [{ resourceType: configResourceType.topic, resourceName: topic, configurationKeys }],
      includeSynonyms: false,
      includeDocumentation: true,
    })
    const result = only(response.results)
    throwErrorOf(result, { topic })
    return Object.fromEntries(result.configs.map((config) => [config.name, entryOf(config)]))
  }

  /**
   * Sets some of a topic's configs and resets others to their defaults. Rejects with INVALID_CONFIG or UNKNOWN_CONFIG;
   * then nothing was changed.
   */
  async alterConfigs(options: {
    topic: string
    set?: TopicConfig
    reset?: readonly string[]
    validateOnly?: boolean
  }): Promise<void> {
    checkCall('admin.alterConfigs()', options, rules.alterConfigRules, 'topic')
    const { topic, set = {}, reset = [] } = options
    const response = await this.calls.request(apiKey.incrementalAlterConfigs, {
      resources: [
        {
          resourceType: configResourceType.topic,
          resourceName: topic,
          configs: [
            ...configsOf(set).map((config) => ({ ...config, configOperation: configOperation.set })),
            ...reset.map((name) => ({ name, value: null, configOperation: configOperation.delete })),
          ],
        },
      ],
      validateOnly: options.validateOnly ?? false,
    })
    throwErrorOf(only(response.responses), { topic })
  }

  /**
   * First and next offset of each partition; with a timestamp instead the first record at or after it, with 'max' the
   * newest record.
   */
  async listOffsets(options: { topic: string; partitions?: readonly number[] }): Promise<PartitionOffsets[]>
  async listOffsets(options: {
    topic: string
    partitions?: readonly number[]
    timestamp: number | 'max'
  }): Promise<PartitionOffsetAt[]>
  async listOffsets(options: {
    topic: string
    partitions?: readonly number[]
    timestamp?: number | 'max'
  }): Promise<PartitionOffsets[] | PartitionOffsetAt[]> {
    checkCall('admin.listOffsets()', options, rules.listOffsetsRules, 'topic')
    const { topic, timestamp } = options
    const partitions =
      options.partitions ?? (await this.describeTopic(topic)).partitions.map(({ partition }) => partition)
    if (timestamp !== undefined) {
      const found = await this.askOffsets(
        topic,
        partitions,
        timestamp === 'max' ? offsetQuery.maxTimestamp : BigInt(timestamp),
      )
      return found.map(({ partitionIndex: partition, offset, timestamp, leaderEpoch }) =>
        offset < 0n
          ? { topic, partition, offset: null, timestamp: null, leaderEpoch: null }
          : { topic, partition, offset, timestamp: Number(timestamp), leaderEpoch },
      )
    }
    const earliest = await this.askOffsets(topic, partitions, offsetQuery.earliest)
    const latest = await this.askOffsets(topic, partitions, offsetQuery.latest)
    return earliest.map((first, index) => {
      return { topic, partition: first.partitionIndex, earliest: first.offset, latest: latest[index].offset }
    })
  }

  /**
   * Deletes the records before an offset of each partition ('latest': all there are). Resolves to the new first offsets.
   * Rejects with OFFSET_OUT_OF_RANGE for an offset behind the end.
   */
  async deleteRecords(options: {
    topic: string
    partitions: readonly { partition: number; offset: bigint | 'latest' }[]
    timeout?: number
  }): Promise<{ topic: string; partition: number; earliest: bigint }[]> {
    checkCall('admin.deleteRecords()', options, rules.deleteRecordsRules, 'topic', 'partitions')
    const { topic } = options
    for (const part of options.partitions) {
      checkCall('admin.deleteRecords()', part, rules.deleteRecordsPartRules, 'partition', 'offset')
    }
    const partitions = options.partitions.map(({ partition, offset }) => {
      return { partitionIndex: partition, offset: offset === 'latest' ? -1n : offset }
    })
    const timeoutMs = options.timeout ?? defaultTimeoutMs
    const response = await this.calls.request(apiKey.deleteRecords, {
      topics: [{ name: topic, partitions }],
      timeoutMs,
    })
    const outcomes = only(response.topics).partitions.map((result) => {
      const { partitionIndex: partition, lowWatermark: earliest } = result
      const error = errorOf(result, { topic, partition })
      return { topic, partition, earliest, ...(error === null ? {} : { error }) }
    })
    throwFirst(outcomes)
    return outcomes
  }

  private async existing(topic: string): Promise<Omit<CreatedTopic, 'created'>> {
    const { topicId, partitions } = await this.describeTopic(topic)
    return { topic, topicId, partitions: partitions.length }
  }

  private async askOffsets(topic: string, partitions: readonly number[], timestamp: bigint) {
    const asked = partitions.map((partitionIndex) => ({ partitionIndex, currentLeaderEpoch: -1, timestamp }))
    const response = await this.calls.request(apiKey.listOffsets, {
      replicaId: -1,
      isolationLevel: 0,
      topics: [{ name: topic, partitions: asked }],
      timeoutMs: defaultTimeoutMs,
    })
    const found = only(response.topics).partitions
    for (const part of found) throwErrorOf(part, { topic, partition: part.partitionIndex })
    return found
  }
}

/** On the wire -1 asks for the broker's default; from a caller it is a mistake. */
function minusOnePartitions(topic: string): SeglogError {
  const message = `topic ${topic} cannot have -1 partitions; leave \`partitions\` out for the broker's default`
  return new SeglogError('INVALID_PARTITIONS', message, { topic })
}

function configsOf(config: TopicConfig): { name: string; value: string }[] {
  return Object.entries(config).map(([name, value]) => ({ name, value: String(value) }))
}

type DescribedConfig = ResponseOf<typeof apiKey.describeConfigs>['results'][number]['configs'][number]

function entryOf(config: DescribedConfig): ConfigEntry {
  const { value, readOnly, isSensitive, documentation } = config
  const source = sourceOf(config.configSource)
  return {
    value,
    source,
    isDefault: source === 'default',
    isReadOnly: readOnly,
    isSensitive,
    documentation: documentation || null,
  }
}

function sourceOf(source: number): ConfigEntry['source'] {
  switch (source) {
    case configSource.topic:
      return 'topic'
    case configSource.dynamicBroker:
    case configSource.dynamicDefaultBroker:
    case configSource.staticBroker:
      return 'broker'
    case configSource.default:
      return 'default'
    default:
      return 'unknown'
  }
}
