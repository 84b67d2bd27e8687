import { SeglogError } from '../errors/seglog-error.js'
import { configType } from '../protocol/messages/32-describe-configs.js'

/** A broker key that sets the default of a topic key; `factor` converts its unit (hours, minutes) to the topic key's. */
export interface BrokerSynonym {
  readonly key: string
  readonly factor: number
}

/** One config key: what it accepts, what it means, whether Seglog acts on it. Values are kept as text, as Kafka does. */
export interface ConfigDef {
  /** Kafka's number for the type, see `configType`. */
  readonly type: number
  /** Null: it has no value unless one is set. */
  readonly default: string | null
  /** Completes "must be ...". */
  readonly expected: string
  readonly accepts: (value: string) => boolean
  /** False: taken and kept for Kafka's tools, without effect here so far. */
  readonly used: boolean
  readonly doc: string
  /** Broker keys that set its default, the one that wins first. */
  readonly synonyms: readonly BrokerSynonym[]
}

/**
 * How a broker config may change while the broker runs, in Kafka's words: not at all, for one broker only, or for the
 * whole cluster too.
 */
export type UpdateMode = 'read-only' | 'per-broker' | 'cluster-wide'

export interface BrokerConfigDef extends ConfigDef {
  readonly update: UpdateMode
}

export type ConfigTable = Readonly<Record<string, ConfigDef>>

interface DefOptions {
  used?: boolean
  synonyms?: readonly (string | BrokerSynonym)[]
}

function def(
  type: number,
  value: string | null,
  expected: string,
  accepts: ConfigDef['accepts'],
  doc: string,
  o: DefOptions,
): ConfigDef {
  const synonyms = (o.synonyms ?? []).map((s) => (typeof s === 'string' ? { key: s, factor: 1 } : s))
  return { type, default: value, expected, accepts, used: o.used ?? false, doc, synonyms }
}

export const longMax = 0x7fff_ffff_ffff_ffffn
const intMax = 0x7fff_ffffn

function whole(kind: 'int' | 'long', value: bigint, min: bigint, max: bigint | undefined, doc: string, o: DefOptions) {
  const top = max ?? (kind === 'int' ? intMax : longMax)
  const expected = max === undefined ? `a whole number of at least ${min}` : `a whole number from ${min} to ${max}`
  const accepts = (text: string) => /^[+-]?\d{1,19}$/.test(text) && BigInt(text) >= min && BigInt(text) <= top
  return def(configType[kind], String(value), expected, accepts, doc, o)
}

/** Any text. */
export function textConfig(value: string | null, doc: string, o: DefOptions = {}): ConfigDef {
  return def(configType.string, value, 'text', () => true, doc, o)
}

/** A 32-bit integer, at least `min` and at most `max`. */
export function intConfig(value: number, min: number, doc: string, o: DefOptions & { max?: number } = {}): ConfigDef {
  return whole('int', BigInt(value), BigInt(min), o.max === undefined ? undefined : BigInt(o.max), doc, o)
}

/** A 64-bit integer, at least `min`. */
export function longConfig(value: number | bigint, min: number, doc: string, o: DefOptions = {}): ConfigDef {
  return whole('long', BigInt(value), BigInt(min), undefined, doc, o)
}

export function ratioConfig(value: number, doc: string, o: DefOptions = {}): ConfigDef {
  const accepts = (text: string) => /^\d*\.?\d+$/.test(text) && Number(text) <= 1
  return def(configType.double, String(value), 'a number from 0 to 1', accepts, doc, o)
}

export function booleanConfig(value: boolean, doc: string, o: DefOptions = {}): ConfigDef {
  return def(configType.boolean, String(value), 'true or false', (text) => /^(true|false)$/i.test(text), doc, o)
}

export function choiceConfig(value: string, choices: readonly string[], doc: string, o: DefOptions = {}): ConfigDef {
  return def(configType.string, value, `one of ${choices.join(', ')}`, (text) => choices.includes(text), doc, o)
}

/** Comma-separated; `choices` null takes any items. */
export function listConfig(
  value: string | null,
  choices: readonly string[] | null,
  doc: string,
  o: DefOptions = {},
): ConfigDef {
  const expected = choices === null ? 'a comma-separated list' : `a comma-separated list of ${choices.join(', ')}`
  return def(
    configType.list,
    value,
    expected,
    (text) => choices === null || listItems(text).every((item) => choices.includes(item)),
    doc,
    o,
  )
}

