import type { AppendInfo } from '../../log/log-types.js'
import { isPromise, type MaybePromise } from '../../log/maybe-promise.js'
import { apiKey } from '../../protocol/apis.js'
import { withCause } from '../../protocol/cause.js'
import { toInt64 } from '../../protocol/codec/int64.js'
import { protocolError } from '../../protocol/errors.js'
import type {
  ProducePartitionData,
  ProducePartitionResponse,
  ProduceRequest,
  ProduceResponse,
  ProduceTopicData,
  ProduceTopicResponse,
} from '../../protocol/messages/00-produce.js'
import { type ClientBatch, clientBatch, refusal, trustedBatches } from '../batch-validation.js'
import type { BrokerState } from '../broker-state.js'
import { errorCodeOf, placedError } from '../error-codes.js'
import { type Acks, ownBatches, type Partition } from '../partition.js'
import type { RequestContext } from '../request-context.js'
import type { Topic } from '../topics.js'
import { apiHandler } from './api-handler.js'
import { inTurns } from './in-turns.js'

/** Only a client of this name may write to internal topics, as in Kafka; what it writes is its own affair. */
const adminClientId = '__admin_client'

/**
 * Versions 3-13. Partitions of one request are appended in its order and answered together. acks 0 is appended like 1;
 * it is the connection that sends no answer. Answers at once, without a promise, when every append did.
 *
 * Not done: transactions (a transactional batch gets INVALID_TXN_STATE).
 */
export const produce = apiHandler(apiKey.produce, '3-13', (broker, request, context) => {
  const { topicData } = request
  if (topicData.length === 1 && topicData[0].partitionData.length === 1) return produceOne(broker, request, context)
  if (context.pace !== undefined) return produceInTurns(broker, request, context)
  const responses: ProduceTopicResponse[] = []
  const pending: Promise<void>[] = []
  for (const data of topicData) {
    const topic = broker.topics.find(data.name, data.topicId)
    const parts = new Array<ProducePartitionResponse>(data.partitionData.length)
    for (let i = 0; i < parts.length; i++) {
      const part = produceTo(broker, topic, data, i, request, context)
      if (isPromise(part)) {
        const settled = part.then((done) => {
          parts[i] = done
        })
        pending.push(settled)
      } else parts[i] = part
    }
    responses.push(topicResponse(topic, data, parts))
  }
  const response: ProduceResponse = { responses, throttleTimeMs: 0 }
  return pending.length === 0 ? response : Promise.all(pending).then(() => response)
})

/** What most producers send: one batch, answered with one promise less per layer. */
function produceOne(
  broker: BrokerState,
  request: ProduceRequest,
  context: RequestContext,
): MaybePromise<ProduceResponse> {
  const data = request.topicData[0]
  const topic = broker.topics.find(data.name, data.topicId)
  const part = produceTo(broker, topic, data, 0, request, context)
  return isPromise(part) ? part.then((done) => answerOne(topic, data, done)) : answerOne(topic, data, part)
}

function answerOne(topic: Topic | undefined, data: ProduceTopicData, part: ProducePartitionResponse): ProduceResponse {
  return { responses: [topicResponse(topic, data, [part])], throttleTimeMs: 0 }
}

/** A long request: nothing else of its connection is appended meanwhile. */
async function produceInTurns(
  broker: BrokerState,
  request: ProduceRequest,
  context: RequestContext,
): Promise<ProduceResponse> {
  const responses = await inTurns(request.topicData, context.pace, async (data) => {
    const topic = broker.topics.find(data.name, data.topicId)
    const parts = await inTurns(data.partitionData, context.pace, (_, i) =>
      produceTo(broker, topic, data, i, request, context),
    )
    return topicResponse(topic, data, parts)
  })
  return { responses, throttleTimeMs: 0 }
}

function topicResponse(
  topic: Topic | undefined,
  data: ProduceTopicData,
  partitionResponses: ProducePartitionResponse[],
): ProduceTopicResponse {
  if (topic === undefined) return { name: data.name, topicId: data.topicId, partitionResponses }
  return { name: topic.name, topicId: topic.record.id, partitionResponses }
}

