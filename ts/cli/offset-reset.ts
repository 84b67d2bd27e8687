import { InvalidArgumentError } from 'commander'
import type { ResetTarget, TopicPart } from '../client/admin-group-options.js'
import { SeglogError } from '../errors/seglog-error.js'

/** Where `group reset-offsets` is told to go, as its options come. */
export interface ResetFlags {
  toEarliest?: boolean
  toLatest?: boolean
  toOffset?: bigint
  /** Milliseconds; both options mean the same. */
  toDatetime?: number
  toTimestamp?: number
  shiftBy?: bigint
}

const optionNames = '--to-earliest, --to-latest, --to-offset, --to-datetime, --to-timestamp or --shift-by'

/** Throws INVALID_OPTION unless exactly one place was named. */
export function resetTarget(flags: ResetFlags): ResetTarget {
  const { toEarliest, toLatest, toOffset, toDatetime, toTimestamp, shiftBy } = flags
  const targets: ResetTarget[] = []
  if (toEarliest === true) targets.push({ to: 'earliest' })
  if (toLatest === true) targets.push({ to: 'latest' })
  if (toOffset !== undefined) targets.push({ to: 'offset', offset: toOffset })
  for (const timestamp of [toDatetime, toTimestamp]) {
    if (timestamp !== undefined) targets.push({ to: 'timestamp', timestamp })
  }
  if (shiftBy !== undefined) targets.push({ to: 'shift', by: shiftBy })
  if (targets.length !== 1)
    throw new SeglogError('INVALID_OPTION', `where to is needed once: ${optionNames}`, { key: 'to' })
  return targets[0]
}

/** `T`, or `T:0,1,2`; given as often as you like. */
export function topicParts(text: string, before: readonly TopicPart[] = []): TopicPart[] {
  const [topic, list, ...rest] = text.split(':')
  if (topic === '' || rest.length > 0) throw new InvalidArgumentError('it is TOPIC, or TOPIC:PARTITION,PARTITION.')
  if (list === undefined) return [...before, { topic }]
  const partitions = list.split(',').map((one) => {
    if (!/^\d{1,10}$/.test(one) || Number(one) > 0x7fffffff)
      throw new InvalidArgumentError(`${JSON.stringify(one)} is no partition.`)
    return Number(one)
  })
  return [...before, { topic, partitions: [...new Set(partitions)] }]
}

/** An offset, or with a sign a distance. */
export function signedOffset(text: string): bigint {
  if (!/^[+-]?\d{1,16}$/.test(text)) throw new InvalidArgumentError('a whole number is needed.')
  return BigInt(text)
}

export function offset(text: string): bigint {
  const value = signedOffset(text)
  if (value < 0n) throw new InvalidArgumentError('an offset of at least 0 is needed.')
  return value
}

/** A date in milliseconds, `2025-01-31T12:30:00.000`; without a zone it is UTC, as for Kafka's tool. */
export function dateTime(text: string): number {
  const isDate = /^\d{4}-\d\d-\d\d(T[\d:.]+(Z|[+-]\d\d:?\d\d)?)?$/i.test(text)
  const hasZone = /T.*(Z|[+-]\d\d:?\d\d)$/i.test(text)
  const timestamp = isDate ? Date.parse(/T/i.test(text) && !hasZone ? `${text}Z` : text) : Number.NaN
  if (!Number.isSafeInteger(timestamp) || timestamp < 0)
    throw new InvalidArgumentError('a date is needed, as 2025-01-31T12:30:00, with a zone or in UTC.')
  return timestamp
}
