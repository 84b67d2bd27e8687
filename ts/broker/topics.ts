import type { SeglogError } from '../errors/seglog-error.js'
import { stackless } from '../errors/stackless.js'
import type { LogDirectory } from '../log/log-directory.js'
import type { Logger } from '../log/logger.js'
import type { MaybePromise } from '../log/maybe-promise.js'
import { protocolError } from '../protocol/errors.js'
import { zeroUuid } from '../protocol/uuid.js'
import type { BrokerConfig } from './broker-config.js'
import type { MetadataStore, TopicRecord } from './metadata-store.js'
import { Partition } from './partition.js'
import type { PartitionLog } from './partition-log.js'
import { TopicConfig } from './topic-config.js'
import { topicConfigs } from './topic-config-table.js'
import { collisionKey, isInternalTopic } from './topic-names.js'
import { UnwrittenLog } from './unwritten-log.js'

const removalsAtOnce = 64
const topicDefaultKeys = Object.values(topicConfigs).flatMap(({ synonyms }) => synonyms.map(({ key }) => key))

/** A topic of this broker: its record, its effective configs, and those of its partitions that are open. */
export class Topic {
  record: TopicRecord
  config: TopicConfig
  /** By partition; undefined until first used. */
  readonly partitions: (Partition | Promise<Partition> | undefined)[] = []
  /** The broker's own bookkeeping: clients read it, the broker writes it. */
  readonly isInternal: boolean

  constructor(record: TopicRecord, config: TopicConfig) {
    this.record = record
    this.config = config
    this.isInternal = isInternalTopic(record.name)
  }

  get name(): string {
    return this.record.name
  }

  /** The partitions that are open now. */
  get open(): Partition[] {
    return this.partitions.filter((partition) => partition instanceof Partition)
  }
}

/**
 * The topics of one data directory. Partitions are opened when first used, so a topic costs one entry in `seglog.json`
 * until somebody writes to it.
 */
export class Topics {
  readonly #store: MetadataStore
  readonly #logs: LogDirectory
  readonly #brokerConfig: BrokerConfig
  readonly #logger: Logger
  readonly #byName = new Map<string, Topic>()
  readonly #byId = new Map<string, Topic>()
  /** By `collisionKey`; a directory of Kafka's may have several under one. */
  readonly #byCollisionKey = new Map<string, Topic>()
  /** Deletions whose folders are not renamed yet, by topic name. */
  readonly #removing = new Map<string, Promise<void>>()
  #changes = 0

  constructor(store: MetadataStore, logs: LogDirectory, brokerConfig: BrokerConfig, logger: Logger) {
    this.#store = store
    this.#logs = logs
    this.#brokerConfig = brokerConfig
    this.#logger = logger
    for (const record of store.topics.values()) this.#add(record)
    brokerConfig.watch((changed) => {
      if (topicDefaultKeys.some((key) => changed.has(key))) for (const topic of this.all) this.#configure(topic)
    })
  }

  get all(): IterableIterator<Topic> {
    return this.#byName.values()
  }

  get count(): number {
    return this.#byName.size
  }

  /** Another number whenever topics or their partitions have come or gone. */
  get changes(): number {
    return this.#changes
  }

  byName(name: string): Topic | undefined {
    return this.#byName.get(name)
  }

  /** A topic whose name differs from this one in "." and "_" only, or not at all. */
  colliding(name: string): Topic | undefined {
    return this.#byCollisionKey.get(collisionKey(name))
  }

  /** By id where one is given, else by name. */
  find(name: string | null, id: string): Topic | undefined {
    return id === zeroUuid ? this.#byName.get(name ?? '') : this.#byId.get(id)
  }

  /** As `find`; throws UNKNOWN_TOPIC_ID or UNKNOWN_TOPIC_OR_PARTITION. */
  get(name: string | null, id: string): Topic {
    const topic = this.find(name, id)
    if (topic === undefined) throw unknownTopic(name, id)
    return topic
  }

  /**
   * The partition, opened if it was not; one that nobody wrote to is there at once, and has no files until somebody does.
   * Throws UNKNOWN_TOPIC_OR_PARTITION; rejects with what opening the log does.
   */
  partition(topic: Topic, index: number): MaybePromise<Partition> {
    const known = topic.partitions[index]
    if (known !== undefined) return known
    const { name, partitions } = topic.record
    if (!Number.isInteger(index) || index < 0 || index >= partitions) {
      const message = `topic ${name} has partitions 0 to ${partitions - 1}, not ${index}`
      throw stackless(() => protocolError('UNKNOWN_TOPIC_OR_PARTITION', message, { topic: name, partition: index }))
    }
    if (!this.#logs.isWritten(name, index)) {
      const partition = this.#unwritten(topic, index)
      topic.partitions[index] = partition
      return partition
    }
    const opening = this.#open(topic, index)
    topic.partitions[index] = opening
    // The first reaction of `opening`: whoever finds the partition itself from here on comes after those who waited.
    opening.then(
      (partition) => {
        topic.partitions[index] = partition
        // Changed while the log was being opened with those of before.
        partition.log.updateConfig(topic.config.log)
      },
      () => {
        topic.partitions[index] = undefined
      },
    )
    return opening
  }

