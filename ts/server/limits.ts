import type { BrokerConfig } from '../broker/broker-config.js'

/** What clients may take of a server; the broker configs of the same meaning. Infinity where there is no limit. */
export interface ServerLimits {
  /** Largest request, bytes. */
  readonly requestBytes: number
  /** Connections at a time. */
  readonly connections: number
  connectionsFrom(address: string): number
  /** Connections at a time on one listener. */
  connectionsOn(listener: string): number
  /** A connection on which nothing moves is closed after this time. */
  readonly idleMs: number
  /** Bytes of requests held at a time, over all connections. */
  readonly queuedBytes: number
  /** A request that has begun must have arrived by then; see `isTooSlow`. */
  readonly receiveMs: number
}

/** Slowest sender that is waited for, once its `receiveMs` are over. */
const receiveBytesPerSecond = 16 * 1024

/**
 * Connections are counted against what the configs say at that moment: they may change while the server runs. The others,
 * as in Kafka, are those of its start.
 */
export function serverLimits(config: BrokerConfig): ServerLimits {
  return {
    requestBytes: config.number('socket.request.max.bytes'),
    get connections() {
      return config.number('max.connections')
    },
    connectionsFrom: (address) =>
      overrides(config.list('max.connections.per.ip.overrides')).get(address) ??
      config.number('max.connections.per.ip'),
    connectionsOn: (listener) => {
      const key = `listener.name.${listener.toLowerCase()}.max.connections`
      return config.isSet(key) ? config.number(key) : Number.POSITIVE_INFINITY
    },
    idleMs: unlessNegative(config.number('connections.max.idle.ms')),
    queuedBytes: unlessNegative(config.number('queued.max.request.bytes')),
    receiveMs: config.number('seglog.request.receive.timeout.ms'),
  }
}

/** Of `address:count` items; an IPv6 address may stand in brackets. */
function overrides(items: readonly string[]): Map<string, number> {
  return new Map(
    items.map((item) => {
      const colon = item.lastIndexOf(':')
      return [item.slice(0, colon).replace(/^\[(.*)\]$/, '$1'), Number(item.slice(colon + 1))]
    }),
  )
}

/** True for a request of which only `receivedBytes` are there `elapsedMs` after it began. */
export function isTooSlow(limits: ServerLimits, elapsedMs: number, receivedBytes: number): boolean {
  return elapsedMs > limits.receiveMs + (receivedBytes / receiveBytesPerSecond) * 1000
}

function unlessNegative(value: number): number {
  return value < 0 ? Number.POSITIVE_INFINITY : value
}
