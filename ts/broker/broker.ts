import { SeglogError } from '../errors/seglog-error.js'
import { LogDirectory } from '../log/log-directory.js'
import { type Clock, type Logger, silentLogger } from '../log/logger.js'
import { isPromise, type MaybePromise } from '../log/maybe-promise.js'
import type { Engine } from '../native/engine.js'
import { openEngine } from '../native/open-engine.js'
import type { ApiKey, RequestOf, ResponseOf } from '../protocol/apis.js'
import { protocolError } from '../protocol/errors.js'
import { covers } from '../protocol/schema.js'
import { adoptFolders } from './adopt-folders.js'
import { handlers } from './api/handlers.js'
import { offeredApis } from './api/offered-apis.js'
import { BrokerConfig } from './broker-config.js'
import type { BrokerState, Endpoint } from './broker-state.js'
import { DynamicConfigs } from './dynamic-configs.js'
import { FetchSessions } from './fetch-sessions.js'
import { GroupConfigs } from './group-configs.js'
import { GroupCoordinator } from './groups/group-coordinator.js'
import { groupLag, type PartitionLag } from './groups/group-lag.js'
import { type MemoryDirectory, makeMemoryDirectory, memoryTarget } from './memory-directory.js'
import { ProducerIds } from './producer-ids.js'
import type { RequestContext } from './request-context.js'
import { loopTimers, type Timers } from './timers.js'
import { TopicStore } from './topic-store.js'
import { Topics } from './topics.js'
import { WaitingFetches } from './waiting-fetches.js'

export interface BrokerOptions {
  /** Broker configs by Kafka's keys (`num.partitions`, `auto.create.topics.enable`, `log.segment.bytes`, ...). */
  config?: Readonly<Record<string, string | number | boolean>>
  logger?: Logger
  /** Read a directory that may be open for writing elsewhere; every write answers READ_ONLY. */
  readOnly?: boolean
  /** Create the directory if it does not exist (default true; never with readOnly). */
  create?: boolean
  /** For a new directory (default: a random one); one that has an id keeps it. */
  clusterId?: string
  /** Gives up opening. */
  signal?: AbortSignal
  clock?: Clock
  /** For sessions and rebalances of groups; tests drive their own. */
  timers?: Timers
  /** Where the sender of a request finds this broker; in-process nobody asks. */
  endpoint?: (context: RequestContext) => Endpoint
  /** Default: the engine of this process. */
  engine?: Engine
}

/**
 * A Kafka broker without sockets: a data directory, its topics and partitions, and one handler per API. The in-process
 * transport and the TCP server both call `handle`.
 */
export class Broker {
  readonly #state: BrokerState
  readonly #store: TopicStore
  readonly #memory: MemoryDirectory | null
  /** Requests answered by a promise that has not settled. */
  #running = 0
  #whenIdle: (() => void) | null = null
  #closing: Promise<void> | null = null

  private constructor(state: BrokerState, store: TopicStore, memory: MemoryDirectory | null) {
    this.#state = state
    this.#store = store
    this.#memory = memory
  }

  /**
   * Opens a data directory, or `memory:` for one in memory that is removed on close. Throws DIRECTORY_IN_USE,
   * NOT_A_DIRECTORY, ACCESS_DENIED, FILE_NOT_FOUND, CORRUPT_METADATA, UNKNOWN_CONFIG, INVALID_CONFIG, ABORTED.
   */
  static async open(target: string, options: BrokerOptions = {}): Promise<Broker> {
    const { logger = silentLogger, signal } = options
    checkSignal(signal, target)
    const inMemory = target === memoryTarget
    const config = new BrokerConfig(inMemory ? { 'log.write.caching': true, ...options.config } : options.config)
    const engine = options.engine ?? openEngine()
    const memory = inMemory ? makeMemoryDirectory(logger) : null
    try {
      const journalBytes = inMemory ? 0 : config.number('seglog.journal.max.bytes')
      const logs = await openLogs(engine, memory?.path ?? target, config, journalBytes, options)
      try {
        const broker = await Broker.#assemble(engine, logs, config, memory, options)
        checkSignal(signal, target)
        return broker
      } catch (error) {
        await logs.close().catch(() => {})
        throw error
      }
    } catch (error) {
      memory?.remove()
      throw error
    }
  }

