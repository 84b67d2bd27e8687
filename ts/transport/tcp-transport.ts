import type { BackOffTimes } from '../client/back-off.js'
import { asSeglogError } from '../client/settle-errors.js'
import type { RequestOptions, Transport } from '../client/transport.js'
import { SeglogError } from '../errors/seglog-error.js'
import { type Logger, silentLogger } from '../log/logger.js'
import { type ApiKey, apiKey, type RequestOf, type ResponseOf } from '../protocol/apis.js'
import { protocolError } from '../protocol/errors.js'
import type { Crc32c } from '../records/message.js'
import { controllerMoved, hasError } from './answer-errors.js'
import { noNode } from './cluster-view.js'
import { unsentError } from './connection-error.js'
import { CoordinatorCache } from './coordinator-cache.js'
import { CoordinatorRequests } from './coordinator-requests.js'
import { emptyFetch } from './fetch-shape.js'
import { LeaderRequests } from './leader-requests.js'
import { Pauses } from './pauses.js'
import type { Call } from './repeated-call.js'
import { routeOf } from './request-routes.js'
import { RequestSender } from './request-sender.js'
import { brokerWaitMs } from './request-waits.js'
import { byAnswerer, isResourceKey, joinResources, type ResourceKey } from './resource-requests.js'
import { stampCrcs } from './stamp-crcs.js'
import type { Address } from './tcp-address.js'
import type { TcpBroker } from './tcp-broker.js'
import { TcpCluster } from './tcp-cluster.js'
import type { TcpSettings } from './tcp-settings.js'
import { TopicChanges } from './topic-changes.js'

/**
 * Speaks to a Kafka cluster over TCP: each request goes to the broker that can answer it (partition leader, coordinator,
 * controller), found as it is needed and looked up again when it has moved. What is safe to make again is, after growing
 * pauses and for as long as `apiTimeout` says; Produce and Fetch are left to the client, which knows their order.
 *
 * Requests of one kind to one broker take effect in the order they were made.
 */
export class TcpTransport implements Transport {
  readonly isRemote = true
  readonly backOff: BackOffTimes
  private readonly pauses = new Pauses()
  private readonly cluster: TcpCluster
  private readonly sender: RequestSender
  private readonly leaders: LeaderRequests
  private readonly coordinators: CoordinatorRequests
  private readonly topicChanges: TopicChanges
  private isClosed = false

  private constructor(
    addresses: readonly Address[],
    private readonly settings: TcpSettings,
    private readonly crc32c: Crc32c,
    logger: Logger,
  ) {
    this.backOff = settings.backOff
    this.cluster = new TcpCluster(addresses, settings, this.pauses, logger)
    this.sender = new RequestSender(settings, this.pauses)
    this.leaders = new LeaderRequests(this.cluster, this.sender)
    this.topicChanges = new TopicChanges(this.cluster, this.sender, this.pauses)
    const cache = new CoordinatorCache(this.cluster, settings)
    this.coordinators = new CoordinatorRequests(this.cluster, cache, this.sender)
  }

  /**
   * Connects to the first of the brokers that answers. Rejects with BROKER_NOT_AVAILABLE (retriable) if none does, with
   * MALFORMED_MESSAGE or UNSUPPORTED if what answers is no Kafka broker this client can speak to, with ABORTED.
   */
  static async open(
    addresses: readonly Address[],
    settings: TcpSettings,
    crc32c: Crc32c,
    { logger = silentLogger, signal }: { logger?: Logger; signal?: AbortSignal } = {},
  ): Promise<TcpTransport> {
    const transport = new TcpTransport(addresses, settings, crc32c, logger)
    try {
      await transport.cluster.connect(signal)
      return transport
    } catch (error) {
      await transport.close()
      throw error
    }
  }

  async request<K extends ApiKey>(key: K, request: RequestOf<K>, options: RequestOptions = {}): Promise<ResponseOf<K>> {
    if (this.isClosed) throw closedError()
    const call = this.callFor(key, request, options)
    const answer = await this.answer(key, request, call)
    if ((key as ApiKey) === apiKey.metadata) {
      this.cluster.view.learn(answer as ResponseOf<3>, (request as RequestOf<3>).topics)
    }
    return answer
  }

  nodeOf(topic: string, partition: number): number {
    return this.leaders.nodeOf(topic, partition)
  }

  /** Ends every connection; what is under way fails with CLOSED. Idempotent. */
  async close(): Promise<void> {
    if (this.isClosed) return
    this.isClosed = true
    this.pauses.close()
    this.cluster.close()
  }

