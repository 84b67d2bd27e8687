import { connect, type Socket } from 'node:net'
import { onTestFinished } from 'vitest'
import { openEngine } from '../../ts/native/open-engine.js'
import { type ApiKey, apiKey, apis, type RequestOf, type ResponseOf } from '../../ts/protocol/apis.js'
import { readResponse, readResponseHeader, writeRequest } from '../../ts/protocol/codec/frames.js'
import { Reader } from '../../ts/protocol/codec/reader.js'
import { create, type Message } from '../../ts/protocol/schema.js'
import { zeroUuid } from '../../ts/protocol/uuid.js'
import { listen, type RunningServer, type ServerOptions } from '../../ts/server/listen.js'
import { batchOf, LogLines } from '../broker/harness.js'

/** A server on a free port of loopback, closed when the test ends. */
export class TestServer {
  private constructor(
    readonly running: RunningServer,
    readonly log: LogLines,
  ) {}

  static async start(options: Partial<ServerOptions> = {}): Promise<TestServer> {
    const log = new LogLines()
    const listeners = [{ name: 'PLAINTEXT', host: '127.0.0.1', port: 0 }]
    const config = { 'seglog.transfer': process.env.SEGLOG_TRANSFER ?? 'auto', ...options.config }
    const running = await listen({ data: 'memory:', listeners, logger: log, ...options, config })
    onTestFinished(() => running.close(0))
    return new TestServer(running, log)
  }

  get port(): number {
    return this.running.listeners[0].port
  }

  get server() {
    return this.running.server
  }

  /** Messages of the lines of this level. */
  lines(level: 'debug' | 'warn' | 'error'): string[] {
    return this.log.lines.filter((line) => line.level === level).map(({ message }) => message)
  }

  /** Makes a topic of one partition, through a connection of its own. */
  async createTopic(name: string, configs: Record<string, string> = {}): Promise<void> {
    const client = await this.connect()
    const entries = Object.entries(configs).map(([key, value]) => ({ name: key, value }))
    const topic = { name, numPartitions: 1, replicationFactor: 1, assignments: [], configs: entries }
    const { topics } = await client.ask(apiKey.createTopics, { topics: [topic], timeoutMs: 5000 })
    if (topics[0].errorCode !== 0) throw new Error(`${name} was not created: ${topics[0].errorMessage}`)
    client.socket.destroy()
  }

  connect(options: { allowHalfOpen?: boolean; host?: string; port?: number } = {}): Promise<RawClient> {
    const { host = '127.0.0.1', port = this.port, allowHalfOpen = false } = options
    return new Promise((resolve, reject) => {
      const socket = connect({ host, port, allowHalfOpen })
      onTestFinished(() => {
        socket.destroy()
      })
      socket.once('error', reject)
      socket.once('connect', () => {
        socket.off('error', reject)
        resolve(new RawClient(socket))
      })
    })
  }
}

/** One connection, with nothing between the test and its bytes. */
export class RawClient {
  /** Resolves when the other end has closed, cleanly or not. */
  readonly closed: Promise<void>
  isClosed = false
  readonly #waiting: (() => void)[] = []
  #chunks: Buffer[] = []
  #bytes = 0
  #nextId = 1

