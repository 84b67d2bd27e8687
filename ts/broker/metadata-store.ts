import type { ConfigMap } from './broker-config.js'

/** A topic as the metadata knows it. Immutable; a change makes a new one. */
export interface TopicRecord {
  readonly name: string
  /** 22 characters, as Kafka writes it. */
  readonly id: string
  readonly partitions: number
  /** The topic's own configs, checked. */
  readonly configs: ConfigMap
}

/**
 * Who knows which topics exist, what brokers and groups were told while brokers ran, and which producer ids were issued.
 * One implementation keeps it in the data directory
 * (TopicStore); a cluster's keeps it where all brokers see it.
 *
 * Changes resolve once they are durable, and are visible from then on. They reject without effect: with
 * TOPIC_ALREADY_EXISTS, UNKNOWN_TOPIC_OR_PARTITION, INVALID_TOPIC_EXCEPTION (collision), or an error of the disk.
 */
export interface MetadataStore {
  readonly topics: ReadonlyMap<string, TopicRecord>
  /** Topics whose deletion was decided and whose data may still be there; never seen in `topics`. */
  readonly deleting: readonly TopicRecord[]
  /** Configs set while brokers ran: by node id, for all brokers under the empty name. */
  readonly brokerConfigs: ReadonlyMap<string, ConfigMap>
  /** Configs that groups have of their own, by group id; none is empty. */
  readonly groupConfigs: ReadonlyMap<string, ConfigMap>
  create(topic: TopicRecord): Promise<void>
  /** Changes an existing topic; `change` sees the newest record, and may throw to refuse. */
  update(name: string, change: (topic: TopicRecord) => TopicRecord): Promise<TopicRecord>
  /** From now on the topic is in `deleting`. */
  delete(name: string): Promise<TopicRecord>
  /** The data of a topic in `deleting` is gone. */
  deleted(id: string): Promise<void>
  /** Changes what is set for one broker, or for all; `change` sees the newest, and may throw to refuse. */
  updateBrokerConfigs(broker: string, change: (configs: ConfigMap) => ConfigMap): Promise<void>
  /** Changes what is set for one group; `change` sees the newest, and may throw to refuse. */
  updateGroupConfigs(group: string, change: (configs: ConfigMap) => ConfigMap): Promise<void>
  /** Reserves `count` producer ids that were never issued and never will be again; answers the first. */
  reserveProducerIds(count: number): Promise<number>
}
