import { Broker } from './broker/broker.js'
import { SeglogLog } from './client/log.js'
import {
  abortSignal,
  checkOptions,
  flag,
  invalidOption,
  isObject,
  type OptionRules,
  plainObject,
  rule,
} from './client/options.js'
import { abortedError } from './client/settle-errors.js'
import { SeglogError } from './errors/seglog-error.js'
import type { Logger } from './log/logger.js'
import { openEngine } from './native/open-engine.js'
import { InProcessTransport } from './transport/in-process.js'
import { isKafkaTarget, parseKafkaTarget } from './transport/tcp-address.js'
import { type TcpOptions, tcpRules, tcpSettings } from './transport/tcp-settings.js'
import { TcpTransport } from './transport/tcp-transport.js'

/** Of a log in this process. */
export interface DirectoryOptions {
  /** Only read; another process may be writing. What would change the log fails with READ_ONLY (default false). */
  readOnly?: boolean
  /** Broker configs by Kafka's names, such as `num.partitions` or `log.segment.bytes`. */
  config?: Readonly<Record<string, string | number | boolean>>
}

export interface OpenOptions extends DirectoryOptions, TcpOptions {
  /** An object of pino's shape (default: silent). */
  logger?: Logger
  /** Gives up opening with ABORTED. */
  signal?: AbortSignal
}

const directoryRules: OptionRules = { readOnly: flag, config: plainObject }

const openRules: OptionRules = {
  ...directoryRules,
  ...tcpRules,
  logger: rule('an object with debug, info, warn and error', isLogger),
  signal: abortSignal,
}

/**
 * Opens a log: a data directory (made if it does not exist, and recovered if it was not closed), `memory:` for one that
 * is gone when it is closed, or `kafka://host:port,host2:port` for a Kafka cluster, of which one broker must answer. One
 * open writes a directory; any number may read it by `readOnly`.
 *
 * Rejects with INVALID_OPTION, MISSPELLED_OPTION, ABORTED, NATIVE_BINARY_MISSING; for a directory with DIRECTORY_IN_USE
 * (naming the holder), NOT_A_DIRECTORY, ACCESS_DENIED, FILE_NOT_FOUND (readOnly), UNKNOWN_CONFIG, INVALID_CONFIG; for a
 * cluster with BROKER_NOT_AVAILABLE, MALFORMED_MESSAGE (no Kafka broker), UNSUPPORTED (`kafka+ssl://`).
 */
export async function open(target: string, options: OpenOptions = {}): Promise<SeglogLog> {
  // The system would read a path up to its first NUL, and open something else.
  if (typeof target !== 'string' || target === '' || target.includes('\0')) {
    throw invalidOption('open()', 'target', "a directory's path, 'memory:' or 'kafka://host:port'", target)
  }
  checkOptions('open()', options, openRules)
  const isKafka = isKafkaTarget(target)
  refuseOthers(options, isKafka ? directoryRules : tcpRules, isKafka ? 'a data directory' : 'kafka://')
  if (options.signal?.aborted) throw abortedError(`opening ${target} was aborted`, options.signal)
  return isKafka ? openCluster(target, options) : openDirectory(target, options)
}

async function openDirectory(target: string, { readOnly = false, ...options }: OpenOptions): Promise<SeglogLog> {
  const { config, logger, signal } = options
  const broker = await Broker.open(target, { readOnly, config, logger, signal })
  const engine = openEngine()
  return new SeglogLog(new InProcessTransport(broker), (bytes) => engine.crc32c(bytes), broker.path, readOnly)
}

async function openCluster(target: string, options: OpenOptions): Promise<SeglogLog> {
  const addresses = parseKafkaTarget(target)
  const settings = tcpSettings(options)
  const { logger, signal } = options
  const engine = openEngine()
  const crc32c = (bytes: Uint8Array) => engine.crc32c(bytes)
  const transport = await TcpTransport.open(addresses, settings, crc32c, { logger, signal })
  return new SeglogLog(transport, crc32c, target, false, settings.metadataMaxAge)
}

function refuseOthers(options: OpenOptions, rules: OptionRules, belongsTo: string): void {
  for (const name of Object.keys(options)) {
    if (!Object.hasOwn(rules, name) || options[name as keyof OpenOptions] === undefined) continue
    throw new SeglogError('INVALID_OPTION', `Option \`${name}\` of open() is for ${belongsTo} only`, { key: name })
  }
}

function isLogger(value: unknown): boolean {
  return isObject(value) && ['debug', 'info', 'warn', 'error'].every((level) => typeof value[level] === 'function')
}