  static async #assemble(
    engine: Engine,
    logs: LogDirectory,
    config: BrokerConfig,
    memory: MemoryDirectory | null,
    options: BrokerOptions,
  ): Promise<Broker> {
    const { logger = silentLogger, clock = Date.now } = options
    const store = await TopicStore.open(logs.files)
    await adoptFolders(store, logs, config, logger)
    const nodeId = logs.nodeId ?? config.nodeId
    config.settle({ 'node.id': String(nodeId), 'log.dirs': logs.path })
    const dynamicConfigs = new DynamicConfigs(store, config, nodeId, logger)
    const topics = new Topics(store, logs, config, logger)
    if (!logs.readOnly) await topics.finishDeletions()
    logs.onOffline = (err) =>
      logger.error({ err, path: logs.path }, 'the log directory is offline: reads go on, writes fail')
    const crc32c = (bytes: Uint8Array) => engine.crc32c(bytes)
    const groupConfigs = new GroupConfigs(store, config)
    const ground = { config, groupConfigs, topics, logs, clock, logger, crc32c }
    const state: BrokerState = {
      ...ground,
      dynamicConfigs,
      groups: new GroupCoordinator(ground, options.timers ?? loopTimers),
      producerIds: new ProducerIds(store),
      waitingFetches: new WaitingFetches(),
      fetchSessions: new FetchSessions(() => config.number('max.incremental.fetch.session.cache.slots'), clock),
      nodeId,
      clusterId: logs.clusterId ?? '',
      offered: offeredApis(),
      endpoint: options.endpoint ?? (() => ({ host: 'localhost', port: 0 })),
    }
    return new Broker(state, store, memory)
  }

  /** The data directory. */
  get path(): string {
    return this.#state.logs.path
  }

  get readOnly(): boolean {
    return this.#state.logs.readOnly
  }

  /** Another process writes here while this one reads. */
  get live(): boolean {
    return this.#state.logs.live
  }

  /** The configs it was opened with. */
  get config(): BrokerConfig {
    return this.#state.config
  }

  /** Empty for a read-only directory without `meta.properties`. */
  get clusterId(): string {
    return this.#state.clusterId
  }

  get nodeId(): number {
    return this.#state.nodeId
  }

  /** A disk error took the directory offline: writes fail, reads go on. */
  get offline(): boolean {
    return this.#state.logs.offline
  }

  /**
   * Answers one request. Errors of a topic or partition are codes in the response (their full error by `causeOf`);
   * throws CLOSED after close, UNSUPPORTED_VERSION for a version the API does not have.
   *
   * Topics are found by `topicId` where it is not the zero uuid, else by name; responses carry both.
   */
  handle<K extends ApiKey>(key: K, request: RequestOf<K>, context: RequestContext): MaybePromise<ResponseOf<K>> {
    this.#checkOpen()
    const { versions, handle } = handlers[key]
    if (!covers(versions, context.apiVersion)) {
      const offered = `${versions.from} to ${versions.to}`
      throw protocolError('UNSUPPORTED_VERSION', `API ${key} has versions ${offered}, not ${context.apiVersion}`)
    }
    const response = handle(this.#state, request, context)
    return isPromise(response) ? this.#run(response) : response
  }

  /**
   * How far a group is behind, in each partition it has or committed an offset for. Rejects with GROUP_ID_NOT_FOUND;
   * CLOSED after close.
   */
  groupLag(groupId: string): Promise<PartitionLag[]> {
    return this.#run(this.#groupLag(groupId))
  }

  /**
   * Before a close, while there still are connections: answers whoever waits, fetches with what is there, members of groups
   * with NOT_COORDINATOR, so that clients go on elsewhere or come back. Groups are not served any more. Idempotent.
   */
  retire(): void {
    this.#state.waitingFetches.close()
    this.#state.groups.close()
  }

  /**
   * Wakes waiting fetches with what is there, finishes what runs, closes every log. Idempotent. Rejects with the first
   * failure of a log; the directory is released all the same.
   */
  close(): Promise<void> {
    this.#closing ??= this.#close()
    return this.#closing
  }

  async #groupLag(groupId: string): Promise<PartitionLag[]> {
    this.#checkOpen()
    const group = await this.#state.groups.loaded(groupId)
    if (group === undefined) throw protocolError('GROUP_ID_NOT_FOUND', `group ${groupId} does not exist`)
    return groupLag(this.#state, group)
  }

  #checkOpen(): void {
    if (this.#closing === null) return
    throw new SeglogError('CLOSED', `${this.path} is closed; open it again`, { path: this.path })
  }

  /** Close waits for what is answered by a promise. */
  #run<T>(response: Promise<T>): Promise<T> {
    this.#running++
    response.then(this.#settled, this.#settled)
    return response
  }

  readonly #settled = (): void => {
    if (--this.#running === 0) this.#whenIdle?.()
  }

  async #close(): Promise<void> {
    this.retire()
    if (this.#running > 0) {
      await new Promise<void>((resolve) => {
        this.#whenIdle = resolve
      })
    }
    await this.#state.groups.settled()
    await this.#store.settled()
    try {
      await this.#state.logs.close()
    } finally {
      this.#memory?.remove()
    }
  }
}

function openLogs(
  engine: Engine,
  path: string,
  config: BrokerConfig,
  journalBytes: number,
  options: BrokerOptions,
): Promise<LogDirectory> {
  const { readOnly = false, create = !readOnly, clusterId, logger, clock } = options
  return LogDirectory.open(engine, path, {
    readOnly,
    create,
    clusterId,
    nodeId: config.nodeId,
    logger,
    clock,
    journalBytes,
    producerIdExpirationMs: () => config.number('producer.id.expiration.ms'),
  })
}

function checkSignal(signal: AbortSignal | undefined, target: string): void {
  if (signal?.aborted) throw new SeglogError('ABORTED', `opening ${target} was aborted`, { cause: signal.reason })
}
