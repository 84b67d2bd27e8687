import { payloadVersion, readPayload, writePayload } from '../../../protocol/codec/payloads.js'
import {
  type ConsumerProtocolSubscription,
  consumerProtocolAssignment,
  consumerProtocolSubscription,
} from '../../../protocol/payloads/consumer-protocol.js'
import type { Topics } from '../../topics.js'
import { type Assignment, addPartition, type TopicPartitions, toTopicPartitions } from './assignment.js'

/** What a member of the classic protocol joined with. Throws MALFORMED_MESSAGE. */
export function readSubscription(metadata: Uint8Array): ConsumerProtocolSubscription {
  return readPayload(consumerProtocolSubscription, metadata, 'read as the newest')
}

/** What the leader of a classic group gave a member, by topic id; topics that are gone are left out. */
export function readAssignment(bytes: Uint8Array, topics: Topics): Assignment {
  const assignment = new Map<string, Set<number>>()
  if (bytes.length === 0) return assignment
  const { assignedPartitions } = readPayload(consumerProtocolAssignment, bytes, 'read as the newest')
  for (const { topic, partitions } of assignedPartitions) {
    const id = topics.byName(topic)?.record.id
    if (id !== undefined) for (const partition of partitions) addPartition(assignment, id, partition)
  }
  return assignment
}

/** Partitions as a member of the classic protocol takes them, in the version that it speaks itself. */
export function writeAssignment(
  assignment: Parameters<typeof toTopicPartitions>[0],
  metadata: Uint8Array,
  topics: Topics,
): Uint8Array {
  const assignedPartitions: { topic: string; partitions: readonly number[] }[] = []
  for (const { topicId, partitions } of toTopicPartitions(assignment)) {
    const topic = topics.find(null, topicId)
    if (topic !== undefined) assignedPartitions.push({ topic: topic.name, partitions })
  }
  const version = Math.max(0, Math.min(payloadVersion(metadata), consumerProtocolAssignment.versions.to))
  return writePayload(consumerProtocolAssignment, version, { assignedPartitions, userData: null })
}

export function ownedBy({ ownedPartitions }: ConsumerProtocolSubscription, topics: Topics): TopicPartitions[] {
  const owned: TopicPartitions[] = []
  for (const { topic, partitions } of ownedPartitions) {
    const topicId = topics.byName(topic)?.record.id
    if (topicId !== undefined) owned.push({ topicId, partitions })
  }
  return owned
}
