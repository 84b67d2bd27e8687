import { asSeglogError } from '../client/settle-errors.js'
import { SeglogError } from '../errors/seglog-error.js'
import type { Logger } from '../log/logger.js'
import { apiKey } from '../protocol/apis.js'
import { zeroUuid } from '../protocol/uuid.js'
import type { ConnectionSource } from './broker-door.js'
import { ClusterView } from './cluster-view.js'
import { unsentError } from './connection-error.js'
import type { Pauses } from './pauses.js'
import { RefreshPacing } from './refresh-pacing.js'
import { type Address, addressName } from './tcp-address.js'
import { TcpBroker } from './tcp-broker.js'
import type { TcpSettings } from './tcp-settings.js'

/** A question about topics that is under way. */
interface Refresh {
  readonly topics: ReadonlySet<string>
  readonly done: Promise<void>
}

/** The brokers of one cluster: found from a list of addresses, then known by their ids. */
export class TcpCluster {
  readonly view: ClusterView
  private readonly brokers = new Map<string, TcpBroker>()
  private readonly source: ConnectionSource
  private readonly pacing: RefreshPacing
  private refreshing: Refresh | null = null

  constructor(
    private readonly bootstrap: readonly Address[],
    private readonly settings: TcpSettings,
    private readonly pauses: Pauses,
    logger: Logger,
    private readonly random: () => number = Math.random,
  ) {
    this.view = new ClusterView(settings.metadataMaxAge)
    this.source = { settings, topicIds: this.view, pauses, logger }
    this.pacing = new RefreshPacing(settings.backOff)
  }

  /** A broker by its id; undefined if nobody knows where it is. */
  node(nodeId: number): TcpBroker | undefined {
    const address = this.view.brokers.get(nodeId)
    return address === undefined ? undefined : this.at(address)
  }

  /** Every broker of the cluster. */
  all(): TcpBroker[] {
    return [...this.view.brokers.values()].map((address) => this.at(address))
  }

  /**
   * Any broker: one that is connected and has little to do, else one that was not just found to be out of reach; the
   * addresses given at first serve where no other does. Chance decides among equals.
   */
  any(): TcpBroker {
    const known = this.all()
    const connected = known.filter(({ isConnected, isFailing }) => isConnected && !isFailing)
    if (connected.length > 0) return connected.reduce((least, one) => (one.load < least.load ? one : least))
    const first = this.bootstrap.map((address) => this.at(address))
    for (const some of [known, first]) {
      const hopeful = some.filter(({ isFailing }) => !isFailing)
      if (hopeful.length > 0) return this.oneOf(hopeful)
    }
    return this.oneOf([...known, ...first])
  }

  /**
   * One pass over the addresses given at first, in random order, until a broker answers. Rejects with BROKER_NOT_AVAILABLE,
   * MALFORMED_MESSAGE, UNSUPPORTED, ABORTED.
   */
  async connect(signal?: AbortSignal): Promise<void> {
    const failures: SeglogError[] = []
    const left = [...this.bootstrap]
    while (left.length > 0) {
      const [address] = left.splice(Math.floor(this.random() * left.length), 1)
      const broker = this.at(address)
      try {
        await this.ask(broker, [], signal)
        this.forgetOthers()
        return
      } catch (thrown) {
        const error = asSeglogError(thrown)
        if (error.code === 'ABORTED') throw error
        failures.push(error)
      }
    }
    if (failures.length === 1) throw failures[0]
    const message = `none of the brokers could be reached: ${failures.map((error) => error.message).join('; ')}`
    throw new SeglogError(failures[0].code, message, { retriable: failures[0].retriable, cause: failures[0] })
  }

  /**
   * Asks about those of the topics that are not known well enough. Afterwards the view knows them, or knows why not.
   * Rejects, as not sent, where no broker could be asked.
   */
  async locate(topics: readonly string[], signal?: AbortSignal): Promise<void> {
    try {
      for (;;) {
        const wanted = topics.filter((topic) => this.view.isUnknown(topic))
        if (wanted.length === 0) return
        const { refreshing } = this
        const isAsked = refreshing !== null && wanted.every((topic) => refreshing.topics.has(topic))
        if (refreshing === null || isAsked) {
          await this.pauses.until(refreshing?.done ?? this.refresh(wanted), signal)
          return
        }
        const over = refreshing.done.catch(() => {})
        await this.pauses.until(over, signal)
      }
    } catch (error) {
      throw unsentError(asSeglogError(error))
    }
  }

  /** Asks any broker about the brokers and these topics. */
  refresh(topics: readonly string[]): Promise<void> {
    const done = this.refreshNow(topics)
    this.refreshing = { topics: new Set(topics), done }
    const end = () => {
      this.refreshing = null
    }
    done.then(end, end)
    return done
  }

  close(): void {
    const reason = new SeglogError('CLOSED', 'the connection to the brokers was closed: open it again')
    for (const broker of this.brokers.values()) broker.close(reason)
  }

  private async refreshNow(topics: readonly string[]): Promise<void> {
    const pauseMs = this.pacing.pauseMs(topics, performance.now())
    if (pauseMs > 0) await this.pauses.wait(pauseMs)
    this.pacing.note(topics, performance.now())
    await this.ask(this.any(), topics)
    this.view.forgetOld()
    this.forgetOthers()
  }

  private async ask(broker: TcpBroker, topics: readonly string[], signal?: AbortSignal): Promise<void> {
    const asked = topics.map((name) => ({ topicId: zeroUuid, name }))
    const request = {
      topics: asked,
      allowAutoTopicCreation: false,
      includeClusterAuthorizedOperations: false,
      includeTopicAuthorizedOperations: false,
    }
    const { clientId, requestTimeout } = this.settings
    const response = await broker.request('control', apiKey.metadata, request, clientId, requestTimeout, signal)
    this.view.learn(response, asked)
  }

  private at(address: Address): TcpBroker {
    const name = addressName(address)
    let broker = this.brokers.get(name)
    if (broker === undefined) {
      broker = new TcpBroker(address, this.source, () => this.view.doubtAll())
      this.brokers.set(name, broker)
    }
    return broker
  }

  /** Ends what is not used with addresses that are none of the cluster's: a name given at first, a broker that left. */
  private forgetOthers(): void {
    const wanted = new Set([...this.view.brokers.values()].map(addressName))
    for (const [name, broker] of this.brokers) {
      if (wanted.has(name) || !broker.isIdle) continue
      this.brokers.delete(name)
      broker.close(new SeglogError('CLOSED', `${name} is no address of the cluster any more`))
    }
  }

  private oneOf<T>(list: readonly T[]): T {
    return list[Math.floor(this.random() * list.length)]
  }
}
