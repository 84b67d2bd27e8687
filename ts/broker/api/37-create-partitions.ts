import type { SeglogError } from '../../errors/seglog-error.js'
import { apiKey } from '../../protocol/apis.js'
import { withCause } from '../../protocol/cause.js'
import { protocolError } from '../../protocol/errors.js'
import type { CreatePartitionsRequest, CreatePartitionsResponse } from '../../protocol/messages/37-create-partitions.js'
import { zeroUuid } from '../../protocol/uuid.js'
import type { BrokerState } from '../broker-state.js'
import { checkAssignments, checkPartitionCount, tooManyAtOnce } from '../create-topic.js'
import { asSeglogError, errorCodeOf } from '../error-codes.js'
import type { TopicRecord } from '../metadata-store.js'
import { offsetsTopicName } from '../topic-names.js'
import type { Topic } from '../topics.js'
import { apiHandler } from './api-handler.js'
import { inTurns } from './in-turns.js'

/**
 * Versions 0-3. `count` is the new total; partitions are only ever added. A request for more than 10,000 of them is
 * POLICY_VIOLATION for each topic.
 */
export const createPartitions = apiHandler(
  apiKey.createPartitions,
  '0-3',
  async (broker, request, context): Promise<CreatePartitionsResponse> => {
    const { topics, validateOnly } = request
    const { pace } = context
    const seen = new Map<string, number>()
    for (const { name } of topics) seen.set(name, (seen.get(name) ?? 0) + 1)
    const checked = await inTurns(topics, pace, (asked) => check(broker, asked, seen.get(asked.name)! > 1))
    const excessive = tooManyAtOnce(checked.reduce((sum, one) => sum + (one instanceof Error ? 0 : one.added), 0))
    const results = await inTurns(topics, pace, async (asked, i) => {
      const { name } = asked
      const one = excessive ?? checked[i]
      if (one instanceof Error) return failure(one, name)
      try {
        if (!validateOnly) await broker.topics.update(one.topic, (record) => grow(broker, record, asked))
        return { name, errorCode: 0, errorMessage: null }
      } catch (thrown) {
        return failure(thrown, name)
      }
    })
    return { throttleTimeMs: 0, results }
  },
)

type Asked = CreatePartitionsRequest['topics'][number]

/** The topic and how many partitions it gets, or why it does not. */
function check(broker: BrokerState, asked: Asked, isRepeated: boolean): { topic: Topic; added: number } | SeglogError {
  const { name } = asked
  try {
    if (isRepeated) {
      throw protocolError('INVALID_REQUEST', `the request names topic ${name} more than once`, { topic: name })
    }
    const topic = broker.topics.get(name, zeroUuid)
    return { topic, added: grow(broker, topic.record, asked).partitions - topic.record.partitions }
  } catch (error) {
    return asSeglogError(error)
  }
}

function failure(thrown: unknown, name: string): CreatePartitionsResponse['results'][number] {
  const error = asSeglogError(thrown)
  return withCause({ name, errorCode: errorCodeOf(error), errorMessage: error.message }, error)
}

function grow(broker: BrokerState, record: TopicRecord, asked: Asked): TopicRecord {
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
