import { isPromise, type MaybePromise } from '../../log/maybe-promise.js'
import { apiKey } from '../../protocol/apis.js'
import { withCause } from '../../protocol/cause.js'
import { protocolError } from '../../protocol/errors.js'
import type { MetadataRequest, MetadataResponse, MetadataTopicResponse } from '../../protocol/messages/03-metadata.js'
import { zeroUuid } from '../../protocol/uuid.js'
import { authorizedOperations } from '../authorized-operations.js'
import type { BrokerState } from '../broker-state.js'
import { autoTopic } from '../create-topic.js'
import { asSeglogError, errorCodeOf } from '../error-codes.js'
import type { RequestContext } from '../request-context.js'
import { thisNode } from '../this-node.js'
import { checkTopicName, isInternalTopic } from '../topic-names.js'
import type { Topic } from '../topics.js'
import { apiHandler } from './api-handler.js'
import { describePartition } from './describe-partition.js'
import { distinct } from './distinct.js'
import { inTurns } from './in-turns.js'

/** Earlier versions cannot say that a topic of an unknown id has no name. */
const namelessSince = 12

/**
 * Versions 0-13. An unknown topic is created within the call where request and broker allow it (`auto.create.topics.enable`),
 * so the first answer can be used. A partition that was never used has leader epoch -1, "unknown": it is not opened for
 * this. Null topics ask for all; so does an empty list in version 0. A topic that is named again is answered once.
 */
export const metadata = apiHandler(
  apiKey.metadata,
  '0-13',
  (broker, request, context): MaybePromise<MetadataResponse> => {
    const { topics: asked, includeTopicAuthorizedOperations } = request
    const operations = authorizedOperations('topic', includeTopicAuthorizedOperations)
    const respond = (topics: MetadataTopicResponse[]) => response(broker, context, request, topics)
    if (asked === null || (context.apiVersion === 0 && asked.length === 0)) {
      return respond(Array.from(broker.topics.all, (topic) => described(broker, topic, operations)))
    }
    const once = distinct(asked, ({ name, topicId }) => `${topicId}${name}`)
    const topics = inTurns(once, context.pace, (one) => {
      const create = request.allowAutoTopicCreation && broker.config.flag('auto.create.topics.enable')
      const found = lookUp(broker, one, create && !broker.logs.readOnly)
      const describe = (topic: Topic) => described(broker, topic, operations)
      const fail = (error: unknown) => failure(error, one, context.apiVersion)
      return isPromise(found) ? found.then(describe, fail) : found instanceof Error ? fail(found) : describe(found)
    })
    return isPromise(topics) ? topics.then(respond) : respond(topics)
  },
)

type AskedTopic = NonNullable<MetadataRequest['topics']>[number]

function lookUp(broker: BrokerState, { name, topicId }: AskedTopic, create: boolean): MaybePromise<Topic> | Error {
  const topic = broker.topics.find(name, topicId)
  if (topic !== undefined) return topic
  if (topicId !== zeroUuid) return protocolError('UNKNOWN_TOPIC_ID', `no topic has the id ${topicId}`)
  if (name === null) return protocolError('INVALID_REQUEST', 'a topic is asked for by neither name nor id')
  if (create) return autoCreate(broker, name)
  try {
    checkTopicName(name)
  } catch (error) {
    return asSeglogError(error)
  }
  return protocolError('UNKNOWN_TOPIC_OR_PARTITION', `topic ${name} does not exist; create it first`, { topic: name })
}

async function autoCreate(broker: BrokerState, name: string): Promise<Topic> {
  try {
    return await broker.topics.create(autoTopic(broker, name))
  } catch (error) {
    // Somebody else may have created it meanwhile.
    const topic = broker.topics.byName(name)
    if (topic === undefined) throw error
    return topic
  }
}

function described(broker: BrokerState, topic: Topic, topicAuthorizedOperations: number): MetadataTopicResponse {
  const count = topic.record.partitions
  return {
    errorCode: 0,
    name: topic.name,
    topicId: topic.record.id,
    isInternal: isInternalTopic(topic.name),
    partitions: Array.from({ length: count }, (_, index) => describePartition(broker, topic, index)),
    topicAuthorizedOperations,
  }
}

function failure(thrown: unknown, asked: AskedTopic, version: number): MetadataTopicResponse {
  const error = asSeglogError(thrown)
  const part: MetadataTopicResponse = {
    errorCode: errorCodeOf(error),
    name: asked.name === null && version < namelessSince ? '' : asked.name,
    topicId: asked.topicId,
    isInternal: asked.name !== null && isInternalTopic(asked.name),
    partitions: [],
    topicAuthorizedOperations: authorizedOperations('topic', false),
  }
  return withCause(part, error)
}

function response(
  broker: BrokerState,
  context: RequestContext,
  request: MetadataRequest,
  topics: MetadataTopicResponse[],
): MetadataResponse {
  return {
    throttleTimeMs: 0,
    brokers: [{ nodeId: broker.nodeId, ...thisNode(broker, context) }],
    clusterId: broker.clusterId,
    controllerId: broker.nodeId,
    topics,
    clusterAuthorizedOperations: authorizedOperations('cluster', request.includeClusterAuthorizedOperations),
    errorCode: 0,
  }
}
