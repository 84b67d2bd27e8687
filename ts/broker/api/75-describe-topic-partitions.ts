import { apiKey } from '../../protocol/apis.js'
import { type ProtocolErrorName, protocolErrors } from '../../protocol/errors.js'
import type {
  DescribeTopicPartitionsRequest,
  DescribeTopicPartitionsResponse,
} from '../../protocol/messages/75-describe-topic-partitions.js'
import { zeroUuid } from '../../protocol/uuid.js'
import { authorizedOperations } from '../authorized-operations.js'
import type { BrokerState } from '../broker-state.js'
import { isInternalTopic, isTopicName } from '../topic-names.js'
import { apiHandler } from './api-handler.js'
import { describePartition } from './describe-partition.js'

type TopicResponse = DescribeTopicPartitionsResponse['topics'][number]
type Cursor = DescribeTopicPartitionsRequest['cursor']

/**
 * Version 0. Topics in the order of their names, page by page of at most `max.request.partition.size.limit` partitions.
 * A cursor that the request's own topics lack is INVALID_REQUEST for each of them. Never creates topics.
 */
export const describeTopicPartitions = apiHandler(
  apiKey.describeTopicPartitions,
  '0',
  (broker, request): DescribeTopicPartitionsResponse => {
    const { cursor, responsePartitionLimit } = request
    const all = request.topics.length === 0
    const asked = all ? Array.from(broker.topics.all, ({ name }) => name) : request.topics.map(({ name }) => name)
    const names = [...new Set(asked)].filter((name) => cursor === null || name >= cursor.topicName).sort()
    if (cursor !== null && (cursor.partitionIndex < 0 || (!all && !names.includes(cursor.topicName)))) {
      const topics = asked.map((name) => failure(name, 'INVALID_REQUEST'))
      return { throttleTimeMs: 0, topics, nextCursor: null }
    }
    const limit = Math.min(responsePartitionLimit, broker.config.number('max.request.partition.size.limit'))
    return { throttleTimeMs: 0, ...page(broker, names, cursor, Math.max(limit, 1)) }
  },
)

function page(
  broker: BrokerState,
  names: readonly string[],
  cursor: Cursor,
  limit: number,
): { topics: TopicResponse[]; nextCursor: Cursor } {
  const topics: TopicResponse[] = []
  let left = limit
  for (const name of names) {
    const from = name === cursor?.topicName ? cursor.partitionIndex : 0
    if (left === 0) return { topics, nextCursor: { topicName: name, partitionIndex: from } }
    const topic = described(broker, name, from, left)
    topics.push(topic)
    left -= topic.partitions.length
    const next = from + topic.partitions.length
    const count = broker.topics.byName(name)?.record.partitions ?? 0
    if (left === 0 && next < count) return { topics, nextCursor: { topicName: name, partitionIndex: next } }
  }
  return { topics, nextCursor: null }
}

function described(broker: BrokerState, name: string, from: number, limit: number): TopicResponse {
  const topic = broker.topics.byName(name)
  if (topic === undefined) {
    return failure(name, isTopicName(name) ? 'UNKNOWN_TOPIC_OR_PARTITION' : 'INVALID_TOPIC_EXCEPTION')
  }
  const count = Math.min(Math.max(topic.record.partitions - from, 0), limit)
  return {
    errorCode: 0,
    name,
    topicId: topic.record.id,
    isInternal: isInternalTopic(name),
    partitions: Array.from({ length: count }, (_, i) => ({
      ...describePartition(broker, topic, from + i),
      eligibleLeaderReplicas: [],
      lastKnownElr: [],
    })),
    topicAuthorizedOperations: authorizedOperations('topic', true),
  }
}

function failure(name: string, error: ProtocolErrorName): TopicResponse {
  return {
    errorCode: protocolErrors[error].code,
    name,
    topicId: zeroUuid,
    isInternal: false,
    partitions: [],
    topicAuthorizedOperations: authorizedOperations('topic', false),
  }
}
