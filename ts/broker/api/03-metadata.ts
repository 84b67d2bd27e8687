import { isPromise, type MaybePromise } from '../../log/maybe-promise.js'
import { apiKey } from '../../protocol/apis.js'
import { withCause } from '../../protocol/cause.js'
import { protocolError } from '../../protocol/errors.js'
import {
  type MetadataRequest,
  type MetadataResponse,
  type MetadataTopicResponse,
  operationsNotAsked,
} from '../../protocol/messages/03-metadata.js'
import { zeroUuid } from '../../protocol/uuid.js'
import type { BrokerState } from '../broker-state.js'
import { newTopic } from '../create-topic.js'
import { asSeglogError, errorCodeOf } from '../error-codes.js'
import { Partition } from '../partition.js'
import type { RequestContext } from '../request-context.js'
import { isInternalTopic } from '../topic-names.js'
import type { Topic } from '../topics.js'
import { apiHandler } from './api-handler.js'

/**
 * Versions 0-13. An unknown topic is created within the call where request and broker allow it (`auto.create.topics.enable`),
 * so the first answer can be used. A partition that was never used has leader epoch -1, "unknown": it is not opened for
 * this. Null topics ask for all; so does an empty list in version 0.
 */
export const metadata = apiHandler(
  apiKey.metadata,
  '0-13',
  (broker, request, context): MaybePromise<MetadataResponse> => {
    const all = request.topics === null || (context.apiVersion === 0 && request.topics.length === 0)
    if (all)
      return response(
        broker,
        context,
        Array.from(broker.topics.all, (topic) => described(broker, topic)),
      )
    const topics = request.topics!.map((asked) => lookUp(broker, asked, request.allowAutoTopicCreation))
    if (!topics.some(isPromise)) return response(broker, context, topics as MetadataTopicResponse[])
    return Promise.all(topics).then((settled) => response(broker, context, settled))
  },
)

type AskedTopic = NonNullable<MetadataRequest['topics']>[number]

function lookUp(broker: BrokerState, asked: AskedTopic, mayCreate: boolean): MaybePromise<MetadataTopicResponse> {
  const topic = broker.topics.find(asked.name, asked.topicId)
  if (topic !== undefined) return described(broker, topic)
  const create = mayCreate && asked.topicId === zeroUuid && broker.config.flag('auto.create.topics.enable')
  try {
    if (create && !broker.logs.readOnly) return autoCreate(broker, asked)
    broker.topics.get(asked.name, asked.topicId)
    throw protocolError('UNKNOWN_SERVER_ERROR')
  } catch (error) {
    return failure(error, asked)
  }
}

async function autoCreate(broker: BrokerState, asked: AskedTopic): Promise<MetadataTopicResponse> {
  const name = asked.name ?? ''
  try {
    const record = newTopic(broker, { name, numPartitions: -1, replicationFactor: -1, assignments: [], configs: [] })
    return described(broker, await broker.topics.create(record))
  } catch (error) {
    // Somebody else may have created it meanwhile.
    const topic = broker.topics.byName(name)
    return topic === undefined ? failure(error, asked) : described(broker, topic)
  }
}

function described(broker: BrokerState, topic: Topic): MetadataTopicResponse {
  const nodes = [broker.nodeId]
  const partitions = Array.from({ length: topic.record.partitions }, (_, partitionIndex) => {
    const partition = topic.partitions[partitionIndex]
    return {
      errorCode: 0,
      partitionIndex,
      leaderId: broker.nodeId,
      leaderEpoch: partition instanceof Partition ? partition.log.leaderEpoch : -1,
      replicaNodes: nodes,
      isrNodes: nodes,
      offlineReplicas: [],
    }
  })
  return {
    errorCode: 0,
    name: topic.name,
    topicId: topic.record.id,
    isInternal: isInternalTopic(topic.name),
    partitions,
    topicAuthorizedOperations: operationsNotAsked,
  }
}

function failure(thrown: unknown, asked: AskedTopic): MetadataTopicResponse {
  const error = asSeglogError(thrown)
  const part: MetadataTopicResponse = {
    errorCode: errorCodeOf(error),
    name: asked.name,
    topicId: asked.topicId,
    isInternal: false,
    partitions: [],
    topicAuthorizedOperations: operationsNotAsked,
  }
  return withCause(part, error)
}

function response(broker: BrokerState, context: RequestContext, topics: MetadataTopicResponse[]): MetadataResponse {
  const { host, port } = broker.endpoint(context)
  return {
    throttleTimeMs: 0,
    brokers: [{ nodeId: broker.nodeId, host, port, rack: null }],
    clusterId: broker.clusterId,
    controllerId: broker.nodeId,
    topics,
    clusterAuthorizedOperations: operationsNotAsked,
    errorCode: 0,
  }
}