/** Never throws or rejects: what goes wrong is in the answer. */
function produceTo(
  broker: BrokerState,
  topic: Topic | undefined,
  topicData: ProduceTopicData,
  i: number,
  request: ProduceRequest,
  context: RequestContext,
): MaybePromise<ProducePartitionResponse> {
  const data = topicData.partitionData[i]
  try {
    const acks = checkedAcks(request)
    const found = topic ?? broker.topics.get(topicData.name, topicData.topicId)
    checkWritable(found, context)
    const partition = broker.topics.partition(found, data.index)
    if (isPromise(partition)) return produceOnceOpen(broker, partition, found, data, acks, context)
    const info = append(broker, partition, data, acks, context)
    return isPromise(info) ? answerLater(info, partition, data) : success(info, partition, data)
  } catch (error) {
    return failure(error, topic?.name ?? topicData.name, data)
  }
}

async function produceOnceOpen(
  broker: BrokerState,
  opening: Promise<Partition>,
  topic: Topic,
  data: ProducePartitionData,
  acks: Acks,
  context: RequestContext,
): Promise<ProducePartitionResponse> {
  try {
    const partition = await opening
    return success(await append(broker, partition, data, acks, context), partition, data)
  } catch (error) {
    return failure(error, topic.name, data)
  }
}

function answerLater(
  info: Promise<AppendInfo>,
  partition: Partition,
  data: ProducePartitionData,
): Promise<ProducePartitionResponse> {
  return info.then(
    (done) => success(done, partition, data),
    (error: unknown) => failure(error, partition.log.topic, data),
  )
}

function checkedAcks({ acks }: ProduceRequest): Acks {
  if (acks === 0 || acks === 1 || acks === -1) return acks
  throw protocolError('INVALID_REQUIRED_ACKS', `acks must be 0, 1 or -1 (all), not ${acks}`)
}

function checkWritable(topic: Topic, context: RequestContext): void {
  if (!topic.isInternal || context.clientId === adminClientId) return
  const message = `topic ${topic.name} is written by the broker only`
  throw protocolError('INVALID_TOPIC_EXCEPTION', message, { topic: topic.name })
}

function append(
  broker: BrokerState,
  partition: Partition,
  data: ProducePartitionData,
  acks: Acks,
  context: RequestContext,
): MaybePromise<AppendInfo> {
  const { config } = partition.log
  // One node is one replica.
  if (acks === -1 && config.minInsyncReplicas > 1) {
    const message = `min.insync.replicas is ${config.minInsyncReplicas}, and this broker is the only replica`
    throw protocolError('NOT_ENOUGH_REPLICAS', message, { key: 'min.insync.replicas' })
  }
  if (context.trusted) return partition.append(trustedBatches(data.records, config, broker.clock()), acks, ownBatches)
  const now = broker.clock()
  const batch = clientBatch(data.records, context.apiVersion, config, now, broker.crc32c)
  if (!isPromise(batch) && partition.idle) return appendFromClient(partition, batch, acks, now)
  return partition.inTurn(batch, (checked) => appendFromClient(partition, checked, acks, now))
}

function appendFromClient(partition: Partition, batch: ClientBatch, acks: Acks, now: number): MaybePromise<AppendInfo> {
  try {
    const info = partition.append(batch.buffers, acks, batch.options)
    return isPromise(info) ? info.catch((error: unknown) => refused(error, partition, batch, now)) : info
  } catch (error) {
    return refused(error, partition, batch, now)
  }
}

function refused(error: unknown, partition: Partition, batch: ClientBatch, now: number): never {
  throw refusal(error, batch, partition.log.config, now)
}

function success(info: AppendInfo, partition: Partition, data: ProducePartitionData): ProducePartitionResponse {
  return {
    index: data.index,
    errorCode: 0,
    baseOffset: toInt64(info.baseOffset),
    logAppendTimeMs: toInt64(info.logAppendTime),
    logStartOffset: toInt64(partition.log.logStartOffset),
    recordErrors: [],
    errorMessage: null,
  }
}

function failure(thrown: unknown, topic: string, data: ProducePartitionData): ProducePartitionResponse {
  const error = placedError(thrown, topic, data.index)
  const part: ProducePartitionResponse = {
    index: data.index,
    errorCode: errorCodeOf(error),
    baseOffset: -1n,
    logAppendTimeMs: -1n,
    logStartOffset: -1n,
    recordErrors: [],
    errorMessage: error.message,
  }
  return withCause(part, error)
}
