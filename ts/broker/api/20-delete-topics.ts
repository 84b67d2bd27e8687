import { apiKey } from '../../protocol/apis.js'
import { withCause } from '../../protocol/cause.js'
import { protocolError } from '../../protocol/errors.js'
import type { DeleteTopicsResponse } from '../../protocol/messages/20-delete-topics.js'
import { zeroUuid } from '../../protocol/uuid.js'
import { asSeglogError, errorCodeOf } from '../error-codes.js'
import { apiHandler } from './api-handler.js'

/** Versions 1-6. Answered when the topic is gone durably; its files are removed behind that. */
export const deleteTopics = apiHandler(
  apiKey.deleteTopics,
  '1-6',
  async (broker, request): Promise<DeleteTopicsResponse> => {
    const asked = [...request.topics, ...request.topicNames.map((name) => ({ name, topicId: zeroUuid }))]
    const remove = async ({ name, topicId }: { name: string | null; topicId: string }) => {
      try {
        if (!broker.config.flag('delete.topic.enable')) throw protocolError('TOPIC_DELETION_DISABLED')
        const topic = broker.topics.get(name, topicId)
        await broker.topics.delete(topic)
        await broker.groups.topicDeleted(topic.record)
        return { name: topic.name, topicId: topic.record.id, errorCode: 0, errorMessage: null }
      } catch (thrown) {
        const error = asSeglogError(thrown)
        return withCause({ name, topicId, errorCode: errorCodeOf(error), errorMessage: error.message }, error)
      }
    }
    return { throttleTimeMs: 0, responses: await Promise.all(asked.map(remove)) }
  },
)
