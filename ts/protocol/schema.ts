/**
 * The language Kafka's messages are written in here: one table per message, from which the TypeScript type is inferred
 * and over which the wire codec works. A table holds the fields of every supported version in wire order, so one object
 * per message serves them all: a field that a version lacks is left at its default.
 *
 * TypeScript shapes: int8/16/32 and uint16 number, int64 bigint, uuid string (22 characters, see uuid.ts), records
 * `Records`, a nullable field adds null. Tagged fields are optional properties: absent means the default.
 */

import type { FileRegion } from './file-region.js'

/** Versions that a field or rule covers, both ends included. `from > to` covers none. */
export interface VersionRange {
  readonly from: number
  readonly to: number
}

/** A range as Kafka's schemas write it: `3+`, `0-12`, `7`, or `none`. */
export type VersionSpec = `${number}+` | `${number}-${number}` | `${number}` | 'none'

const newest = 0x7fff

/** Record batches, back to back: one buffer, or several to be read as one. Never copied on the way through a message. */
export type Records = Uint8Array | readonly Uint8Array[]

/** What a fetch answers with: batches in memory or, where the request's context takes regions, in a segment file. */
export type StoredRecords = Records | FileRegion

export type Scalar =
  | 'bool'
  | 'int8'
  | 'int16'
  | 'uint16'
  | 'int32'
  | 'int64'
  | 'float64'
  | 'uuid'
  | 'string'
  | 'bytes'
  | 'records'

export type FieldType = Scalar | ArrayType | StructType

export interface ArrayType {
  readonly kind: 'array'
  readonly of: FieldType
}

export interface StructType {
  readonly kind: 'struct'
  readonly fields: Fields
  readonly writtenOut?: WrittenOut
}

/** Reads the next value from what the codec reads; of whatever type the field is. */
export type Take = (from: Source) => never
/** Writes a value. */
export type Put = (to: Sink, value: unknown) => void
/** What the codec reads from and writes to: nobody else's business. */
export interface Source {
  readonly remaining: number
}
export interface Sink {
  beginFrame(): void
}

/**
 * A struct's fields written out by name, each with the function at its place in the table, in the table's order. The codec
 * can do without: it then goes over the names, and each access by a name that varies is a search of 20 ns or more. What
 * stands in the code is compiled as it stands. For structs that come many thousand times a second.
 */
export interface WrittenOut<T = never> {
  readonly read?: (take: readonly Take[], from: Source) => object
  readonly write?: (put: readonly Put[], to: Sink, value: T) => void
}

interface WrittenOutFor<T> extends WrittenOut<T> {
  readonly read?: (take: readonly Take[], from: Source) => T & object
}

export interface Field<T = unknown, Optional extends boolean = boolean> {
  readonly type: FieldType
  /** Versions of the message that have this field. */
  readonly versions: VersionRange
  /** Versions in which null may be sent. */
  readonly nullable: VersionRange
  /** Tag number, or null for a field in plain order. */
  readonly tag: number | null
  /** Versions in which the field is tagged (never reaching below the first flexible version). */
  readonly tagged: VersionRange
  /** True if a value other than the default may be dropped silently when the version lacks the field. */
  readonly ignorable: boolean
  /** Value of a version that lacks the field; structs have none, theirs is made of their fields' defaults. */
  readonly default: unknown
  /** Only for inference. */
  readonly infer?: { readonly value: T; readonly optional: Optional }
}

export interface Fields {
  readonly [name: string]: Field
}

export interface FieldOptions<T> {
  /** Default `0+`. */
  versions?: VersionSpec
  nullable?: VersionSpec
  tag?: number
  /** Default: `versions`, when a tag is given. */
  tagged?: VersionSpec
  ignorable?: boolean
  default?: T | null
}

type ValueOf<T, O> = O extends { nullable: string } ? T | null : T
type OptionalOf<O> = O extends { tag: number } ? true : false

/** The message that a table describes, as a TypeScript type. */
export type Infer<M extends { readonly fields: Fields }> = InferFields<M['fields']>

type InferFields<F extends Fields> = Simplify<
  { [K in keyof F as F[K] extends Field<infer _T, true> ? never : K]: InferField<F[K]> } & {
    [K in keyof F as F[K] extends Field<infer _T, true> ? K : never]?: InferField<F[K]>
  }
>
type InferField<F> = F extends Field<infer T, infer _O> ? T : never
type Simplify<T> = { [K in keyof T]: T[K] }

/** The few dozen ranges there are, by their text: the tables name them thousands of times while they are loaded. */
const ranges = new Map<string, VersionRange>()

/** Reads a version range; throws a TypeError for anything that is not one. */
export function versionRange(spec: VersionSpec): VersionRange {
  const known = ranges.get(spec)
  if (known !== undefined) return known
  const range = parseRange(spec)
  ranges.set(spec, range)
  return range
}

function parseRange(spec: VersionSpec): VersionRange {
  if (spec === 'none') return { from: 1, to: 0 }
  const match = /^(\d+)(\+|-(\d+))?$/.exec(spec)
  if (match === null) throw new TypeError(`version range expected, like 3+, 0-12 or 7; got ${JSON.stringify(spec)}`)
  const from = Number(match[1])
  return { from, to: match[2] === undefined ? from : match[2] === '+' ? newest : Number(match[3]) }
}

export function covers(range: VersionRange, version: number): boolean {
  return version >= range.from && version <= range.to
}

