import { stackless } from '../../errors/stackless.js'
import { isPromise, type MaybePromise } from '../../log/maybe-promise.js'
import { apiKey } from '../../protocol/apis.js'
import { withCause } from '../../protocol/cause.js'
import { toInt64 } from '../../protocol/codec/int64.js'
import { protocolError, protocolErrors } from '../../protocol/errors.js'
import { type FileRegion, isFileRegion } from '../../protocol/file-region.js'
import type {
  FetchPartition,
  FetchPartitionResponse,
  FetchRequest,
  FetchResponse,
  FetchTopicResponse,
} from '../../protocol/messages/01-fetch.js'
import type { BrokerState } from '../broker-state.js'
import { errorCodeOf, placedError } from '../error-codes.js'
import type { SessionFetch } from '../fetch-sessions.js'
import { checkLeaderEpoch } from '../leader-epoch.js'
import type { Partition } from '../partition.js'
import type { Pace, RequestContext } from '../request-context.js'
import { thisNode } from '../this-node.js'
import { apiHandler } from './api-handler.js'
import { describePartition } from './describe-partition.js'
import { paceFor } from './in-turns.js'

type FetchTopic = FetchRequest['topics'][number]

/**
 * Versions 4-18. Partitions are read in the request's order until `maxBytes` are together; the first batch found is
 * given whole, whatever its size. With less than `minBytes` the request waits, up to `maxWaitMs`, and is woken by the
 * append; errors and divergence are answered at once, as is a request without partitions, by which the Java client ends
 * its session. Answers without a promise when the page cache had everything. In a fetch session (KIP-227) requests name
 * what changes in what is asked, and answers name the partitions that have news. Who says to be a replica is told that it
 * is none of the partition's; who has the leader wrong is told who it is (version 16).
 *
 * Not done: transactions.
 */
export const fetch = apiHandler(apiKey.fetch, '4-18', (broker, request, context) => {
  const begun = broker.fetchSessions.begin(withoutRepeats(broker, request), context.apiVersion >= topicIdsSince)
  if (typeof begun === 'number') return failed(begun)
  const pace = paceFor(context, partitionsOf(begun.request))
  const round = new FetchRound(broker, begun.request, context, pace)
  const read = pace === undefined ? round.read() : pace.next().then(() => round.read())
  const response = isPromise(read) ? read.then(() => answerOrWait(round, context)) : answerOrWait(round, context)
  return isPromise(response) ? response.then((settled) => inSession(begun, settled)) : inSession(begun, response)
})

const topicIdsSince = 13
/** From here on an answer names the leader where the request had it wrong, and where to find it. */
const leaderHintsSince = 16
const leaderErrors: ReadonlySet<string> = new Set(['NOT_LEADER_OR_FOLLOWER', 'FENCED_LEADER_EPOCH'])

function partitionsOf({ topics }: FetchRequest): number {
  let sum = 0
  for (const { partitions } of topics) sum += partitions.length
  return sum
}

function inSession(fetching: SessionFetch, response: FetchResponse): FetchResponse {
  if (!fetching.isStale()) return fetching.answer(response)
  releaseRecords(response)
  return failed(protocolErrors.INVALID_FETCH_SESSION_EPOCH.code)
}

function failed(errorCode: number): FetchResponse {
  return { throttleTimeMs: 0, errorCode, sessionId: 0, responses: [] }
}

/** Gives up the files behind records that will not be sent. */
function releaseRecords({ responses }: FetchResponse): void {
  for (const { partitions } of responses) {
    for (const { records } of partitions) if (records !== null && isFileRegion(records)) records.release()
  }
}

function answerOrWait(round: FetchRound, context: RequestContext): MaybePromise<FetchResponse> {
  const { broker, request } = round
  const { partitions, startBytes } = round
  const missingBytes = request.minBytes - round.bytes
  const canCome = partitions.length > 0 && missingBytes > 0
  if (!canCome || round.urgent || request.maxWaitMs <= 0 || context.signal?.aborted) return round.response
  const { maxWaitMs: waitMs } = request
  releaseRecords(round.response)
  return broker.waitingFetches
    .wait({ partitions, startBytes, missingBytes, waitMs, signal: context.signal })
    .then(async () => {
      const again = new FetchRound(broker, request, context, round.pace)
      await again.read()
      return again.response
    })
}

/**
 * The request with each topic and partition once, as Kafka takes it. Only where more are named than there are is there
 * anything to look for.
 */
