import { SeglogError } from '../errors/seglog-error.js'

/** What one option accepts, and how to say so. */
export interface OptionRule {
  /** Completes the sentence "must be ...". */
  readonly expected: string
  readonly accepts: (value: unknown) => boolean
}

export type OptionRules = Readonly<Record<string, OptionRule>>

export const flag: OptionRule = { expected: 'true or false', accepts: (value) => typeof value === 'boolean' }

export const text: OptionRule = {
  expected: 'a string that is not empty',
  accepts: (value) => typeof value === 'string' && value !== '',
}

export const callback: OptionRule = { expected: 'a function', accepts: (value) => typeof value === 'function' }

export const abortSignal: OptionRule = {
  expected: 'an AbortSignal',
  accepts: (value) =>
    isObject(value) && typeof value.aborted === 'boolean' && typeof value.addEventListener === 'function',
}

export const plainObject: OptionRule = {
  expected: 'an object',
  accepts: (value) => isObject(value) && !Array.isArray(value),
}

export function integer(min: number, max: number = Number.MAX_SAFE_INTEGER): OptionRule {
  const upTo = max === Number.MAX_SAFE_INTEGER ? `an integer of at least ${min}` : `an integer from ${min} to ${max}`
  return {
    expected: upTo,
    accepts: (value) => Number.isSafeInteger(value) && (value as number) >= min && (value as number) <= max,
  }
}

export function oneOf(...values: readonly (string | number)[]): OptionRule {
  return {
    expected: `one of ${values.map((value) => shown(value)).join(', ')}`,
    accepts: (value) => values.includes(value as string | number),
  }
}

export function rule(expected: string, accepts: (value: unknown) => boolean): OptionRule {
  return { expected, accepts }
}

/**
 * Checks an options object against its rules; `undefined` stands for an option that was not given.
 *
 * Throws SeglogError MISSPELLED_OPTION for a name close to one that exists, INVALID_OPTION for any other unknown name
 * and for a value outside its rule.
 */
export function checkOptions(of: string, given: unknown, rules: OptionRules): void {
  if (given === undefined) return
  if (!isObject(given) || Array.isArray(given)) {
    throw new SeglogError('INVALID_OPTION', `The options of ${of} must be an object, got ${shown(given)}`)
  }
  for (const name in given) {
    const value = given[name]
    if (!Object.hasOwn(rules, name)) throw unknownOption(of, name, Object.keys(rules))
    if (value === undefined || rules[name].accepts(value)) continue
    throw invalidOption(of, name, rules[name].expected, value)
  }
}

export function invalidOption(of: string, name: string, expected: string, value: unknown): SeglogError {
  const message = `Option \`${name}\` of ${of} must be ${expected}, got ${shown(value)}`
  return new SeglogError('INVALID_OPTION', message, { key: name })
}

function unknownOption(of: string, name: string, known: readonly string[]): SeglogError {
  const near = nearest(name, known)
  if (near !== null) {
    return new SeglogError('MISSPELLED_OPTION', `Misspelled option \`${name}\` should be \`${near}\``, { key: name })
  }
  const list = known.length === 0 ? 'it has none' : `it knows ${known.join(', ')}`
  return new SeglogError('INVALID_OPTION', `Unknown option \`${name}\` of ${of}; ${list}`, { key: name })
}

/** The candidate that `name` most probably means: at most a third of it mistyped, case not counted; else null. */
export function nearest(name: string, candidates: readonly string[]): string | null {
  const limit = Math.max(1, Math.floor(name.length / 3))
  let best: string | null = null
  let bestDistance = limit + 1
  for (const candidate of candidates) {
    const distance = editDistance(name.toLowerCase(), candidate.toLowerCase())
    if (distance < bestDistance) {
      best = candidate
      bestDistance = distance
    }
  }
  return best
}

/** Insertions, deletions, replacements and swaps of neighbours between two words. */
export function editDistance(a: string, b: string): number {
  let beforeLast: number[] = []
  let last = Array.from({ length: b.length + 1 }, (_, column) => column)
  for (let i = 1; i <= a.length; i++) {
    const row = [i]
    for (let j = 1; j <= b.length; j++) {
      const replaced = last[j - 1] + (a[i - 1] === b[j - 1] ? 0 : 1)
      row[j] = Math.min(replaced, last[j] + 1, row[j - 1] + 1)
      const swapped = i > 1 && j > 1 && a[i - 1] === b[j - 2] && a[i - 2] === b[j - 1]
      if (swapped) row[j] = Math.min(row[j], beforeLast[j - 2] + 1)
    }
    beforeLast = last
    last = row
  }
  return last[b.length]
}

/** A value as an error message shows it: short, and never by calling the value's own code. */
export function shown(value: unknown): string {
  if (typeof value === 'string') return JSON.stringify(value.length > 60 ? `${value.slice(0, 60)}...` : value)
  if (typeof value === 'bigint') return `${value}n`
  if (typeof value === 'function') return 'a function'
  if (typeof value === 'symbol') return 'a symbol'
  if (Array.isArray(value)) return 'an array'
  if (value instanceof Uint8Array) return `${value.length} bytes`
  if (typeof value === 'object' && value !== null) return 'an object'
  return String(value)
}

export function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null
}
