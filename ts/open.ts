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

export interface OpenOptions {
  /** Only read; another process may be writing. What would change the log fails with READ_ONLY (default false). */
  readOnly?: boolean
  /** Broker configs by Kafka's names, such as `num.partitions` or `log.segment.bytes`. */
  config?: Readonly<Record<string, string | number | boolean>>
  /** An object of pino's shape (default: silent). */
  logger?: Logger
  /** Gives up opening with ABORTED. */
  signal?: AbortSignal
}

const openRules: OptionRules = {
  readOnly: flag,
  config: plainObject,
  logger: rule('an object with debug, info, warn and error', isLogger),
  signal: abortSignal,
}

/**
 * Opens a log: a data directory (made if it does not exist, and recovered if it was not closed), or `memory:` for one
 * that is gone when it is closed. One open writes a directory; any number may read it by `readOnly`.
 *
 * Rejects with INVALID_OPTION, MISSPELLED_OPTION, DIRECTORY_IN_USE (naming the holder), NOT_A_DIRECTORY, ACCESS_DENIED,
 * FILE_NOT_FOUND (readOnly), UNKNOWN_CONFIG, INVALID_CONFIG, ABORTED, UNSUPPORTED (`kafka://`), NATIVE_BINARY_MISSING.
 */
export async function open(target: string, options: OpenOptions = {}): Promise<SeglogLog> {
  // The system would read a path up to its first NUL, and open something else.
  if (typeof target !== 'string' || target === '' || target.includes('\0')) {
    throw invalidOption('open()', 'target', "a directory's path or 'memory:'", target)
  }
  checkOptions('open()', options, openRules)
  if (/^kafka(\+ssl)?:\/\//.test(target)) {
    throw new SeglogError('UNSUPPORTED', `connecting to ${target} is not available yet; open a directory, or 'memory:'`)
  }
  const { readOnly = false, config, logger, signal } = options
  if (signal?.aborted) throw abortedError(`opening ${target} was aborted`, signal)
  const broker = await Broker.open(target, { readOnly, config, logger, signal })
  const engine = openEngine()
  return new SeglogLog(new InProcessTransport(broker), (bytes) => engine.crc32c(bytes), broker.path, readOnly)
}

function isLogger(value: unknown): boolean {
  return isObject(value) && ['debug', 'info', 'warn', 'error'].every((level) => typeof value[level] === 'function')
}