function field<T, const O extends FieldOptions<T>>(
  type: FieldType,
  ownDefault: unknown,
  options: O | undefined,
): Field<ValueOf<T, O>, OptionalOf<O>> {
  const versions = options?.versions ?? '0+'
  return {
    type,
    versions: versionRange(versions),
    nullable: versionRange(options?.nullable ?? 'none'),
    tag: options?.tag ?? null,
    tagged: versionRange(options?.tag === undefined ? 'none' : (options.tagged ?? versions)),
    ignorable: options?.ignorable ?? false,
    default: options?.default === undefined ? ownDefault : options.default,
  }
}

export const bool = <const O extends FieldOptions<boolean>>(o?: O) => field<boolean, O>('bool', false, o)
export const int8 = <const O extends FieldOptions<number>>(o?: O) => field<number, O>('int8', 0, o)
export const int16 = <const O extends FieldOptions<number>>(o?: O) => field<number, O>('int16', 0, o)
export const uint16 = <const O extends FieldOptions<number>>(o?: O) => field<number, O>('uint16', 0, o)
export const int32 = <const O extends FieldOptions<number>>(o?: O) => field<number, O>('int32', 0, o)
export const int64 = <const O extends FieldOptions<bigint>>(o?: O) => field<bigint, O>('int64', 0n, o)
export const float64 = <const O extends FieldOptions<number>>(o?: O) => field<number, O>('float64', 0, o)
export const uuid = <const O extends FieldOptions<string>>(o?: O) =>
  field<string, O>('uuid', 'AAAAAAAAAAAAAAAAAAAAAA', o)
export const string = <const O extends FieldOptions<string>>(o?: O) => field<string, O>('string', '', o)
export const bytes = <const O extends FieldOptions<Uint8Array>>(o?: O) =>
  field<Uint8Array, O>('bytes', new Uint8Array(0), o)
export const storedRecords = <const O extends FieldOptions<StoredRecords>>(o?: O) =>
  field<StoredRecords, O>('records', null, o)
/** Always nullable in Kafka's messages, so the type says so. */
export const records = <const O extends FieldOptions<Records>>(o?: O) => field<Records, O>('records', null, o)

/** The element of an array, or a struct in its own right. */
export interface Element<T> {
  readonly type: FieldType
  readonly infer?: { readonly value: T }
}

/** Fields as one value; used as an array's element or, by `nested`, as a field. */
export function struct<F extends Fields>(
  fields: F,
  writtenOut?: WrittenOutFor<InferFields<F>>,
): Element<InferFields<F>> {
  return { type: { kind: 'struct', fields, writtenOut } }
}

/** Array elements that are plain values. */
export const each = {
  int8: { type: 'int8' } as Element<number>,
  int32: { type: 'int32' } as Element<number>,
  int64: { type: 'int64' } as Element<bigint>,
  string: { type: 'string' } as Element<string>,
  uuid: { type: 'uuid' } as Element<string>,
} as const

const emptyArray: readonly never[] = Object.freeze([])

export function array<T, const O extends FieldOptions<readonly T[]>>(of: Element<T>, o?: O) {
  return field<readonly T[], O>({ kind: 'array', of: of.type }, emptyArray, o)
}

/** One struct as a field. */
export function nested<T, const O extends FieldOptions<T>>(of: Element<T>, o?: O) {
  return field<T, O>(of.type, undefined, o)
}

/** Fields under a version: what the codec reads and writes. */
export interface Table<F extends Fields = Fields> {
  readonly name: string
  readonly versions: VersionRange
  /** Versions whose encoding is compact and carries tagged fields. */
  readonly flexible: VersionRange
  readonly fields: F
  readonly writtenOut?: WrittenOut
}

/** A request or a response. */
export interface Message<F extends Fields = Fields> extends Table<F> {
  readonly apiKey: number
  /** The newest version that is offered without being asked for; later ones are previews. */
  readonly lastStable: number
}

/** Fields that travel inside a record or a bytes field, with their version as an int16 in front. No API's message. */
export interface Payload<F extends Fields = Fields> extends Table<F> {
  readonly kind: 'payload'
}

export interface PayloadTable<F extends Fields> {
  name: string
  versions: VersionSpec
  flexible: VersionSpec
  fields: F
}

export interface MessageTable<F extends Fields> extends PayloadTable<F> {
  apiKey: number
  lastStable?: number
  writtenOut?: WrittenOutFor<InferFields<F>>
}

export function message<F extends Fields>(table: MessageTable<F>): Message<F> {
  const { name, apiKey, fields, writtenOut } = table
  const versions = versionRange(table.versions)
  return {
    name,
    apiKey,
    versions,
    flexible: versionRange(table.flexible),
    lastStable: table.lastStable ?? versions.to,
    fields,
    writtenOut,
  }
}

export function payload<F extends Fields>({ name, versions, flexible, fields }: PayloadTable<F>): Payload<F> {
  return { kind: 'payload', name, versions: versionRange(versions), flexible: versionRange(flexible), fields }
}

/**
 * A message with every field at its default except those given (one level deep: elements of arrays are taken as they
 * are). For the quiet paths; the produce and fetch paths write plain literals.
 */
export function create<F extends Fields>(table: Table<F>, values: Partial<InferFields<F>> = {}): InferFields<F> {
  return { ...defaultsOf(table.fields), ...values } as InferFields<F>
}

/** Every field in plain order at its default. */
export function defaultsOf(fields: Fields): Record<string, unknown> {
  const result: Record<string, unknown> = {}
  for (const name in fields) {
    const { type, tag, default: value } = fields[name]
    if (tag !== null) continue
    result[name] =
      value === undefined && typeof type === 'object' && type.kind === 'struct' ? defaultsOf(type.fields) : value
  }
  return result
}