  constructor(readonly socket: Socket) {
    socket.on('data', (chunk) => {
      this.#chunks.push(chunk)
      this.#bytes += chunk.length
      for (const wake of this.#waiting.splice(0)) wake()
    })
    this.closed = new Promise((resolve) => {
      const ended = () => {
        this.isClosed = true
        for (const wake of this.#waiting.splice(0)) wake()
        resolve()
      }
      socket.on('error', ended)
      socket.on('end', ended)
      socket.on('close', ended)
    })
  }

  /** What came and was not taken yet. */
  get received(): Buffer {
    if (this.#chunks.length > 1) this.#chunks = [Buffer.concat(this.#chunks)]
    return this.#chunks[0] ?? Buffer.alloc(0)
  }

  /** Sends a request, fields that are not given at their defaults; answers its correlation id. */
  send<K extends ApiKey>(key: K, request: Partial<RequestOf<K>> = {}, version = newest(key)): number {
    const id = this.#nextId++
    this.socket.write(frameOf(key, request, version, id))
    return id
  }

  /** The next answer, which must be one to this API and version. */
  async answer<K extends ApiKey>(key: K, version = newest(key)): Promise<{ id: number; response: ResponseOf<K> }> {
    const reader = new Reader(await this.frame())
    const id = readResponseHeader(reader, key, version)
    return { id, response: readResponse(reader, key, version) }
  }

  async ask<K extends ApiKey>(
    key: K,
    request: Partial<RequestOf<K>> = {},
    version = newest(key),
  ): Promise<ResponseOf<K>> {
    this.send(key, request, version)
    return (await this.answer(key, version)).response
  }

  /** The next frame, without its length. */
  async frame(): Promise<Buffer> {
    await this.#until(4)
    const end = 4 + this.received.readInt32BE(0)
    await this.#until(end)
    const { received } = this
    this.#chunks = received.length === end ? [] : [received.subarray(end)]
    this.#bytes -= end
    return received.subarray(4, end)
  }

  async #until(bytes: number): Promise<void> {
    while (this.#bytes < bytes) {
      if (this.isClosed) throw new Error(`the connection ended after ${this.#bytes} further bytes`)
      await new Promise<void>((resolve) => this.#waiting.push(resolve))
    }
  }
}

/** A connection whose client asks for some megabytes of `orders`, which it fills first, and takes nothing of the answer. */
export async function connectAndTakeNothing(server: TestServer): Promise<RawClient> {
  const client = await server.connect()
  const batch = clientBatch(...Array.from({ length: 180 }, () => 'x'.repeat(5000)))
  for (let i = 0; i < 10; i++) await client.ask(apiKey.produce, produceOf('orders', batch), byName.produce)
  client.socket.pause()
  const fetch = fetchOf('orders', 0)
  fetch.topics[0].partitions[0].partitionMaxBytes = 9_000_000
  client.send(apiKey.fetch, fetch, byName.fetch)
  return client
}

export function frameOf<K extends ApiKey>(
  key: K,
  request: Partial<RequestOf<K>> = {},
  version = newest(key),
  correlationId = 1,
): Buffer {
  const table: Message = apis[key].request
  const whole = create(table, request as object) as unknown as RequestOf<K>
  return Buffer.concat(writeRequest(key, version, correlationId, 'test', whole))
}

export function newest(key: ApiKey): number {
  return apis[key].request.lastStable
}

/** Resolves when `isSo` has become true; checked after each turn of the event loop. The test's own timeout bounds it. */
export async function eventually(isSo: () => boolean): Promise<void> {
  while (!isSo()) await new Promise((resolve) => setTimeout(resolve, 5))
}

const crc32c = (bytes: Uint8Array): number => openEngine().crc32c(bytes)

/** A batch as a client sends it, with its checksum. */
export function clientBatch(...values: string[]): Buffer {
  return batchOf(values, { crc32c })
}

/** A produce request of one batch. */
export function produceOf(topic: string, records: Uint8Array | null, acks = 1, partition = 0): RequestOf<0> {
  const topicData = [{ name: topic, topicId: zeroUuid, partitionData: [{ index: partition, records }] }]
  return { transactionalId: null, acks, timeoutMs: 1000, topicData }
}

/** A fetch of one partition. */
export function fetchOf(topic: string, offset: number, wait: { minBytes?: number; maxWaitMs?: number } = {}) {
  const { minBytes = 1, maxWaitMs = 0 } = wait
  const partition = {
    partition: 0,
    currentLeaderEpoch: -1,
    fetchOffset: BigInt(offset),
    lastFetchedEpoch: -1,
    logStartOffset: -1n,
    partitionMaxBytes: 1 << 20,
  }
  const topics = [{ topic, topicId: zeroUuid, partitions: [partition] }]
  return { minBytes, maxWaitMs, maxBytes: 1 << 24, topics } satisfies Partial<RequestOf<1>>
}

/** Versions that find topics by name. */
export const byName = { produce: 12, fetch: 12 } as const
/** Long enough to outlast any test. */
export const forEver = 10 * 60_000
