import { expect } from 'vitest'
import type { Field, Fields, FieldType, Records } from '../../../ts/protocol/schema.js'

/** A frame as one buffer, after a look at the length in its front. */
export function joined(parts: readonly Uint8Array[]): Buffer {
  const frame = Buffer.concat(parts)
  expect(frame.readInt32BE(0)).toBe(frame.length - 4)
  return frame
}

export function bodyOf(frame: Buffer): Buffer {
  return frame.subarray(4)
}

/** `bytes` cut at the given fractions of its length; some chunks may be empty. */
export function chunked(bytes: Uint8Array, fractions: readonly number[]): Uint8Array[] {
  const ends = [...fractions.map((fraction) => Math.floor(fraction * bytes.length)), bytes.length].sort((a, b) => a - b)
  return ends.map((end, i) => bytes.subarray(i === 0 ? 0 : ends[i - 1]!, end))
}

/** A message to compare: tagged fields at their default are away, records are one list of numbers. */
export function normal(fields: Fields, value: unknown): unknown {
  const result: Record<string, unknown> = {}
  for (const name in fields) {
    const given = (value as Record<string, unknown>)[name]
    const plain = given === undefined ? undefined : normalValue(fields[name]!.type, given)
    if (fields[name]!.tag === null || !equalsDefault(fields[name]!, plain)) result[name] = plain
  }
  return result
}

function normalValue(type: FieldType, value: unknown): unknown {
  if (value === null) return null
  if (type === 'records') return [...Buffer.concat(listOf(value as Records))]
  if (type === 'bytes') return [...(value as Uint8Array)]
  if (typeof type === 'string') return value
  if (type.kind === 'array') return (value as unknown[]).map((element) => normalValue(type.of, element))
  return normal(type.fields, value)
}

function listOf(records: Records): readonly Uint8Array[] {
  return records instanceof Uint8Array ? [records] : records
}

function equalsDefault({ type, default: ownDefault }: Field, plain: unknown): boolean {
  if (plain === undefined || plain === ownDefault) return true
  if (plain === null || ownDefault === null) return false
  if (Array.isArray(plain)) return plain.length === 0
  if (typeof type === 'string' || type.kind === 'array') return false
  return Object.entries(type.fields).every(([name, field]) =>
    equalsDefault(field, (plain as Record<string, unknown>)[name]),
  )
}
