import { type Command, InvalidArgumentError, Option } from 'commander'
import { type CodecName, codecNames } from '../records/codecs/codec-name.js'

/** A whole number from `min` to `max`. */
export function wholeNumber(min: number, max = Number.MAX_SAFE_INTEGER): (text: string) => number {
  return (text) => {
    const value = Number(text)
    if (!/^-?\d+$/.test(text) || !Number.isSafeInteger(value) || value < min || value > max) {
      const range = max === Number.MAX_SAFE_INTEGER ? `of at least ${min}` : `from ${min} to ${max}`
      throw new InvalidArgumentError(`a whole number ${range} is needed.`)
    }
    return value
  }
}

/** `k=v`, given as often as you like. */
export function keyValues(text: string, before: Record<string, string> = {}): Record<string, string> {
  const equals = text.indexOf('=')
  if (equals <= 0) throw new InvalidArgumentError('it has the form key=value.')
  return { ...before, [text.slice(0, equals)]: text.slice(equals + 1) }
}

/** A word, given as often as you like. */
export function words(text: string, before: readonly string[] = []): string[] {
  return [...before, text]
}

export function acks(text: string): 0 | 1 | 'all' {
  if (text === '0' || text === '1') return text === '0' ? 0 : 1
  if (text === 'all' || text === '-1') return 'all'
  throw new InvalidArgumentError('it is 0, 1 or all.')
}

/** Where to begin: an end of the log, an offset, the last n, or a time. */
export type Start =
  | { at: 'earliest' | 'latest' }
  | { at: 'offset'; offset: bigint }
  | { at: 'last'; records: bigint }
  | { at: 'time'; timestamp: number }

export function start(text: string): Start {
  if (text === 'start') return { at: 'earliest' }
  if (text === 'end') return { at: 'latest' }
  if (/^\d+$/.test(text) && BigInt(text) <= BigInt(Number.MAX_SAFE_INTEGER))
    return { at: 'offset', offset: BigInt(text) }
  if (/^-\d+$/.test(text)) return { at: 'last', records: -BigInt(text) }
  if (text.startsWith('@')) {
    const timestamp = /^@\d+$/.test(text) ? Number(text.slice(1)) : Date.parse(text.slice(1))
    if (Number.isSafeInteger(timestamp) && timestamp >= 0) return { at: 'time', timestamp }
  }
  throw new InvalidArgumentError(
    'it is start, end, an OFFSET, -N (the last N), or @TIMESTAMP (milliseconds or a date).',
  )
}

export const jsonOption = (): Option => new Option('--json', 'one JSON object per line, also on a terminal')

export const compressionOption = (): Option =>
  new Option('--compression <codec>', 'compress batches').choices(codecNames).default('none' satisfies CodecName)

/** What every command that works on a log takes; see `targetOf`. */
export function withTarget(command: Command): Command {
  return command
    .option('--data <dir>', 'the data directory (default: $SEGLOG_DATA, ./data)')
    .option(
      '--bootstrap <host:port>',
      'brokers to connect to instead, several with commas (default: $SEGLOG_BOOTSTRAP)',
    )
    .addOption(jsonOption())
}
