import type { SeglogError } from '../errors/seglog-error.js'
import { protocolError } from '../protocol/errors.js'
import type { CreatableTopic } from '../protocol/messages/19-create-topics.js'
import { randomUuid } from '../protocol/uuid.js'
import type { BrokerState } from './broker-state.js'
import type { TopicRecord } from './metadata-store.js'
import { offsetsTopic } from './offsets-topic.js'
import { checkTopicConfigs, checkTopicConfigsTogether, TopicConfig } from './topic-config.js'
import { checkTopicName, collisionError, isInternalTopic, offsetsTopicName } from './topic-names.js'

/** A data directory that Kafka wrote has a folder of this name, which stays as it is. */
const metadataTopicName = '__cluster_metadata'

/** More partitions than one topic may have. */
export const partitionsMax = 100_000

/**
 * The record of a topic as a request describes it, -1 standing for the broker's defaults. Throws
 * INVALID_TOPIC_EXCEPTION, TOPIC_ALREADY_EXISTS, INVALID_PARTITIONS, INVALID_REPLICATION_FACTOR,
 * INVALID_REPLICA_ASSIGNMENT, INVALID_REQUEST, UNKNOWN_CONFIG, INVALID_CONFIG.
 */
export function newTopic(broker: BrokerState, asked: CreatableTopic): TopicRecord {
  const { name } = asked
  checkTopicName(name)
  if (name === metadataTopicName) {
    throw protocolError('INVALID_TOPIC_EXCEPTION', `${name} is the folder of Kafka's own metadata`, { topic: name })
  }
  if (broker.topics.byName(name) !== undefined) {
    throw protocolError('TOPIC_ALREADY_EXISTS', `topic ${name} exists already`, { topic: name })
  }
  const other = broker.topics.colliding(name)
  if (other !== undefined) throw collisionError(name, other.name)
  const configs = checkTopicConfigs(
    asked.configs.map((config) => [config.name, config.value] as const),
    name,
    broker.logger,
  )
  checkTopicConfigsTogether(new TopicConfig(configs, broker.config), name)
  return { name, id: randomUuid(), partitions: partitionCount(broker, asked), configs }
}

/**
 * The record of a topic that somebody wants to use and that nobody created. Throws INVALID_TOPIC_EXCEPTION,
 * INVALID_REPLICATION_FACTOR, and UNKNOWN_TOPIC_OR_PARTITION for Kafka's own topics that have no use here.
 */
export function autoTopic(broker: BrokerState, name: string): TopicRecord {
  if (name === offsetsTopicName) return offsetsTopic(broker.config)
  if (isInternalTopic(name)) throw protocolError('UNKNOWN_TOPIC_OR_PARTITION', undefined, { topic: name })
  return newTopic(broker, { name, numPartitions: -1, replicationFactor: -1, assignments: [], configs: [] })
}

function partitionCount(broker: BrokerState, asked: CreatableTopic): number {
  const { name, numPartitions, replicationFactor, assignments } = asked
  if (assignments.length > 0) {
    if (numPartitions !== -1 || replicationFactor !== -1) {
      const message = `topic ${name}: with assignments given, partitions and replication factor must be -1`
      throw protocolError('INVALID_REQUEST', message, { topic: name })
    }
    checkAssignments(
      broker,
      name,
      assignments.map(({ brokerIds }) => brokerIds),
    )
    const indexes = assignments.map(({ partitionIndex }) => partitionIndex).sort((a, b) => a - b)
    if (indexes.some((index, i) => index !== i)) {
      const message = `topic ${name}: assignments must name the partitions 0 to ${indexes.length - 1} once each`
      throw protocolError('INVALID_REPLICA_ASSIGNMENT', message, { topic: name })
    }
    return indexes.length
  }
  const factor = replicationFactor === -1 ? broker.config.number('default.replication.factor') : replicationFactor
  if (factor !== 1) {
    const message = `topic ${name}: a replication factor of ${factor} is not possible, the cluster has 1 broker`
    throw protocolError('INVALID_REPLICATION_FACTOR', message, { topic: name })
  }
  const count = numPartitions === -1 ? broker.config.number('num.partitions') : numPartitions
  checkPartitionCount(name, count)
  return count
}

/**
 * Kafka's controller takes so many records in one operation, of which every topic, partition and config is one. What is
 * more is refused as a whole.
 */
const recordsAtOnce = 10_000

/** POLICY_VIOLATION where one request would make so many things; else null. */
export function tooManyAtOnce(records: number): SeglogError | null {
  if (records <= recordsAtOnce) return null
  const message = `a request may make ${recordsAtOnce} topics, partitions and configs together, not ${records}; make several`
  return protocolError('POLICY_VIOLATION', message)
}

/** Throws INVALID_PARTITIONS. */
export function checkPartitionCount(topic: string, count: number): void {
  if (Number.isInteger(count) && count >= 1 && count <= partitionsMax) return
  throw protocolError('INVALID_PARTITIONS', `topic ${topic} can have 1 to ${partitionsMax} partitions, not ${count}`, {
    topic,
  })
}

/** Every partition must go to this broker, the only one. Throws INVALID_REPLICA_ASSIGNMENT. */
export function checkAssignments(
  broker: BrokerState,
  topic: string,
  assignments: readonly (readonly number[])[],
): void {
  for (const brokers of assignments) {
    if (brokers.length === 1 && brokers[0] === broker.nodeId) continue
    const message = `topic ${topic}: broker ${broker.nodeId} is the only one, a partition cannot go to [${brokers.join(', ')}]`
    throw protocolError('INVALID_REPLICA_ASSIGNMENT', message, { topic })
  }
}
