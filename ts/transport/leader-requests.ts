import { asSeglogError } from '../client/settle-errors.js'
import type { SeglogError } from '../errors/seglog-error.js'
import { type ApiKey, apiKey, type RequestOf, type ResponseOf } from '../protocol/apis.js'
import { causeOf, withCause } from '../protocol/cause.js'
import { protocolErrors } from '../protocol/errors.js'
import type { ProduceRequest, ProduceResponse, ProduceTopicData } from '../protocol/messages/00-produce.js'
import type { FetchRequest, FetchResponse } from '../protocol/messages/01-fetch.js'
import { leaderErrors, unknownTopicErrors } from './answer-errors.js'
import { noNode } from './cluster-view.js'
import { isUnsent } from './connection-error.js'
import { emptyFetch } from './fetch-shape.js'
import { groupedBy } from './grouping.js'
import { noLeader, noSuchPartition, type PartitionApi, type PlacedPart, partitionApis } from './partition-apis.js'
import { failedProduce } from './produce-shape.js'
import type { Attempt, Call } from './repeated-call.js'
import { isRepeatable } from './request-routes.js'
import type { RequestSender } from './request-sender.js'
import type { TcpCluster } from './tcp-cluster.js'

type PartitionKey = keyof typeof partitionApis

/** Attempts after which a topic that no broker knows is believed not to exist. */
const unknownAttemptsMax = 4
const networkError = protocolErrors.NETWORK_EXCEPTION.code

/** A tagged field of an answer that names the leader a partition has now. */
interface LeaderHint {
  readonly leaderId: number
  readonly leaderEpoch: number
}

/** Requests about partitions: each is for the leader to answer, so they are divided among the leaders. */
export class LeaderRequests {
  constructor(
    private readonly cluster: TcpCluster,
    private readonly sender: RequestSender,
  ) {}

  /** The leader of the partition as far as is known; -1 if nothing is. */
  nodeOf(topic: string, partition: number): number {
    return this.cluster.view.leaderOf(topic, partition)
  }

  /**
   * Asks every leader, and those again whose partitions have moved meanwhile. What is not there after all is answered by
   * an error code of its partition.
   */
  async askLeaders<K extends PartitionKey>(key: K, request: RequestOf<K>, call: Call): Promise<ResponseOf<K>> {
    const api = partitionApis[key] as unknown as PartitionApi<RequestOf<K>, ResponseOf<K>, unknown, unknown>
    const whole = api.parts(request)
    const answers = new Array<PlacedPart<unknown>>(whole.length)
    let attempts = 0
    let open = whole.map((_, index) => index)
    await this.sender.repeated<void>(key, call, async () => {
      attempts++
      await this.cluster.locate([...new Set(open.map((index) => whole[index].topic))], call.signal)
      const asked = await this.askOnce(
        key,
        request,
        api,
        open.map((index) => whole[index]),
        call,
      )
      for (let at = 0; at < open.length; at++) answers[open[at]] = asked[at]
      open = open.filter((index) => {
        const { part, topic } = answers[index]
        const lost = causeOf(part as object)
        if (lost !== undefined) return isRepeatable(key) || isUnsent(lost)
        return this.mayChange(api.errorOf(part), topic, attempts)
      })
      return { answer: undefined, again: open.length > 0 } satisfies Attempt<void>
    })
    return api.response(answers)
  }

  /** Batches to the leaders of their partitions; those whose leader is not known fail by themselves. No attempt is repeated. */
  async produce(request: ProduceRequest, call: Call): Promise<ProduceResponse> {
    await this.cluster.locate(
      request.topicData.map(({ name }) => name),
      call.signal,
    )
    const groups = this.byLeader(request.topicData, ({ name }) => name)
    if (groups.size === 1) {
      const [nodeId] = groups.keys()
      return this.produceTo(nodeId, request, call)
    }
    const parts = await Promise.all(
      Array.from(groups, async ([nodeId, topicData]) => {
        const part: ProduceRequest = { ...request, topicData }
        return this.produceTo(nodeId, part, call).catch((thrown) => lostProduce(part, asSeglogError(thrown)))
      }),
    )
    return joinProduce(request, parts)
  }

  /** A fetch to the leader of its first partition; partitions that others lead by now are answered by an error code. */
  async fetch(request: FetchRequest, call: Call): Promise<FetchResponse> {
    await this.cluster.locate(
      request.topics.map(({ topic }) => topic),
      call.signal,
    )
    const { view } = this.cluster
    const first = request.topics[0]
    const nodeId = first === undefined ? noNode : view.leaderOf(first.topic, first.partitions[0]?.partition ?? 0)
    const broker = this.cluster.node(nodeId)
    if (broker === undefined) return this.leaderless(request)
    const topics = request.topics.map((one) => ({
      ...one,
      partitions: one.partitions.map((part) => {
        const currentLeaderEpoch = view.leaderEpochOf(one.topic, part.partition)
        return part.currentLeaderEpoch >= 0 ? part : { ...part, currentLeaderEpoch }
      }),
    }))
    const response = await this.sender.send(broker, apiKey.fetch, { ...request, topics }, call)
    this.addEndpoints(response.nodeEndpoints)
    for (const { topic, partitions } of response.responses) {
      for (const part of partitions) this.heed(topic, part.partitionIndex, part.errorCode, part.currentLeader)
    }
    return response
  }

  private leaderless(request: FetchRequest): FetchResponse {
    for (const { topic } of request.topics) this.cluster.view.doubt(topic)
    const response = emptyFetch(request)
    const responses = response.responses.map(({ topic, topicId, partitions }) => ({
      topic,
      topicId,
      partitions: partitions.map((part) => ({ ...part, errorCode: this.whyLeaderless(topic, part.partitionIndex) })),
    }))
    return { ...response, responses }
  }

