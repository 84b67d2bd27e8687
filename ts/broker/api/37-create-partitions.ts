import { apiKey } from '../../protocol/apis.js'
import { withCause } from '../../protocol/cause.js'
import { protocolError } from '../../protocol/errors.js'
import type { CreatePartitionsRequest, CreatePartitionsResponse } from '../../protocol/messages/37-create-partitions.js'
import { zeroUuid } from '../../protocol/uuid.js'
import type { BrokerState } from '../broker-state.js'
import { checkAssignments, checkPartitionCount } from '../create-topic.js'
import { asSeglogError, errorCodeOf } from '../error-codes.js'
import type { TopicRecord } from '../metadata-store.js'
import { offsetsTopicName } from '../topic-names.js'
import { apiHandler } from './api-handler.js'
import { inTurns } from './in-turns.js'

/** Versions 0-3. `count` is the new total; partitions are only ever added. */
export const createPartitions = apiHandler(
  apiKey.createPartitions,
  '0-3',
  async (broker, request, context): Promise<CreatePartitionsResponse> => {
    const seen = new Map<string, number>()
    for (const { name } of request.topics) seen.set(name, (seen.get(name) ?? 0) + 1)
    const results = await inTurns(request.topics, context.pace, async (asked) => {
      const { name } = asked
      try {
        if (seen.get(name)! > 1) {
          throw protocolError('INVALID_REQUEST', `the request names topic ${name} more than once`, { topic: name })
        }
        const topic = broker.topics.get(name, zeroUuid)
        grow(broker, topic.record, asked)
        if (!request.validateOnly) await broker.topics.update(topic, (record) => grow(broker, record, asked))
        return { name, errorCode: 0, errorMessage: null }
      } catch (thrown) {
        const error = asSeglogError(thrown)
        return withCause({ name, errorCode: errorCodeOf(error), errorMessage: error.message }, error)
      }
    })
    return { throttleTimeMs: 0, results }
  },
)

function grow(broker: BrokerState, record: TopicRecord, asked: CreatePartitionsRequest['topics'][number]): TopicRecord {
  const { name: topic, partitions } = record
  const { count, assignments } = asked
  if (topic === offsetsTopicName) {
    const message = `a group finds its partition of ${topic} by the number of them, which therefore stays ${partitions}`
    throw protocolError('INVALID_REQUEST', message, { topic })
  }
  if (count <= partitions) {
    const message = `topic ${topic} has ${partitions} partitions; the new total must be larger, not ${count}`
    throw protocolError('INVALID_PARTITIONS', message, { topic })
  }
  checkPartitionCount(topic, count)
  if (assignments !== null) {
    if (assignments.length !== count - partitions) {
      const message = `topic ${topic}: ${count - partitions} partitions are new, ${assignments.length} assignments were given`
      throw protocolError('INVALID_REPLICA_ASSIGNMENT', message, { topic })
    }
    checkAssignments(
      broker,
      topic,
      assignments.map(({ brokerIds }) => brokerIds),
    )
  }
  return { ...record, partitions: count }
}
