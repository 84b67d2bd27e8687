import { type AddressInfo, createServer, type Server, type Socket } from 'node:net'
import { onTestFinished } from 'vitest'
import { type ApiKey, apiKey, apis, type RequestOf, type ResponseOf } from '../../ts/protocol/apis.js'
import { readRequest, readRequestHeader, writeResponse } from '../../ts/protocol/codec/frames.js'
import { Reader } from '../../ts/protocol/codec/reader.js'
import { protocolErrors } from '../../ts/protocol/errors.js'
import { create, type Message } from '../../ts/protocol/schema.js'
import { uuidFromHex } from '../../ts/protocol/uuid.js'
import { FrameReader } from '../../ts/transport/frame-reader.js'

/** A request as it came, and the means to answer it in a way of one's own. */
export interface Seen<K extends ApiKey = ApiKey> {
  readonly key: K
  readonly version: number
  readonly clientId: string | null
  readonly request: RequestOf<K>
  /** Counts the connections of this broker. */
  readonly connection: number
  answer(response: Partial<ResponseOf<K>>, correlationId?: number): void
  /** Sends bytes that may be anything. */
  raw(bytes: Uint8Array | string): void
  /** Ends the connection. */
  cut(): void
}

/** What a broker does with a request: an answer, or nothing (it may have used `seen`). */
type Handler<K extends ApiKey> = (seen: Seen<K>) => Partial<ResponseOf<K>> | undefined
export type Handlers = { [K in ApiKey]?: Handler<K> }

interface FakeTopic {
  readonly topicId: string
  /** Leader and epoch of each partition. */
  readonly partitions: { leaderId: number; leaderEpoch: number }[]
}

/** Brokers that know of each other, and of topics and coordinators as the test says. */
export class FakeCluster {
  readonly brokers: FakeBroker[] = []
  readonly topics = new Map<string, FakeTopic>()
  /** Node id by group. */
  coordinator = (_group: string): number => this.brokers[0]!.nodeId
  controllerId = 1

  /** Opens as many brokers, numbered from 1. */
  static async open(count = 1): Promise<FakeCluster> {
    const cluster = new FakeCluster()
    for (let nodeId = 1; nodeId <= count; nodeId++) cluster.brokers.push(await FakeBroker.open(nodeId, cluster))
    return cluster
  }

  get target(): string {
    return `kafka://${this.brokers.map(({ port }) => `127.0.0.1:${port}`).join(',')}`
  }

  /** The broker with this id. */
  node(nodeId: number): FakeBroker {
    return this.brokers.find((broker) => broker.nodeId === nodeId)!
  }

  /** A topic whose partitions are led by these nodes. */
  addTopic(name: string, ...leaders: number[]): void {
    const topicId = uuidFromHex(Buffer.from(name.padEnd(16, '.')).toString('hex'))
    this.topics.set(name, { topicId, partitions: leaders.map((leaderId) => ({ leaderId, leaderEpoch: 0 })) })
  }

  move(topic: string, partition: number, leaderId: number): void {
    const one = this.topics.get(topic)!.partitions[partition]!
    one.leaderId = leaderId
    one.leaderEpoch++
  }

  nameOf(topicId: string): string {
    return [...this.topics].find(([, topic]) => topic.topicId === topicId)?.[0] ?? ''
  }

  metadata({ request }: Seen<3>): ResponseOf<3> {
    const names = request.topics === null ? [...this.topics.keys()] : request.topics.map(({ name }) => name ?? '')
    return {
      throttleTimeMs: 0,
      brokers: this.brokers.map(({ nodeId, port }) => ({ nodeId, host: '127.0.0.1', port, rack: null })),
      clusterId: 'fake',
      controllerId: this.controllerId,
      topics: names.map((name) => this.describe(name)),
      clusterAuthorizedOperations: -0x8000_0000,
      errorCode: 0,
    }
  }

  private describe(name: string): ResponseOf<3>['topics'][number] {
    const topic = this.topics.get(name)
    const nodes = this.brokers.map(({ nodeId }) => nodeId)
    return {
      errorCode: topic === undefined ? protocolErrors.UNKNOWN_TOPIC_OR_PARTITION.code : 0,
      name,
      topicId: topic?.topicId ?? 'AAAAAAAAAAAAAAAAAAAAAA',
      isInternal: false,
      partitions: (topic?.partitions ?? []).map(({ leaderId, leaderEpoch }, partitionIndex) => {
        const replicas = { replicaNodes: nodes, isrNodes: nodes, offlineReplicas: [] }
        return { errorCode: 0, partitionIndex, leaderId, leaderEpoch, ...replicas }
      }),
      topicAuthorizedOperations: -0x8000_0000,
    }
  }

  findCoordinator({ request, version }: Seen<10>): Partial<ResponseOf<10>> {
    const keys = version < 4 ? [request.key] : request.coordinatorKeys
    const found = keys.map((key) => {
      const { nodeId, port } = this.node(this.coordinator(key))
      return { key, nodeId, host: '127.0.0.1', port, errorCode: 0, errorMessage: null }
    })
    return version < 4 ? found[0]! : { coordinators: found }
  }
}

