import { apiKey } from '../../protocol/apis.js'
import { withCause } from '../../protocol/cause.js'
import { protocolError } from '../../protocol/errors.js'
import type { DeleteTopicsRequest, DeleteTopicsResponse } from '../../protocol/messages/20-delete-topics.js'
import { zeroUuid } from '../../protocol/uuid.js'
import type { BrokerState } from '../broker-state.js'
import { asSeglogError, errorCodeOf } from '../error-codes.js'
import type { Topic } from '../topics.js'
import { apiHandler } from './api-handler.js'
import { inTurns } from './in-turns.js'

type Asked = DeleteTopicsRequest['topics'][number]

/** Versions 1-6. Answered when the topic is gone durably; its files are removed behind that. */
export const deleteTopics = apiHandler(
  apiKey.deleteTopics,
  '1-6',
  async (broker, request, context): Promise<DeleteTopicsResponse> => {
    const asked = [...request.topics, ...request.topicNames.map((name) => ({ name, topicId: zeroUuid }))]
    // All of them are looked up before the first is gone: one named twice must not depend on who came first.
    const found = asked.map((one) => lookUp(broker, one))
    const named = new Map<Topic | null, number>()
    for (const topic of found) named.set(topic, (named.get(topic) ?? 0) + 1)
    const remove = async ({ name, topicId }: Asked, i: number) => {
      try {
        if (!broker.config.flag('delete.topic.enable')) throw protocolError('TOPIC_DELETION_DISABLED')
        const topic = found[i]
        if (topic === null || named.get(topic)! > 1) throw fault(broker, name, topicId)
        await broker.topics.delete(topic)
        await broker.groups.topicDeleted(topic.record)
        return { name: topic.name, topicId: topic.record.id, errorCode: 0, errorMessage: null }
      } catch (thrown) {
        const error = asSeglogError(thrown)
        return withCause({ name, topicId, errorCode: errorCodeOf(error), errorMessage: error.message }, error)
      }
    }
    return { throttleTimeMs: 0, responses: await inTurns(asked, context.pace, remove) }
  },
)

function lookUp(broker: BrokerState, { name, topicId }: Asked): Topic | null {
  if (name !== null && topicId !== zeroUuid) return null
  return broker.topics.find(name, topicId) ?? null
}

/** Why a topic of the request is not deleted. Throws what `Topics.get` throws for one that does not exist. */
function fault(broker: BrokerState, name: string | null, topicId: string): Error {
  if (name !== null && topicId !== zeroUuid) {
    return protocolError('INVALID_REQUEST', `topic ${name} is named by its name and by an id; one of them will do`)
  }
  if (name === null && topicId === zeroUuid) {
    return protocolError('INVALID_REQUEST', 'a topic is named by neither name nor id')
  }
  const topic = broker.topics.get(name, topicId).name
  return protocolError('INVALID_REQUEST', `the request names topic ${topic} more than once`, { topic })
}
