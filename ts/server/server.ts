import type { Socket } from 'node:net'
import type { Broker } from '../broker/broker.js'
import type { Endpoint } from '../broker/broker-state.js'
import type { RequestContext } from '../broker/request-context.js'
import type { Logger } from '../log/logger.js'
import { openEngine } from '../native/open-engine.js'
import { Connection, type ConnectionHost } from './connection.js'
import { type ServerLimits, serverLimits } from './limits.js'
import { Listener, type ListenerOptions } from './listener.js'
import { LongRequests } from './long-requests.js'
import { PeerLog } from './peer-log.js'
import { RequestBudget } from './request-budget.js'
import { SendingRoom } from './sending-room.js'
import { type TransferChoice, type TransferStatus, WireSource } from './wire-source.js'

/** Longest time between two looks at the connections' times. */
const tickMsMax = 1000
const tickMsMin = 10

/** Connects sockets to a broker: its listeners, its connections and what they may take together. */
export class Server {
  readonly #peerLog: PeerLog
  readonly #host: ConnectionHost
  readonly #limits: ServerLimits
  readonly #wires: WireSource
  readonly #listeners: Listener[] = []
  readonly #connections = new Set<Connection>()
  readonly #perAddress = new Map<string, number>()
  readonly #perListener = new Map<string, number>()
  #timer: NodeJS.Timeout | null = null
  #count = 0
  #whenEmpty: (() => void) | null = null
  #closing: Promise<void> | null = null

  /** Throws UNSUPPORTED where the platform cannot do what `seglog.transfer` asks for. */
  constructor(broker: Broker, logger: Logger) {
    this.#peerLog = new PeerLog(logger)
    this.#limits = serverLimits(broker.config)
    this.#wires = wireSource(broker, this.#limits)
    this.#host = {
      broker,
      limits: this.#limits,
      budget: new RequestBudget(this.#limits.queuedBytes),
      wireOf: (socket, owner) => this.#wires.take(socket, owner),
      longRequests: new LongRequests(),
      complain: (fields, message) => this.#peerLog.warn(fields, message, performance.now()),
      fault: (fields, message) => logger.error(fields, message),
      debug: (fields, message) => logger.debug(fields, message),
      closed: (connection) => this.#closed(connection),
    }
  }

  get listeners(): readonly Listener[] {
    return this.#listeners
  }

  /** Connections that are open. */
  get connections(): number {
    return this.#connections.size
  }

  /** Bytes of requests held at this moment. */
  get queuedBytes(): number {
    return this.#host.budget.usedBytes
  }

  /** What the connections go over. */
  get transfer(): TransferStatus {
    return this.#wires.status
  }

  /** Begins to take connections. Rejects with LISTEN_FAILED. */
  async listen(options: ListenerOptions): Promise<Listener> {
    const listener = await Listener.open(options, this.#wires.wantsPaused, (socket) => this.#take(socket, options.name))
    this.#listeners.push(listener)
    // Behind what has come: after a stall of the event loop it lies unread, and its connection would pass for idle.
    this.#timer ??= setInterval(() => setImmediate(this.#tick), this.#tickMs())
    return listener
  }

  /** Where the sender of a request finds this server: on the listener it used, or else the first. */
  endpoint({ listener: name, localAddress }: RequestContext): Endpoint {
    const listener = this.#listeners.find((one) => one.name === name) ?? this.#listeners[0]
    return listener?.endpoint(localAddress) ?? { host: 'localhost', port: 0 }
  }

  /**
   * Takes no further connection and no further request, answers those under way, wakes those that wait, and closes the
   * connections; those that are not done after `deadlineMs` are cut. Idempotent. The broker stays open.
   */
  close(deadlineMs: number): Promise<void> {
    this.#closing ??= this.#close(deadlineMs)
    return this.#closing
  }

  async #close(deadlineMs: number): Promise<void> {
    for (const listener of this.#listeners) listener.close()
    for (const connection of this.#connections) connection.finish()
    if (this.#connections.size > 0) {
      const deadline = setTimeout(() => {
        for (const connection of this.#connections) connection.destroy()
      }, deadlineMs)
      await new Promise<void>((resolve) => {
        this.#whenEmpty = resolve
      })
      clearTimeout(deadline)
    }
    if (this.#timer !== null) clearInterval(this.#timer)
    const { counts, ...rest } = this.transfer
    this.#host.debug(
      { ...rest, ...counts },
      'what the connections went over; bytes and calls are those of this process',
    )
    this.#peerLog.tick(Number.POSITIVE_INFINITY)
  }

  #take(socket: Socket, listener: string): void {
    const connection = new Connection(socket, listener, ++this.#count, this.#host)
    const address = connection.clientHost
    const fromThere = (this.#perAddress.get(address) ?? 0) + 1
    this.#perAddress.set(address, fromThere)
    this.#connections.add(connection)
    const onListener = (this.#perListener.get(listener) ?? 0) + 1
    this.#perListener.set(listener, onListener)
    const refusal = this.#refusal(address, fromThere, listener, onListener)
    if (refusal === null) return
    connection.destroy()
    this.#host.complain({ client: address, listener }, `connection closed: ${refusal}`)
  }

  #refusal(address: string, fromThere: number, listener: string, onListener: number): string | null {
    const { connections } = this.#limits
    if (this.#closing !== null) return 'the server is shutting down'
    if (this.#connections.size > connections) return `there are ${connections} already, which is max.connections`
    const onOne = this.#limits.connectionsOn(listener)
    if (onListener > onOne) return `there are ${onOne} on this listener already, which is its max.connections`
    const allowed = this.#limits.connectionsFrom(address)
    if (fromThere > allowed) {
      return `there are ${allowed} from this address already, which is max.connections.per.ip`
    }
    return null
  }

  #closed(connection: Connection): void {
    this.#connections.delete(connection)
    const left = (this.#perAddress.get(connection.clientHost) ?? 1) - 1
    if (left > 0) this.#perAddress.set(connection.clientHost, left)
    else this.#perAddress.delete(connection.clientHost)
    this.#perListener.set(connection.listener, (this.#perListener.get(connection.listener) ?? 1) - 1)
    if (this.#connections.size === 0) this.#whenEmpty?.()
  }

  readonly #tick = (): void => {
    const nowMs = performance.now()
    for (const connection of this.#connections) connection.tick(nowMs)
    this.#host.budget.tick()
    this.#peerLog.tick(nowMs)
  }

  #tickMs(): number {
    const shortest = Math.min(this.#limits.idleMs, this.#limits.receiveMs) / 4
    return Math.max(tickMsMin, Math.min(tickMsMax, shortest))
  }
}

function wireSource({ config }: Broker, limits: ServerLimits): WireSource {
  const choice = config.get('seglog.transfer') as TransferChoice
  const wires = choice === 'off' ? null : openEngine().wires
  return new WireSource(choice, wires, limits.requestBytes, new SendingRoom())
}
