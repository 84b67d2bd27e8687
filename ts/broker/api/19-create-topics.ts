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
import { newTopic } from '../create-topic.js'
import { describeTopicConfig } from '../describe-config.js'
import { asSeglogError, errorCodeOf } from '../error-codes.js'
import type { TopicRecord } from '../metadata-store.js'
import { TopicConfig } from '../topic-config.js'
import { apiHandler } from './api-handler.js'
import { inTurns } from './in-turns.js'

/** Versions 2-7. Topics of one request, and of requests at the same time, share the write that makes them durable. */
export const createTopics = apiHandler(
  apiKey.createTopics,
  '2-7',
  async (broker, request, context): Promise<CreateTopicsResponse> => {
    const seen = new Map<string, number>()
    for (const { name } of request.topics) seen.set(name, (seen.get(name) ?? 0) + 1)
    const create = async (asked: CreatableTopic): Promise<CreatableTopicResult> => {
      try {
        if (seen.get(asked.name)! > 1) {
          throw protocolError('INVALID_REQUEST', `the request names topic ${asked.name} more than once`, {
            topic: asked.name,
          })
        }
        const record = newTopic(broker, asked)
        if (!request.validateOnly) await broker.topics.create(record)
        return created(broker, record, request.validateOnly)
      } catch (error) {
        return failure(error, asked)
      }
    }
    return { throttleTimeMs: 0, topics: await inTurns(request.topics, context.pace, create) }
  },
)

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
