import { isPromise, type MaybePromise } from '../../log/maybe-promise.js'
import { apiKey } from '../../protocol/apis.js'
import { withCause } from '../../protocol/cause.js'
import { protocolError } from '../../protocol/errors.js'
import type { MetadataRequest, MetadataResponse, MetadataTopicResponse } from '../../protocol/messages/03-metadata.js'
import { zeroUuid } from '../../protocol/uuid.js'
import { authorizedOperations } from '../authorized-operations.js'
import type { BrokerState } from '../broker-state.js'
import { autoTopic, tooManyAtOnce } from '../create-topic.js'
import { asSeglogError, errorCodeOf } from '../error-codes.js'
import type { Pace, RequestContext } from '../request-context.js'
import { thisNode } from '../this-node.js'
import { checkTopicName, isInternalTopic } from '../topic-names.js'
import type { Topic } from '../topics.js'
import { apiHandler } from './api-handler.js'
import { describePartition } from './describe-partition.js'
import { distinct } from './distinct.js'
import { inTurns, paceFor } from './in-turns.js'

/** Earlier versions cannot say that a topic of an unknown id has no name. */
const namelessSince = 12

/**
 * Versions 0-13. An unknown topic is created within the call where request and broker allow it (`auto.create.topics.enable`),
 * so the first answer can be used; of more than 10,000 partitions at once none is. A partition that was never used has leader epoch -1, "unknown": it is not opened for
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
      const all = [...broker.topics.all]
      const pace = paceFor(context, partitionsOf(all))
      const answer = () => inTurns(all, pace, (topic) => described(broker, topic, operations, pace))
      const topics = pace === undefined ? answer() : pace.next().then(answer)
      return isPromise(topics) ? topics.then(respond) : respond(topics)
    }
    const once = distinct(asked, ({ name, topicId }) => `${topicId}${name}`)
    const known = once.map(({ name, topicId }) => broker.topics.find(name, topicId))
    const pace = paceFor(context, partitionsOf(known))
    const create =
      request.allowAutoTopicCreation && mayCreate(broker, known.filter((topic) => topic === undefined).length)
    const answer = (one: AskedTopic) => {
      const found = lookUp(broker, one, create)
      const describe = (topic: Topic) => described(broker, topic, operations, pace)
      const fail = (error: unknown) => failure(error, one, context.apiVersion)
      return isPromise(found) ? found.then(describe, fail) : found instanceof Error ? fail(found) : describe(found)
    }
    const begin = () => inTurns(once, pace, answer)
    const topics = pace === undefined ? begin() : pace.next().then(begin)
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

/** As many as that: as in CreateTopics, more are not created at once. */
function mayCreate(broker: BrokerState, topics: number): boolean {
  if (topics === 0 || broker.logs.readOnly || !broker.config.flag('auto.create.topics.enable')) return false
  return tooManyAtOnce(topics * broker.config.number('num.partitions')) === null
}

function partitionsOf(topics: readonly (Topic | undefined)[]): number {
  let sum = 0
  for (const topic of topics) sum += topic?.record.partitions ?? 0
  return sum
}

function described(
  broker: BrokerState,
  topic: Topic,
  topicAuthorizedOperations: number,
  pace: Pace | undefined,
): MetadataTopicResponse {
  const count = topic.record.partitions
  pace?.isDue(count)
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
