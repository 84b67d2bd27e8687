import { invalidOption } from '../client/options.js'
import { SeglogError } from '../errors/seglog-error.js'

/** Where a broker listens. */
export interface Address {
  readonly host: string
  readonly port: number
}

const defaultPort = 9092
const expected = "'kafka://host:port', with more brokers behind commas"

/** True for a target that names brokers. */
export function isKafkaTarget(target: string): boolean {
  return /^kafka(\+ssl)?:\/\//.test(target)
}

/**
 * The brokers of `kafka://host:port,host2:port`; a port that is not given is 9092, an IPv6 address stands in brackets.
 * Throws INVALID_OPTION for anything else, UNSUPPORTED for `kafka+ssl://`.
 */
export function parseKafkaTarget(target: string): Address[] {
  if (target.startsWith('kafka+ssl://')) {
    const message = `${target}: connections by TLS are not available yet; use kafka:// within a network you trust`
    throw new SeglogError('UNSUPPORTED', message, { key: 'target' })
  }
  const list = target.slice('kafka://'.length)
  return list.split(',').map((one) => {
    const match = /^(?:\[([0-9a-fA-F:.]+)\]|([^\s:/@[\]]+))(?::(\d{1,5}))?$/.exec(one.trim())
    const port = match?.[3] === undefined ? defaultPort : Number(match[3])
    if (match === null || port < 1 || port > 65_535) throw invalidOption('open()', 'target', expected, target)
    return { host: match[1] ?? match[2], port }
  })
}

/** As people write it, and what tells addresses apart. */
export function addressName({ host, port }: Address): string {
  return host.includes(':') ? `[${host}]:${port}` : `${host}:${port}`
}
