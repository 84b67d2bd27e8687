import { SeglogLog } from './client/log.js'
import {
  abortSignal,
  checkOptions,
  integer,
  invalidOption,
  isObject,
  type OptionRules,
  plainObject,
  rule,
  text,
} from './client/options.js'
import { abortedError } from './client/settle-errors.js'
import { SeglogError } from './errors/seglog-error.js'
import type { Logger } from './log/logger.js'
import { openEngine } from './native/open-engine.js'
import { listen, type RunningServer } from './server/listen.js'
import type { ListenerOptions } from './server/listener.js'
import { InProcessTransport } from './transport/in-process.js'

export interface ServeOptions {
  /** Address to listen on (default 'localhost': both loopback addresses; '' is every address of this machine). */
  host?: string
  /** Default 9092; 0 takes any that is free. */
  port?: number
  /** Several, each with a name of its own, instead of `host` and `port`. */
  listeners?: readonly ListenerOptions[]
  /** Broker configs by Kafka's names, such as `num.partitions` or `auto.create.topics.enable`. */
  config?: Readonly<Record<string, string | number | boolean>>
  /** An object of pino's shape (default: silent). */
  logger?: Logger
  /** Gives up starting with ABORTED; a server that runs is closed by `close()`. */
  signal?: AbortSignal
}

/** A log that Kafka clients can reach, until it is closed. */
export interface ServedLog {
  /** HOST:PORT of the first listener, for `bootstrap.servers`. */
  readonly bootstrap: string
  readonly host: string
  readonly port: number
  readonly listeners: readonly { name: string; host: string; port: number }[]
  /** The data directory. */
  readonly path: string
  /** The same log for this process, without a socket in between. Closing it leaves the server running. */
  readonly log: SeglogLog
  /** Lets `log` finish, answers what clients have asked, and closes connections and files. Idempotent. */
  close(): Promise<void>
  [Symbol.asyncDispose](): Promise<void>
}

const listenerRules: OptionRules = {
  name: text,
  host: rule('a host name or address', (value) => typeof value === 'string'),
  port: integer(0, 65535),
  advertisedHost: rule(
    'a host name or address',
    (value) => value === null || (typeof value === 'string' && value !== ''),
  ),
  advertisedPort: rule('a port', (value) => value === null || integer(1, 65535).accepts(value)),
}

const serveRules: OptionRules = {
  host: listenerRules.host,
  port: listenerRules.port,
  listeners: rule(
    'an array of { name, host, port }, at least one',
    (value) => Array.isArray(value) && value.length > 0,
  ),
  config: plainObject,
  logger: rule('an object with debug, info, warn and error', isLogger),
  signal: abortSignal,
}

/**
 * Opens a data directory, or `memory:`, and serves it to Kafka clients. There is no authentication: whoever reaches an
 * address that is listened on can read, write and delete everything.
 *
 * Rejects with INVALID_OPTION, MISSPELLED_OPTION, LISTEN_FAILED (the port is taken), ABORTED, UNSUPPORTED (`kafka://`), and
 * for the directory as `open` does; then nothing is left open.
 */
export async function serve(target: string, options: ServeOptions = {}): Promise<ServedLog> {
  if (typeof target !== 'string' || target === '' || target.includes('\0'))
    throw invalidOption('serve()', 'target', "a directory's path or 'memory:'", target)
  if (/^kafka(\+ssl)?:\/\//.test(target))
    throw new SeglogError('UNSUPPORTED', `serve() takes a directory or 'memory:', and ${target} is served already`)
  checkOptions('serve()', options, serveRules)
  const listeners = listenersOf(options)
  const { config, logger, signal } = options
  if (signal?.aborted) throw abortedError(`serving ${target} was aborted`, signal)
  const running = await listen({ data: target, listeners, config, logger })
  if (!signal?.aborted) return served(running)
  await running.close()
  throw abortedError(`serving ${target} was aborted`, signal)
}

function listenersOf({ host, port, listeners }: ServeOptions): readonly ListenerOptions[] {
  if (listeners === undefined) return [{ name: 'PLAINTEXT', host: host ?? 'localhost', port: port ?? 9092 }]
  if (host !== undefined || port !== undefined)
    throw new SeglogError('INVALID_OPTION', 'serve() takes `listeners`, or `host` and `port`')
  for (const listener of listeners) {
    checkOptions('serve()', listener, listenerRules)
    for (const name of ['name', 'host', 'port'] as const)
      if (listener[name] === undefined) throw invalidOption('serve()', name, listenerRules[name].expected, undefined)
  }
  const names = listeners.map(({ name }) => name)
  if (new Set(names).size < names.length)
    throw new SeglogError(
      'INVALID_OPTION',
      `serve() needs a name of its own for each listener, got ${names.join(', ')}`,
    )
  return listeners
}

function served(running: RunningServer): ServedLog {
  const { broker } = running
  const engine = openEngine()
  // The server keeps the broker; who uses the log beside it must not take it away.
  const transport = new InProcessTransport(broker, () => Promise.resolve())
  const log = new SeglogLog(transport, (bytes) => engine.crc32c(bytes), broker.path, false)
  const listeners = running.listeners.map((listener) => ({ name: listener.name, ...listener.endpoint(undefined) }))
  const [{ host, port }] = listeners
  const close = async (): Promise<void> => {
    await log.close()
    await running.close()
  }
  let closing: Promise<void> | null = null
  return {
    ...{ host, port, listeners, log },
    bootstrap: `${host.includes(':') ? `[${host}]` : host}:${port}`,
    path: broker.path,
    close: () => (closing ??= close()),
    [Symbol.asyncDispose]: () => (closing ??= close()),
  }
}

function isLogger(value: unknown): boolean {
  return isObject(value) && ['debug', 'info', 'warn', 'error'].every((level) => typeof value[level] === 'function')
}
