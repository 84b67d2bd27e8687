import type { Fields, FieldType } from '../schema.js'
import { isNullableStruct, placement, type Shape } from './shape.js'

/**
 * The fewest bytes a value of this type can take at a version, at least 1. An array that claims more elements than the
 * rest of the message could hold is refused before anything is allocated for it.
 */
export function minimumBytes(type: FieldType, shape: Shape): number {
  const { flexible } = shape
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
      return type.kind === 'array' ? (flexible ? 1 : 4) : minimumOfFields(type.fields, shape)
  }
}

function minimumOfFields(fields: Fields, shape: Shape): number {
  let sum = shape.flexible ? 1 : 0
  for (const field of Object.values(fields)) {
    if (placement(field, shape) !== 'plain') continue
    sum += isNullableStruct(field, shape) ? 1 : minimumBytes(field.type, shape)
  }
  return Math.max(1, sum)
}
