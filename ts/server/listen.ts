import { Broker } from '../broker/broker.js'
import { type Logger, silentLogger } from '../log/logger.js'
import type { Listener, ListenerOptions } from './listener.js'
import { Server } from './server.js'

export interface ServerOptions {
  /** A directory, or `memory:`. */
  data: string
  /** At least one, each with a name of its own. */
  listeners: readonly ListenerOptions[]
  /** Broker configs by Kafka's keys. */
  config?: Readonly<Record<string, string | number | boolean>>
  /** For a new directory; see `BrokerOptions`. */
  clusterId?: string
  /** Default: silent. */
  logger?: Logger
}

/** A broker that is served. */
export interface RunningServer {
  readonly broker: Broker
  readonly server: Server
  readonly listeners: readonly Listener[]
  /** Drains the connections for at most `deadlineMs` (default 1000), then closes the broker. Idempotent. */
  close(deadlineMs?: number): Promise<void>
}

const drainMs = 1000

/**
 * Opens a data directory and serves it. Rejects with what Broker.open does, LISTEN_FAILED, and UNSUPPORTED; then nothing is left open.
 */
export async function listen(options: ServerOptions): Promise<RunningServer> {
  const { data, listeners, config, clusterId, logger = silentLogger } = options
  let server: Server | undefined
  const endpoint = (context: Parameters<Server['endpoint']>[0]) => server!.endpoint(context)
  const broker = await Broker.open(data, { config, clusterId, logger, endpoint })
  try {
    server = new Server(broker, logger)
  } catch (error) {
    await broker.close()
    throw error
  }
  const close = async (deadlineMs = drainMs): Promise<void> => {
    // Before the connections end: a member whose connection is gone is out of its group, which is not what happens here.
    broker.retire()
    await server.close(deadlineMs)
    await broker.close()
  }
  try {
    for (const listener of listeners) await server.listen(listener)
    broker.config.settle(addresses(server.listeners))
  } catch (error) {
    await close(0).catch(() => {})
    throw error
  }
  return { broker, server, listeners: server.listeners, close }
}

/** The configs that name the addresses in use. */
function addresses(listeners: readonly Listener[]): Record<string, string> {
  const list = (text: (listener: Listener) => string) => listeners.map(text).join(',')
  return {
    listeners: list(({ name, host, port }) => url(name, host, port)),
    'advertised.listeners': list((listener) => {
      const { host, port } = listener.endpoint('')
      return url(listener.name, host, port)
    }),
  }
}

function url(name: string, host: string, port: number): string {
  return `${name}://${host.includes(':') ? `[${host}]` : host}:${port}`
}