  private answer<K extends ApiKey>(key: K, request: RequestOf<K>, call: Call): Promise<ResponseOf<K>> {
    if ((key as ApiKey) === apiKey.produce) return this.produce(request as RequestOf<0>, call) as Promise<ResponseOf<K>>
    if ((key as ApiKey) === apiKey.fetch) return this.fetch(request as RequestOf<1>, call) as Promise<ResponseOf<K>>
    if (isResourceKey(key)) return this.askResources(key, request as never, call) as unknown as Promise<ResponseOf<K>>
    const route = routeOf(key, request)
    switch (route.to) {
      case 'leaders':
        return this.leaders.askLeaders(key as never, request as never, call) as Promise<ResponseOf<K>>
      case 'coordinator':
        return this.coordinators.ask(route.kind, route.key, key, request, call)
      case 'coordinators':
        return this.coordinators.askEach(key as never, request as never, call) as Promise<ResponseOf<K>>
      case 'controller':
        return this.askController(key, request, call)
      case 'all':
        return this.askAll(key, request, call)
      default:
        return this.ask(key, request, call, () => this.cluster.any())
    }
  }

  private produce(request: RequestOf<0>, call: Call): Promise<ResponseOf<0>> {
    stampCrcs(request, this.crc32c)
    return this.leaders.produce(request, call)
  }

  /** A fetch whose wait is ended early has found nothing so far. */
  private async fetch(request: RequestOf<1>, call: Call): Promise<ResponseOf<1>> {
    try {
      return await this.leaders.fetch(request, call)
    } catch (error) {
      if (call.signal?.aborted && asSeglogError(error).code === 'ABORTED') return emptyFetch(request)
      throw error
    }
  }

  private ask<K extends ApiKey>(
    key: K,
    request: RequestOf<K>,
    call: Call,
    choose: () => TcpBroker,
  ): Promise<ResponseOf<K>> {
    return this.sender.repeated(key, call, async () => {
      return { answer: await this.sender.send(choose(), key, request, call), again: false }
    })
  }

  private async askController<K extends ApiKey>(key: K, request: RequestOf<K>, call: Call): Promise<ResponseOf<K>> {
    const { view } = this.cluster
    const answer = await this.sender.repeated(key, call, async () => {
      const broker = await this.controller()
      const answer = await this.sender.send(broker, key, request, call)
      const again = hasError(answer, controllerMoved)
      if (again) view.controllerId = noNode
      return { answer, again }
    })
    await this.topicChanges.settle(key, request, answer, call)
    return answer
  }

  private async controller(): Promise<TcpBroker> {
    const { view } = this.cluster
    try {
      let broker = this.cluster.node(view.controllerId)
      if (broker === undefined || broker.isFailing) {
        await this.cluster.refresh([])
        broker = this.cluster.node(view.controllerId)
      }
      if (broker !== undefined) return broker
      throw protocolError('NOT_CONTROLLER', 'the cluster has no controller at the moment')
    } catch (error) {
      throw unsentError(asSeglogError(error))
    }
  }

  private async askAll<K extends ApiKey>(key: K, request: RequestOf<K>, call: Call): Promise<ResponseOf<K>> {
    const brokers = this.cluster.all()
    const answers = await Promise.all(brokers.map((broker) => this.ask(key, request, call, () => broker)))
    const parts = answers as unknown as readonly ResponseOf<typeof apiKey.listGroups>[]
    const failed = parts.find(({ errorCode }) => errorCode !== 0)
    const groups = parts.flatMap((part) => part.groups)
    return { throttleTimeMs: 0, errorCode: failed?.errorCode ?? 0, groups } as unknown as ResponseOf<K>
  }

  private async askResources<K extends ResourceKey>(key: K, request: RequestOf<K>, call: Call): Promise<ResponseOf<K>> {
    const asked = Array.from(byAnswerer<K>(request), ([nodeId, part]) => {
      return this.ask(key, part, call, () => (nodeId === null ? this.cluster.any() : this.ownBroker(nodeId)))
    })
    return joinResources<K>(request, await Promise.all(asked))
  }

  private ownBroker(nodeId: number): TcpBroker {
    const broker = this.cluster.node(nodeId)
    if (broker !== undefined) return broker
    const ids = [...this.cluster.view.brokers.keys()].join(', ')
    throw protocolError('INVALID_REQUEST', `the cluster has no broker ${nodeId}; its brokers are ${ids}`)
  }

  private callFor<K extends ApiKey>(key: K, request: RequestOf<K>, options: RequestOptions): Call {
    const { clientId, signal, timeoutMs } = options
    const longest = timeoutMs ?? Math.max(this.settings.apiTimeout, 2 * brokerWaitMs(key, request))
    return { clientId: clientId ?? this.settings.clientId, deadlineMs: performance.now() + longest, signal }
  }
}

function closedError(): SeglogError {
  return new SeglogError('CLOSED', 'the connection to the brokers was closed: open it again')
}