function withoutRepeats(broker: BrokerState, request: FetchRequest): FetchRequest {
  const { topics } = broker
  const countOf = ({ topic, topicId }: FetchTopic) => topics.find(topic, topicId)?.record.partitions ?? 0
  const isLong = request.topics.length > topics.count
  if (!isLong && !request.topics.some((asked) => asked.partitions.length > Math.max(1, countOf(asked)))) return request
  const once = new Map<string, { asked: FetchTopic; partitions: Map<number, FetchPartition> }>()
  for (const asked of request.topics) {
    const key = `${asked.topicId}${asked.topic}`
    const entry = once.get(key) ?? { asked, partitions: new Map() }
    once.set(key, entry)
    for (const one of asked.partitions) entry.partitions.set(one.partition, one)
  }
  const merged = Array.from(once.values(), ({ asked, partitions }) => ({
    ...asked,
    partitions: [...partitions.values()],
  }))
  return { ...request, topics: merged }
}

type Stored = Uint8Array | FileRegion

/** One pass over the partitions of a fetch. */
class FetchRound {
  readonly broker: BrokerState
  readonly request: FetchRequest
  readonly response: FetchResponse
  /** Those found; the ones to wait for. */
  readonly partitions: Partition[] = []
  /** Appended to them before they were read. */
  startBytes = 0
  /** Record bytes found. */
  bytes = 0
  /** Something other than "not enough yet" is to be said. */
  urgent = false
  readonly pace: Pace | undefined
  readonly #context: RequestContext
  readonly #isFromReplica: boolean
  readonly #maxBytes: number
  readonly #regions: boolean
  /** Bytes of records that may yet be answered from memory, where regions are taken. */
  #copiedMaxBytes: number

  constructor(broker: BrokerState, request: FetchRequest, context: RequestContext, pace: Pace | undefined) {
    this.broker = broker
    this.request = request
    this.response = { throttleTimeMs: 0, errorCode: 0, sessionId: 0, responses: [] }
    this.#context = context
    this.#isFromReplica = Math.max(request.replicaId, request.replicaState?.replicaId ?? -1) >= 0
    this.#regions = context.regions === true
    this.pace = pace
    this.#copiedMaxBytes = context.copiedBytes ?? Number.POSITIVE_INFINITY
    this.#maxBytes = Math.min(request.maxBytes, broker.config.number('fetch.max.bytes'))
  }

  /** Reads until done; a promise only if a partition must be opened or the disk be read. */
  read(): MaybePromise<void> {
    return this.#readFrom(0, 0)
  }

  /** In order, since each partition's share depends on what those before it took. */
  #readFrom(topicIndex: number, partitionIndex: number): MaybePromise<void> {
    const { topics } = this.request
    for (let t = topicIndex; t < topics.length; t++) {
      const asked = topics[t]
      const topic = this.broker.topics.find(asked.topic, asked.topicId)
      const name = topic?.name ?? asked.topic
      const parts = this.#partsOf(t, name, topic?.record.id ?? asked.topicId)
      for (let p = t === topicIndex ? partitionIndex : 0; p < asked.partitions.length; p++) {
        const part = this.#readPartition(name, asked.topic, asked.topicId, asked.partitions[p])
        if (isPromise(part)) {
          return this.#readBehind(part, parts, t, p + 1)
        }
        parts.push(part)
        if (this.pace?.isDue()) return this.pace.next().then(() => this.#readFrom(t, p + 1))
      }
    }
  }