  /** Resolves once the topic is durable. Rejects with TOPIC_ALREADY_EXISTS, INVALID_TOPIC_EXCEPTION, or a disk error. */
  async create(record: TopicRecord): Promise<Topic> {
    await this.#removing.get(record.name)
    await this.#logs.forgetTopic(record.name)
    await this.#store.create(record)
    return this.#add(record)
  }

  /** Raises the partition count. `change` may refuse by throwing. */
  async update(topic: Topic, change: (record: TopicRecord) => TopicRecord): Promise<void> {
    const record = await this.#store.update(topic.name, change)
    topic.record = record
    this.#changes++
    this.#configure(topic)
  }

  /** Resolves once the topic is gone durably and its folders are renamed. */
  async delete(topic: Topic): Promise<void> {
    const record = await this.#store.delete(topic.name)
    this.#changes++
    this.#byName.delete(record.name)
    this.#byId.delete(record.id)
    const key = collisionKey(record.name)
    if (this.#byCollisionKey.get(key) === topic) this.#byCollisionKey.delete(key)
    for (const partition of topic.partitions) closePartition(partition)
    const removing = this.#remove(record, topic.partitions).finally(() => this.#removing.delete(record.name))
    this.#removing.set(record.name, removing)
    await removing
  }

  /** Finishes deletions that a crash interrupted. */
  async finishDeletions(): Promise<void> {
    for (const record of this.#store.deleting) {
      for (const { topic, partition } of this.#logs.found) {
        if (topic !== record.name) continue
        if ((await this.#logs.readTopicId(topic, partition)) === record.id) await this.#logs.deleteLog(topic, partition)
      }
      await this.#store.deleted(record.id)
    }
  }

  #add(record: TopicRecord): Topic {
    const topic = new Topic(record, new TopicConfig(record.configs, this.#brokerConfig))
    this.#byName.set(record.name, topic)
    this.#byId.set(record.id, topic)
    this.#byCollisionKey.set(collisionKey(record.name), topic)
    this.#changes++
    return topic
  }

  #configure(topic: Topic): void {
    topic.config = new TopicConfig(topic.record.configs, this.#brokerConfig)
    for (const partition of topic.open) partition.log.updateConfig(topic.config.log)
  }

  #unwritten(topic: Topic, index: number): Partition {
    const { readOnly, path } = this.#logs
    const log = new UnwrittenLog(topic.name, index, topic.config.log, readOnly ? path : null)
    return new Partition(log, readOnly ? null : () => this.#openLog(topic, index))
  }

  async #open(topic: Topic, index: number): Promise<Partition> {
    return new Partition(await this.#openLog(topic, index))
  }

  async #openLog(topic: Topic, index: number): Promise<PartitionLog> {
    const { name, id } = topic.record
    try {
      const log = await this.#logs.openLog({ topic: name, partition: index, topicId: id, config: topic.config.log })
      // They may have changed meanwhile.
      log.updateConfig(topic.config.log)
      return log
    } catch (error) {
      this.#logger.error({ topic: name, partition: index, err: error }, 'partition cannot be opened')
      throw error
    }
  }

  async #remove(record: TopicRecord, opened: readonly (Partition | Promise<Partition> | undefined)[]): Promise<void> {
    await Promise.allSettled(opened)
    for (let from = 0; from < record.partitions; from += removalsAtOnce) {
      const count = Math.min(removalsAtOnce, record.partitions - from)
      await Promise.all(Array.from({ length: count }, (_, i) => this.#logs.deleteLog(record.name, from + i)))
    }
    await this.#store.deleted(record.id)
  }
}

/** What is said of a topic that is not there: UNKNOWN_TOPIC_ID or UNKNOWN_TOPIC_OR_PARTITION. */
export function unknownTopic(name: string | null, id: string): SeglogError {
  return stackless(() => {
    if (id !== zeroUuid) return protocolError('UNKNOWN_TOPIC_ID', `no topic has the id ${id}`)
    const message = `topic ${name} does not exist; create it first`
    return protocolError('UNKNOWN_TOPIC_OR_PARTITION', message, { topic: name ?? '' })
  })
}

/** Now, or as soon as it is open. */
function closePartition(partition: Partition | Promise<Partition> | undefined): void {
  if (partition instanceof Partition) partition.close()
  else
    partition?.then(
      (opened) => opened.close(),
      () => {},
    )
}
