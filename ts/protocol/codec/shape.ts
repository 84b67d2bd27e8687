import { covers, type Field, type Fields, type FieldType, type WrittenOut } from '../schema.js'

/** What is the same for every field of a message at one version. */
export interface Shape {
  readonly version: number
  readonly flexible: boolean
}

/** What the codec needs to know of a struct, or of a message, which is one. */
export interface StructTable {
  readonly fields: Fields
  readonly writtenOut?: WrittenOut
}

/** Bytes that a string may have, in either encoding. */
export const longestString = 0x7fff

/** How a version carries a field: not at all, in its place, or behind the others under its tag. */
export function placement({ versions, tagged }: Field, { version }: Shape): 'lacking' | 'plain' | 'tagged' {
  if (!covers(versions, version)) return 'lacking'
  return covers(tagged, version) ? 'tagged' : 'plain'
}

/** A struct that may be null says so by a value in front of it; other types have lengths for that. */
export function isNullableStruct({ type, nullable }: Field, { version }: Shape): boolean {
  return isStruct(type) && covers(nullable, version)
}

export function isStruct(type: FieldType): boolean {
  return typeof type === 'object' && type.kind === 'struct'
}