  #readBehind(
    part: Promise<FetchPartitionResponse>,
    parts: FetchPartitionResponse[],
    topicIndex: number,
    partitionIndex: number,
  ): Promise<void> {
    return part.then((settled) => {
      parts.push(settled)
      return this.#readFrom(topicIndex, partitionIndex)
    })
  }

  #partsOf(index: number, topic: string, topicId: string): FetchPartitionResponse[] {
    const responses = this.response.responses as FetchTopicResponse[]
    if (index === responses.length) responses.push({ topic, topicId, partitions: [] })
    return responses[index].partitions as FetchPartitionResponse[]
  }

  /** Never throws or rejects: what goes wrong is in the answer. */
  #readPartition(
    name: string,
    askedName: string,
    id: string,
    asked: FetchPartition,
  ): MaybePromise<FetchPartitionResponse> {
    try {
      const topics = this.broker.topics
      const partition = topics.partition(topics.get(askedName, id), asked.partition)
      const part = isPromise(partition)
        ? partition.then((opened) => this.#readOpen(opened, asked))
        : this.#readOpen(partition, asked)
      return isPromise(part) ? this.#orFailure(part, name, asked) : part
    } catch (error) {
      return this.#failure(error, name, asked)
    }
  }

  #orFailure(
    part: Promise<FetchPartitionResponse>,
    name: string,
    asked: FetchPartition,
  ): Promise<FetchPartitionResponse> {
    return part.catch((error: unknown) => this.#failure(error, name, asked))
  }

  #readOpen(partition: Partition, asked: FetchPartition): MaybePromise<FetchPartitionResponse> {
    this.partitions.push(partition)
    this.startBytes += partition.appendedBytes
    const { log } = partition
    checkLeaderEpoch(log, asked.currentLeaderEpoch)
    if (this.#isFromReplica) throw noReplica(partition, asked.currentLeaderEpoch)
    const offset = Number(asked.fetchOffset)
    const diverging = asked.lastFetchedEpoch < 0 ? null : divergence(partition, asked.lastFetchedEpoch, offset)
    if (diverging !== null) {
      this.urgent = true
      return { ...this.#part(partition, asked, noRecords), divergingEpoch: diverging }
    }
    const limit = this.request.isolationLevel === 0 ? partition.highWatermark : partition.lastStableOffset
    if (offset < log.logStartOffset || offset > log.logEndOffset) throw outOfRange(partition, asked.fetchOffset)
    const room = this.#maxBytes - this.bytes
    if (offset >= limit || (room <= 0 && this.bytes > 0)) return this.#part(partition, asked, noRecords)
    const records = this.#records(partition, offset, Math.min(room, asked.partitionMaxBytes), limit)
    return isPromise(records) ? this.#partOf(partition, asked, records) : this.#part(partition, asked, records)
  }

  #records({ log }: Partition, offset: number, maxBytes: number, limit: number): MaybePromise<Stored> {
    if (this.#regions) return log.readStored(offset, maxBytes, limit, this.#copiedMaxBytes)
    const read = log.read(offset, maxBytes, limit)
    return isPromise(read) ? read.then(({ batches }) => batches) : read.batches
  }

  async #partOf(
    partition: Partition,
    asked: FetchPartition,
    records: Promise<Stored>,
  ): Promise<FetchPartitionResponse> {
    return this.#part(partition, asked, await records)
  }

  #part(partition: Partition, asked: FetchPartition, records: Stored): FetchPartitionResponse {
    this.bytes += records.length
    if (!isFileRegion(records)) this.#copiedMaxBytes -= records.length
    return {
      partitionIndex: asked.partition,
      errorCode: 0,
      highWatermark: toInt64(partition.highWatermark),
      lastStableOffset: toInt64(partition.lastStableOffset),
      logStartOffset: toInt64(partition.log.logStartOffset),
      abortedTransactions: this.request.isolationLevel === 0 ? null : [],
      preferredReadReplica: -1,
      records,
    }
  }

  #failure(thrown: unknown, topic: string, asked: FetchPartition): FetchPartitionResponse {
    this.urgent = true
    const error = placedError(thrown, topic, asked.partition)
    const part: FetchPartitionResponse = {
      partitionIndex: asked.partition,
      errorCode: errorCodeOf(error),
      highWatermark: -1n,
      lastStableOffset: -1n,
      logStartOffset: -1n,
      abortedTransactions: null,
      preferredReadReplica: -1,
      records: noRecords,
    }
    if (this.#context.apiVersion >= leaderHintsSince && leaderErrors.has(error.code)) this.#nameLeader(topic, part)
    return withCause(part, error)
  }

  /** The leader is this node, in an epoch that the request did not have. */
  #nameLeader(name: string, part: FetchPartitionResponse): void {
    const { broker, response } = this
    const topic = broker.topics.byName(name)
    if (topic === undefined) return
    const { leaderId, leaderEpoch } = describePartition(broker, topic, part.partitionIndex)
    part.currentLeader = { leaderId, leaderEpoch }
    // A replica would know its brokers.
    if (this.#isFromReplica) return
    response.nodeEndpoints ??= [{ nodeId: leaderId, ...thisNode(broker, this.#context) }]
  }
}

const noRecords = Buffer.alloc(0)

/** Where a reader's history parts from ours, if it does; null if its last record is ours too. */
function divergence(
  partition: Partition,
  lastFetchedEpoch: number,
  offset: number,
): { epoch: number; endOffset: bigint } | null {
  const end = partition.log.endOffsetForEpoch(lastFetchedEpoch)
  if (end === null) throw outOfRange(partition, BigInt(offset))
  if (end.epoch >= lastFetchedEpoch && end.endOffset >= offset) return null
  return { epoch: end.epoch, endOffset: BigInt(end.endOffset) }
}

/** As in Kafka: with a leader epoch, which is right, the follower may know more than this leader of who is a replica. */
function noReplica({ log }: Partition, epoch: number): Error {
  const { topic, partition } = log
  const name = epoch >= 0 ? 'UNKNOWN_LEADER_EPOCH' : 'NOT_LEADER_OR_FOLLOWER'
  const message = `${topic}-${partition} has no replica but the one of this node, which nobody follows`
  return stackless(() => protocolError(name, message, { topic, partition }))
}

function outOfRange({ log }: Partition, offset: bigint): Error {
  const message = `offset ${offset} of ${log.topic}-${log.partition} is outside its log (${log.logStartOffset} to ${log.logEndOffset}); seek to one within`
  const { topic, partition } = log
  return stackless(() => protocolError('OFFSET_OUT_OF_RANGE', message, { topic, partition, offset }))
}
