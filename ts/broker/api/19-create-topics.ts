import type { SeglogError } from '../../errors/seglog-error.js'
import { apiKey } from '../../protocol/apis.js'
import { withCause } from '../../protocol/cause.js'
import { protocolError } from '../../protocol/errors.js'
import type {
  CreatableTopic,
  CreatableTopicResult,
  CreateTopicsResponse,
} from '../../protocol/messages/19-create-topics.js'
import { zeroUuid } from '../../protocol/uuid.js'
import type { BrokerState } from '../broker-state.js'
import { newTopic, tooManyAtOnce } from '../create-topic.js'
import { describeTopicConfig } from '../describe-config.js'
import { asSeglogError, errorCodeOf } from '../error-codes.js'
import type { TopicRecord } from '../metadata-store.js'
import { TopicConfig } from '../topic-config.js'
import { apiHandler } from './api-handler.js'
import { inTurns } from './in-turns.js'

/**
 * Versions 2-7. Topics of one request, and of requests at the same time, share the write that makes them durable. A
 * request for more than 10,000 partitions, or topics, partitions and configs together, is POLICY_VIOLATION for each topic.
 */
export const createTopics = apiHandler(
  apiKey.createTopics,
  '2-7',
  async (broker, request, context): Promise<CreateTopicsResponse> => {
    const { topics, validateOnly } = request
    const { pace } = context
    const respond = (results: CreatableTopicResult[]) => ({ throttleTimeMs: 0, topics: results })
    const refuse = (error: unknown) => respond(topics.map((asked) => failure(error, asked)))
    const tooManyPartitions = tooManyAtOnce(partitionsOf(broker, topics))
    if (tooManyPartitions !== null) return refuse(tooManyPartitions)
    const seen = new Map<string, number>()
    for (const { name } of topics) seen.set(name, (seen.get(name) ?? 0) + 1)
    const checked = await inTurns(topics, pace, (asked) => check(broker, asked, seen.get(asked.name)! > 1))
    const tooManyRecords = tooManyAtOnce(checked.reduce((sum, one) => sum + recordsOf(one), 0))
    if (tooManyRecords !== null) return refuse(tooManyRecords)
    const create = async (asked: CreatableTopic, i: number): Promise<CreatableTopicResult> => {
      const record = checked[i]
      if (record instanceof Error) return failure(record, asked)
      try {
        if (!validateOnly) await broker.topics.create(record)
        return created(broker, record, validateOnly)
      } catch (error) {
        return failure(error, asked)
      }
    }
    return respond(await inTurns(topics, pace, create))
  },
)

function partitionsOf(broker: BrokerState, topics: readonly CreatableTopic[]): number {
  const usual = broker.config.number('num.partitions')
  let sum = 0
  for (const { assignments, numPartitions } of topics) {
    if (assignments.length > 0) sum += assignments.length
    else sum += numPartitions === -1 ? usual : Math.max(numPartitions, 0)
  }
  return sum
}

/** What is to be created, or why it cannot be. */
function check(broker: BrokerState, asked: CreatableTopic, isRepeated: boolean): TopicRecord | SeglogError {
  const { name: topic } = asked
  if (isRepeated) return protocolError('INVALID_REQUEST', `the request names topic ${topic} more than once`, { topic })
  try {
    return newTopic(broker, asked)
  } catch (error) {
    return asSeglogError(error)
  }
}

function recordsOf(checked: TopicRecord | SeglogError): number {
  if (checked instanceof Error) return 0
  return 1 + checked.partitions + Object.keys(checked.configs).length
}

function created(broker: BrokerState, record: TopicRecord, validateOnly: boolean): CreatableTopicResult {
  const config = new TopicConfig(record.configs, broker.config)
  const configs = describeTopicConfig(config, { keys: null, synonyms: false, documentation: false })
  return {
    name: record.name,
    topicId: validateOnly ? zeroUuid : record.id,
    errorCode: 0,
    errorMessage: null,
    numPartitions: record.partitions,
    replicationFactor: 1,
    configs: configs.map(({ name, value, readOnly, configSource, isSensitive }) => ({
      name,
      value,
      readOnly,
      configSource,
      isSensitive,
    })),
  }
}

function failure(thrown: unknown, asked: CreatableTopic): CreatableTopicResult {
  const error = asSeglogError(thrown)
  const result: CreatableTopicResult = {
    name: asked.name,
    topicId: zeroUuid,
    errorCode: errorCodeOf(error),
    errorMessage: error.message,
    numPartitions: -1,
    replicationFactor: -1,
    configs: null,
  }
  return withCause(result, error)
}
