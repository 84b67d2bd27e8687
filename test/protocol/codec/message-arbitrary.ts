import * as fc from 'fast-check'
import {
  covers,
  defaultsOf,
  type Field,
  type Fields,
  type FieldType,
  type Scalar,
  type Table,
} from '../../../ts/protocol/schema.js'

/** Any value of `table` that `version` can carry: a field it lacks is at its default, a tagged one may be left away. */
export function messageAt(table: Table, version: number): fc.Arbitrary<Record<string, unknown>> {
  return structAt(table.fields, version)
}

function structAt(fields: Fields, version: number): fc.Arbitrary<Record<string, unknown>> {
  const values: Record<string, fc.Arbitrary<unknown>> = {}
  for (const name in fields) {
    const field = fields[name]!
    if (covers(field.versions, version)) values[name] = fieldAt(field, version)
    else if (field.tag === null) values[name] = fc.constant(field.default ?? structDefault(field))
  }
  return fc.record(values)
}

function structDefault({ type, default: value }: Field): unknown {
  return value === undefined && typeof type === 'object' && type.kind === 'struct' ? defaultsOf(type.fields) : value
}

function fieldAt(field: Field, version: number): fc.Arbitrary<unknown> {
  const value = valueAt(field.type, version)
  const orNull = covers(field.nullable, version) ? fc.option(value, { nil: null, freq: 4 }) : value
  return covers(field.tagged, version) ? fc.option(orNull, { nil: undefined, freq: 2 }) : orNull
}

function valueAt(type: FieldType, version: number): fc.Arbitrary<unknown> {
  switch (type) {
    case 'bool':
      return fc.boolean()
    case 'int8':
      return fc.integer({ min: -0x80, max: 0x7f })
    case 'int16':
      return fc.integer({ min: -0x8000, max: 0x7fff })
    case 'uint16':
      return fc.integer({ min: 0, max: 0xffff })
    case 'int32':
      return fc.integer()
    case 'int64':
      return fc.bigInt({ min: -(2n ** 63n), max: 2n ** 63n - 1n })
    case 'float64':
      return fc.double()
    case 'uuid':
      return fc.uint8Array({ minLength: 16, maxLength: 16 }).map((bytes) => Buffer.from(bytes).toString('base64url'))
    case 'string':
      return fc.oneof(
        { weight: 3, arbitrary: fc.string({ unit: 'grapheme' }) },
        fc.string({ minLength: 100, maxLength: 200 }),
      )
    case 'bytes':
    case 'records':
      return fc.uint8Array({ maxLength: 300 })
    default:
      return type.kind === 'struct'
        ? structAt(type.fields, version)
        : fc.array(valueAt(type.of, version), { maxLength: 4 })
  }
}

/** A message with something in every field that `version` has, two elements in every array. Always the same. */
export function filledAt(table: Table, version: number): Record<string, unknown> {
  return filledStruct(table.fields, version)
}

const fillings: Record<Scalar, unknown> = {
  bool: true,
  int8: 0x12,
  int16: 0x1234,
  uint16: 0xfedc,
  int32: 0x12345678,
  int64: 0x123456789abcdefn,
  float64: 0.1,
  uuid: 'ABEiM0RVZneImaq7zN3u_w',
  string: 'word',
  bytes: Uint8Array.of(1, 2, 3),
  records: Uint8Array.of(4, 5, 6, 7),
}

function filledStruct(fields: Fields, version: number): Record<string, unknown> {
  const result: Record<string, unknown> = {}
  for (const name in fields) {
    const field = fields[name]!
    if (covers(field.versions, version)) result[name] = filling(field.type, version)
    else if (field.tag === null) result[name] = field.default ?? structDefault(field)
  }
  return result
}

function filling(type: FieldType, version: number): unknown {
  if (typeof type === 'string') return fillings[type]
  if (type.kind === 'struct') return filledStruct(type.fields, version)
  return [filling(type.of, version), filling(type.of, version)]
}
