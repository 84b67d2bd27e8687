import { isUint8Array } from 'node:util/types'
import type { Field, Fields } from '../schema.js'

/** True for a value that a version without the field stands for. Undefined is one: the field was left away. */
export function isDefault({ type, default: value }: Field, given: unknown): boolean {
  if (given === undefined || given === value) return true
  if (given === null || value === null) return false
  if (type === 'bytes') return isUint8Array(given) && given.length === 0
  if (typeof type === 'string') return false
  if (type.kind === 'array') return Array.isArray(given) && given.length === 0
  return typeof given === 'object' && isDefaultStruct(type.fields, given as Record<string, unknown>)
}

function isDefaultStruct(fields: Fields, given: Record<string, unknown>): boolean {
  for (const name in fields) if (!isDefault(fields[name]!, given[name])) return false
  return true
}
