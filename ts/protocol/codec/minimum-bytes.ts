import { covers, type Fields, type FieldType } from '../schema.js'

/**
 * The fewest bytes a value of this type can take at a version, at least 1. An array that claims more elements than the
 * rest of the message could hold is refused before anything is allocated for it.
 */
export function minimumBytes(type: FieldType, version: number, flexible: boolean): number {
  switch (type) {
    case 'bool':
    case 'int8':
      return 1
    case 'int16':
    case 'uint16':
      return 2
    case 'int32':
      return 4
    case 'int64':
    case 'float64':
      return 8
    case 'uuid':
      return 16
    case 'string':
      return flexible ? 1 : 2
    case 'bytes':
    case 'records':
      return flexible ? 1 : 4
    default:
      return type.kind === 'array' ? (flexible ? 1 : 4) : minimumOfFields(type.fields, version, flexible)
  }
}

function minimumOfFields(fields: Fields, version: number, flexible: boolean): number {
  let sum = flexible ? 1 : 0
  for (const { type, versions, nullable, tagged } of Object.values(fields)) {
    if (!covers(versions, version) || covers(tagged, version)) continue
    const isNullableStruct = typeof type === 'object' && type.kind === 'struct' && covers(nullable, version)
    sum += isNullableStruct ? 1 : minimumBytes(type, version, flexible)
  }
  return Math.max(1, sum)
}
