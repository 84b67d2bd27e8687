import { SeglogError } from '../errors/seglog-error.js'
import type { ConfigLayer, Setting } from './config-layer.js'
import { advertisedList, listenerList, type NamedAddress } from './listener-list.js'

/** Where the broker listens, and what it tells clients about it. */
export interface ListenerSettings {
  readonly name: string
  /** `localhost` is both loopback addresses; empty is every address of this machine. */
  readonly host: string
  /** 0 lets the system choose. */
  readonly port: number
  /** Null: what `host` and the port in use suggest. */
  readonly advertisedHost: string | null
  readonly advertisedPort: number | null
}

const defaultName = 'PLAINTEXT'
const defaultHost = 'localhost'
const defaultPort = 9092

/**
 * Finds the listeners in layers of settings, the strongest first. A layer with `listeners`, or with a host or port,
 * takes the place of whatever weaker layers say about listeners and advertised addresses; without any, the broker
 * listens on loopback, port 9092. Listeners for controllers are left out.
 *
 * Throws INVALID_CONFIG, and UNSUPPORTED for a listener with TLS or SASL.
 */
export function serveListeners(layers: readonly ConfigLayer[]): ListenerSettings[] {
  const strongest = layers.findIndex((layer) => hasAddress(layer) || listenersOf(layer) !== undefined)
  const first = layers[strongest]
  if (first === undefined) {
    const only = { name: defaultName, host: defaultHost, port: defaultPort }
    return advertise([only], advertisedOf(layers))
  }
  const list = listenersOf(first)
  if (list === undefined) {
    const isList = (layer: ConfigLayer) => listenersOf(layer) !== undefined
    const end = layers.findIndex(isList)
    const above = end < 0 ? layers : layers.slice(0, end)
    return advertise([addressOf(above)], advertisedOf(above))
  }
  if (hasAddress(first)) {
    const other = (first.port ?? first.host)?.where
    throw new SeglogError('INVALID_CONFIG', `${list.where} and ${other} both say where to listen: give one of them`)
  }
  const setting = (key: string) => layers.map(({ entries }) => entries.get(key)).find((one) => one !== undefined)
  const controllers = namesIn(setting('controller.listener.names'))
  const listeners = listenerList(list).filter(({ name }) => !controllers.includes(name))
  if (listeners.length === 0) throw onlyControllers(list)
  checkProtocols(listeners, list, setting('listener.security.protocol.map'))
  return advertise(listeners, advertisedOf(layers.slice(0, strongest + 1)), controllers)
}

interface Listener {
  name: string
  host: string
  port: number
}

function listenersOf({ entries }: ConfigLayer): Setting | undefined {
  const setting = entries.get('listeners')
  return setting === undefined || setting.value.trim() === '' ? undefined : setting
}

function hasAddress({ host, port }: ConfigLayer): boolean {
  return host !== undefined || port !== undefined
}

function addressOf(layers: readonly ConfigLayer[]): Listener {
  const host = layers.find((layer) => layer.host !== undefined)?.host
  const port = layers.find((layer) => layer.port !== undefined)?.port
  return {
    name: defaultName,
    host: host === undefined ? defaultHost : plainHost(host),
    port: port === undefined ? defaultPort : portNumber(port),
  }
}

function plainHost({ value, where }: Setting): string {
  const host = value.trim().replace(/^\[(.*)\]$/, '$1')
  if (host === '' || /[\s/,]/.test(host) || /^[^:]*:\d*$/.test(host))
    throw new SeglogError('INVALID_CONFIG', `${where} must be a host name or an address, got ${JSON.stringify(value)}`)
  return host
}

function portNumber({ value, where }: Setting): number {
  if (!/^\d{1,5}$/.test(value.trim()) || Number(value) > 65535)
    throw new SeglogError('INVALID_CONFIG', `${where} must be a port from 0 to 65535, got ${JSON.stringify(value)}`)
  return Number(value)
}

interface Advertised {
  readonly where: string
  readonly list: readonly NamedAddress[]
}

function advertisedOf(layers: readonly ConfigLayer[]): Advertised | null {
  for (const { advertise, entries } of layers) {
    const found = [advertise, entries.get('advertised.listeners')].filter(
      (one) => one !== undefined && one.value !== '',
    )
    const [setting, other] = found as Setting[]
    if (other !== undefined) {
      const message = `${setting.where} and ${other.where} both say what clients are told: give one of them`
      throw new SeglogError('INVALID_CONFIG', message)
    }
    if (setting !== undefined) return { where: setting.where, list: advertisedList(setting) }
  }
  return null
}

function advertise(
  listeners: readonly Listener[],
  advertised: Advertised | null,
  controllers: readonly string[] = [],
): ListenerSettings[] {
  const list = (advertised?.list ?? []).filter(({ name }) => name === null || !controllers.includes(name))
  const names = listeners.map(({ name }) => name)
  for (const { name } of list) {
    if (name === null ? listeners.length === 1 : names.includes(name)) continue
    const which = name === null ? 'an address for each as NAME://HOST:PORT is needed' : `${name} is none of them`
    throw new SeglogError('INVALID_CONFIG', `${advertised?.where}: the listeners are ${names.join(', ')}; ${which}`)
  }
  return listeners.map((listener) => {
    const found = list.find(({ name }) => name === null || name === listener.name)
    return { ...listener, advertisedHost: found?.host ?? null, advertisedPort: found?.port || null }
  })
}

function namesIn(setting: Setting | undefined): string[] {
  return (setting?.value ?? '').split(',').map((name) => name.trim().toUpperCase())
}

function onlyControllers({ where }: Setting): SeglogError {
  const message = `${where} has listeners for a controller only: Seglog needs no such node, leave it out`
  return new SeglogError('INVALID_CONFIG', message)
}

const protocols = ['PLAINTEXT', 'SSL', 'SASL_PLAINTEXT', 'SASL_SSL']

function checkProtocols(listeners: readonly Listener[], list: Setting, map: Setting | undefined): void {
  const known = new Map(protocols.map((protocol) => [protocol, protocol]))
  for (const pair of (map?.value ?? '').split(',')) {
    const [name = '', protocol = ''] = pair.split(':').map((part) => part.trim().toUpperCase())
    if (name !== '') known.set(name, protocol)
  }
  for (const { name } of listeners) {
    const protocol = known.get(name) ?? defaultName
    if (protocol === 'PLAINTEXT') continue
    if (!protocols.includes(protocol)) {
      const where = map?.where ?? list.where
      throw new SeglogError(
        'INVALID_CONFIG',
        `${where}: ${JSON.stringify(protocol)} of ${name} is no protocol of Kafka`,
      )
    }
    const message = `${list.where}: listener ${name} is ${protocol}, and Seglog has no TLS and no authentication yet`
    throw new SeglogError('UNSUPPORTED', message)
  }
}