  private async produceTo(nodeId: number, request: ProduceRequest, call: Call): Promise<ProduceResponse> {
    const broker = this.cluster.node(nodeId)
    if (broker === undefined) {
      for (const { name } of request.topicData) this.cluster.view.doubt(name)
      const { name, partitionData } = request.topicData[0]
      const code = this.whyLeaderless(name, partitionData[0]?.index ?? 0)
      return failedProduce(request, code, `the leader of ${name} is not known`)
    }
    const response = await this.sender.send(broker, apiKey.produce, request, call)
    this.addEndpoints(response.nodeEndpoints)
    for (const { name, partitionResponses } of response.responses) {
      for (const { index, errorCode, currentLeader } of partitionResponses)
        this.heed(name, index, errorCode, currentLeader)
    }
    return response
  }

  /** One attempt at some partitions; their answers in that order. */
  private async askOnce<K extends PartitionKey>(
    key: K,
    request: RequestOf<K>,
    api: PartitionApi<RequestOf<K>, ResponseOf<K>, unknown, unknown>,
    asked: readonly PlacedPart<unknown>[],
    call: Call,
  ): Promise<PlacedPart<unknown>[]> {
    const found = new Map<string, PlacedPart<unknown>>()
    const groups = groupedBy(asked, ({ topic, partition }) => this.cluster.view.leaderOf(topic, partition))
    const askNode = async (nodeId: number, parts: readonly PlacedPart<unknown>[]) => {
      const broker = this.cluster.node(nodeId)
      if (broker === undefined) return
      try {
        const response = await this.sender.send(broker, key as ApiKey, api.request(request, parts) as never, call)
        for (const answer of api.answers(response as ResponseOf<K>)) {
          found.set(nameOf(answer), answer)
          this.heed(answer.topic, answer.partition, api.errorOf(answer.part))
        }
      } catch (thrown) {
        const error = asSeglogError(thrown)
        if (!error.retriable) throw error
        // What other leaders answer counts all the same.
        for (const { topic, partition } of parts) {
          const part = withCause(api.failed(partition, networkError) as object, error)
          found.set(nameOf({ topic, partition }), { topic, partition, part })
        }
      }
    }
    await Promise.all(Array.from(groups, ([nodeId, parts]) => askNode(nodeId, parts)))
    return asked.map(({ topic, partition }) => {
      const answer = found.get(nameOf({ topic, partition }))
      if (answer !== undefined) return answer
      this.cluster.view.doubt(topic)
      return { topic, partition, part: api.failed(partition, this.whyLeaderless(topic, partition)) }
    })
  }

  private mayChange(errorCode: number, topic: string, attempts: number): boolean {
    if (!leaderErrors.has(errorCode)) return false
    if (!unknownTopicErrors.has(errorCode)) return true
    this.cluster.view.doubt(topic)
    return attempts < unknownAttemptsMax
  }

  private byLeader(topicData: readonly ProduceTopicData[], nameOf: (topic: ProduceTopicData) => string) {
    const groups = new Map<number, ProduceTopicData[]>()
    for (const topic of topicData) {
      const parts = groupedBy(topic.partitionData, ({ index }) => this.cluster.view.leaderOf(nameOf(topic), index))
      for (const [nodeId, partitionData] of parts) {
        const group = groups.get(nodeId)
        if (group === undefined) groups.set(nodeId, [{ ...topic, partitionData }])
        else group.push({ ...topic, partitionData })
      }
    }
    return groups
  }

  private whyLeaderless(topic: string, partition: number): number {
    const { view } = this.cluster
    const code = view.errorOf(topic)
    if (code !== 0) return code
    return view.hasPartition(topic, partition) ? noLeader : noSuchPartition
  }

  /** What an answer says about a partition's leader is taken up: the new one, or that the old one is none. */
  private heed(topic: string, partition: number, errorCode: number, hint?: LeaderHint): void {
    if (errorCode === 0 || !leaderErrors.has(errorCode)) return
    const { view } = this.cluster
    if (hint === undefined || !view.learnLeader(topic, partition, hint.leaderId, hint.leaderEpoch)) view.doubt(topic)
  }

  private addEndpoints(endpoints: readonly { nodeId: number; host: string; port: number }[] = []): void {
    for (const { nodeId, host, port } of endpoints) this.cluster.view.addBroker(nodeId, { host, port })
  }
}

function nameOf({ topic, partition }: { topic: string; partition: number }): string {
  return `${partition} ${topic}`
}

function lostProduce(request: ProduceRequest, error: SeglogError): ProduceResponse {
  const failed = failedProduce(request, networkError, error.message)
  for (const { partitionResponses } of failed.responses) for (const part of partitionResponses) withCause(part, error)
  return failed
}

/** The answers of several leaders as one, in the order of the request. */
function joinProduce(request: ProduceRequest, answers: readonly ProduceResponse[]): ProduceResponse {
  const parts = new Map(
    answers.flatMap(({ responses }) =>
      responses.flatMap(({ name, partitionResponses }) =>
        partitionResponses.map((part) => [nameOf({ topic: name, partition: part.index }), part] as const),
      ),
    ),
  )
  const responses = request.topicData.map(({ name, topicId, partitionData }) => ({
    name,
    topicId,
    partitionResponses: partitionData.map(({ index }) => parts.get(nameOf({ topic: name, partition: index }))!),
  }))
  return { responses, throttleTimeMs: Math.max(...answers.map(({ throttleTimeMs }) => throttleTimeMs)) }
}
