import type { Records } from '../protocol/schema.js'

export function byteLength(records: Records): number {
  if (records instanceof Uint8Array) return records.length
  let sum = 0
  for (const part of records) sum += part.length
  return sum
}