/** A broker on a real socket whose answers are those of a script. */
export class FakeBroker {
  /** Every request but ApiVersions, in order. */
  readonly seen: Seen[] = []
  /** ApiVersions requests by version. */
  readonly negotiations: number[] = []
  handlers: Handlers = {}
  /** The newest version of some APIs, or -1 for an API that is not offered. */
  newest: { [K in ApiKey]?: number } = {}
  private readonly sockets = new Set<Socket>()
  private connectionCount = 0

  private constructor(
    readonly nodeId: number,
    private readonly cluster: FakeCluster,
    private server: Server,
    readonly port: number,
  ) {}

  static async open(nodeId: number, cluster: FakeCluster, port = 0): Promise<FakeBroker> {
    const server = createServer()
    await new Promise<void>((resolve) => server.listen(port, '127.0.0.1', resolve))
    const broker = new FakeBroker(nodeId, cluster, server, (server.address() as AddressInfo).port)
    server.on('connection', (socket) => broker.take(socket))
    onTestFinished(() => broker.stop())
    return broker
  }

  /** Connections that are open. */
  get connections(): number {
    return this.sockets.size
  }

  of<K extends ApiKey>(key: K): Seen<K>[] {
    return this.seen.filter((one) => one.key === key) as unknown as Seen<K>[]
  }

  /** Waits for as many requests of an API. */
  async received<K extends ApiKey>(key: K, count = 1): Promise<Seen<K>[]> {
    while (this.of(key).length < count) await new Promise((resolve) => setTimeout(resolve, 1))
    return this.of(key)
  }

  cutAll(): void {
    for (const socket of this.sockets) socket.destroy()
  }

  /** Takes no more connections, and ends those there are. */
  async stop(): Promise<void> {
    this.cutAll()
    if (this.server.listening) await new Promise((resolve) => this.server.close(resolve))
  }

  async start(): Promise<void> {
    this.server = createServer((socket) => this.take(socket))
    await new Promise<void>((resolve) => this.server.listen(this.port, '127.0.0.1', resolve))
  }

  private take(socket: Socket): void {
    const connection = ++this.connectionCount
    this.sockets.add(socket)
    socket.on('close', () => this.sockets.delete(socket))
    socket.on('error', () => {})
    const frames = new FrameReader(1 << 30, (frame) => this.read(socket, connection, frame))
    socket.on('data', (chunk) => frames.push(chunk))
  }

  private read(socket: Socket, connection: number, frame: Buffer): void {
    const reader = new Reader(frame)
    const { apiKey: key, apiVersion: version, correlationId, clientId } = readRequestHeader(reader)
    if (key === apiKey.apiVersions) {
      this.negotiations.push(version)
      socket.write(Buffer.concat(this.versions(version, correlationId)))
      return
    }
    const known = key as ApiKey
    const request = readRequest(reader, known, version)
    const answer = (response: object, id = correlationId) => {
      const whole = create(apis[known].response as unknown as Message, response)
      socket.write(Buffer.concat(writeResponse(known, version, id, whole as never) as Uint8Array[]))
    }
    const raw = (bytes: Uint8Array | string) => void socket.write(bytes)
    const seen = { key: known, version, clientId, request, connection, answer, raw, cut: () => socket.destroy() }
    this.seen.push(seen as unknown as Seen)
    const response = this.handle(seen as unknown as Seen)
    if (response !== undefined) answer(response)
  }

  private handle(seen: Seen): object | undefined {
    const handler = this.handlers[seen.key] as Handler<ApiKey> | undefined
    if (handler !== undefined) return handler(seen) as object | undefined
    if (seen.key === apiKey.metadata) return this.cluster.metadata(seen as Seen<3>)
    if (seen.key === apiKey.findCoordinator) return this.cluster.findCoordinator(seen as unknown as Seen<10>)
    if (seen.key === apiKey.initProducerId) return { producerId: 7n, producerEpoch: 0 }
    return undefined
  }

  private versions(version: number, correlationId: number): Uint8Array[] {
    const newest = this.newest[apiKey.apiVersions] ?? apis[apiKey.apiVersions].request.versions.to
    const keys = (Object.keys(apis).map(Number) as ApiKey[]).filter((key) => this.newest[key] !== -1)
    const apiKeys = keys.map((key) => {
      const { versions }: Message = apis[key].request
      return { apiKey: key, minVersion: versions.from, maxVersion: this.newest[key] ?? versions.to }
    })
    const isKnown = version <= newest
    const response = isKnown
      ? { errorCode: 0, apiKeys, throttleTimeMs: 0 }
      : { errorCode: protocolErrors.UNSUPPORTED_VERSION.code, apiKeys: [], throttleTimeMs: 0 }
    return writeResponse(apiKey.apiVersions, isKnown ? version : 0, correlationId, response as never) as Uint8Array[]
  }
}
