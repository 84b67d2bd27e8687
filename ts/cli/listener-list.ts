import { SeglogError } from '../errors/seglog-error.js'
import type { Setting } from './config-layer.js'

/** One of `listeners` or `advertised.listeners`. An empty host is every address of this machine. */
export interface NamedAddress {
  /** In upper case; null where only an address was given. */
  readonly name: string | null
  readonly host: string
  /** Null where it was left out; 0 lets the system choose. */
  readonly port: number | null
}

const everyAddress: ReadonlySet<string> = new Set(['', '0.0.0.0', '::', '0:0:0:0:0:0:0:0'])

export function isEveryAddress(host: string): boolean {
  return everyAddress.has(host)
}

/** `NAME://HOST:PORT,...` as Kafka writes listeners. Throws INVALID_CONFIG. */
export function listenerList({ value, where }: Setting): { name: string; host: string; port: number }[] {
  return addresses({ value, where }).map(({ name, host, port }) => {
    if (name === null || port === null) throw malformed(where, value, 'NAME://HOST:PORT, several with commas')
    return { name, host, port }
  })
}

/**
 * What clients are told: as `listenerList`, or HOST or HOST:PORT for the only listener. Throws INVALID_CONFIG, also for
 * an address that nobody can connect to.
 */
export function advertisedList(setting: Setting): NamedAddress[] {
  const list = addresses(setting)
  for (const { host } of list) {
    if (!isEveryAddress(host)) continue
    const message = `${setting.where}: ${host === '' ? 'no address' : host} is nothing a client can connect to; give a name`
    throw new SeglogError('INVALID_CONFIG', message)
  }
  return list
}

/**
 * Where `advertised.listeners` stands alone, the broker listens on the same ports of every address, as the Apache image
 * has it.
 */
export function withListeners(entries: ReadonlyMap<string, Setting>): ReadonlyMap<string, Setting> {
  const advertised = entries.get('advertised.listeners')
  if (advertised === undefined || advertised.value.trim() === '' || entries.has('listeners')) return entries
  const list = listenerList(advertised).map(({ name, port }) => `${name}://:${port}`)
  return new Map([...entries, ['listeners', { value: list.join(','), where: advertised.where }]])
}

function addresses({ value, where }: Setting): NamedAddress[] {
  const list = value
    .split(',')
    .map((text) => text.trim())
    .filter((text) => text !== '')
    .map((text) => address(text, where))
  if (list.length === 0) throw malformed(where, value, 'a list of NAME://HOST:PORT')
  for (const [index, { name }] of list.entries()) {
    if (list.findIndex((other) => other.name === name) === index) continue
    throw new SeglogError('INVALID_CONFIG', `${where}: ${name ?? 'a listener without a name'} is there twice`)
  }
  return list
}

function address(text: string, where: string): NamedAddress {
  const parts = /^(?:([\w-]+):\/\/)?(?:\[([^\]]*)\]|([^:[\]/]*))(?::(\d{1,5}))?$/.exec(text)
  if (parts === null) throw malformed(where, text, 'NAME://HOST:PORT (an IPv6 address in brackets)')
  const port = parts[4] === undefined ? null : Number(parts[4])
  if (port !== null && port > 65535) throw malformed(where, text, 'a port from 0 to 65535')
  return { name: parts[1]?.toUpperCase() ?? null, host: parts[2] ?? parts[3], port }
}

function malformed(where: string, value: string, expected: string): SeglogError {
  return new SeglogError('INVALID_CONFIG', `${where} must be ${expected}, got ${JSON.stringify(value.slice(0, 200))}`)
}