/** A config that has no effect here: any value of its type is taken. */
export function valueConfig(type: keyof typeof configType, value: string | null, doc: string): ConfigDef {
  const { expected, accepts } = typeRules[type] ?? textRule
  return def(configType[type], value, expected, accepts, doc, {})
}

interface TypeRule {
  readonly expected: string
  readonly accepts: (text: string) => boolean
}

function isWhole(text: string, max: bigint): boolean {
  return /^[+-]?\d{1,19}$/.test(text) && BigInt(text) <= max && BigInt(text) >= -max - 1n
}

const textRule: TypeRule = { expected: 'text', accepts: () => true }
const typeRules: { readonly [type in keyof typeof configType]?: TypeRule } = {
  boolean: { expected: 'true or false', accepts: (text) => /^(true|false)$/i.test(text) },
  short: { expected: 'a whole number of 16 bits', accepts: (text) => isWhole(text, 0x7fffn) },
  int: { expected: 'a whole number of 32 bits', accepts: (text) => isWhole(text, intMax) },
  long: { expected: 'a whole number of 64 bits', accepts: (text) => isWhole(text, longMax) },
  double: { expected: 'a number', accepts: (text) => text !== '' && Number.isFinite(Number(text)) },
}

export function listItems(text: string): string[] {
  return text
    .split(',')
    .map((item) => item.trim())
    .filter((item) => item !== '')
}

/** A validated whole number as a JavaScript number; above 2^53 (Kafka's "never" is 2^63 - 1) it is Infinity. */
export function toNumber(text: string): number {
  const value = Number(text)
  return value > Number.MAX_SAFE_INTEGER ? Number.POSITIVE_INFINITY : value
}

/**
 * Checks one key and value; answers the value as it is to be kept. Throws UNKNOWN_CONFIG naming the nearest known key,
 * INVALID_CONFIG for a value outside its rule. `owner` names whose config it is, as "topic orders".
 */
export function checkConfig(table: ConfigTable, key: string, value: string | null, owner: string): string {
  const rule = Object.hasOwn(table, key) ? table[key] : undefined
  if (rule === undefined) throw unknownConfig(Object.keys(table), key, owner)
  const text = value?.trim()
  if (text === undefined || !rule.accepts(text)) {
    const got = value === null ? 'null' : JSON.stringify(value.length > 100 ? `${value.slice(0, 100)}...` : value)
    throw new SeglogError('INVALID_CONFIG', `${key} of ${owner} must be ${rule.expected}, got ${got}`, { key })
  }
  return rule.type === configType.boolean ? text.toLowerCase() : text
}

export function unknownConfig(known: readonly string[], key: string, owner: string): SeglogError {
  const near = nearest(known, key)
  const hint = near === null ? 'see the list of configs in the documentation' : `did you mean ${near}?`
  return new SeglogError('UNKNOWN_CONFIG', `${JSON.stringify(key)} is no config of ${owner}; ${hint}`, { key })
}

/** The known key with the fewest edits to the given one, or null if none is close (more than a third would change). */
export function nearest(known: readonly string[], key: string): string | null {
  if (key.length > 100) return null
  const wanted = key.toLowerCase().replaceAll('_', '.')
  let best: string | null = null
  let bestDistance = Math.floor(Math.max(key.length, 6) / 3) + 1
  for (const candidate of known) {
    const distance = editDistance(wanted, candidate)
    if (distance < bestDistance) {
      best = candidate
      bestDistance = distance
    }
  }
  return best
}

/** Insertions, deletions and substitutions that turn one text into the other. */
function editDistance(a: string, b: string): number {
  let row = Array.from({ length: b.length + 1 }, (_, i) => i)
  for (let i = 1; i <= a.length; i++) {
    const next = [i]
    for (let j = 1; j <= b.length; j++) {
      next[j] = Math.min(next[j - 1] + 1, row[j] + 1, row[j - 1] + (a[i - 1] === b[j - 1] ? 0 : 1))
    }
    row = next
  }
  return row[b.length]
}
