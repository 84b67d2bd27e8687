/**
 * Plans for reading: closures, put together once per message and version when that is first met.
 *
 * Measured against source generated from the same tables (`new Function`), with every message in use, in us for closures
 * and generated: Produce v7 request with one partition 0.56 and 0.42, Heartbeat v4 0.40 and 0.34, Fetch v16 request with
 * one partition 0.94 and 0.58, with a hundred 20 and 5, Metadata v12 response with a thousand 225 and 87, and all
 * messages in turn 1.4-1.9 and 1.8-3.3, since so much generated code is slow to get warm. Walking the table with a switch
 * lies beside the closures. Generated code would need this path too, for processes that forbid it
 * (`--disallow-code-generation-from-strings`).
 *
 * The few structs that come many thousand times a second have their fields written out in their tables (`WrittenOut`),
 * which does without stores by names that vary: of a Produce v7 request 0.32 us in place of 1.1, measured in one run on a
 * slower machine, of a Fetch v16 request with a hundred partitions 7 in place of 34. `npm run bench -- codec` has more.
 */

import { covers, defaultsOf, type Field, type FieldType, type Take } from '../schema.js'
import { malformed } from './malformed.js'
import { minimumBytes } from './minimum-bytes.js'
import type { Reader } from './reader.js'
import { isNullableStruct, longestString, placement, type Shape, type StructTable } from './shape.js'

/** Reads one value; a plan is made once per message and version, and holds every decision that those two settle. */
export type Read = (reader: Reader) => unknown

const shortList = 16

interface TaggedRead {
  readonly name: string
  readonly read: Read
}

export function readStruct({ fields, writtenOut }: StructTable, shape: Shape, place: string): Read {
  const names = Object.keys(fields)
  const reads: Read[] = []
  const tagged = new Map<number, TaggedRead>()
  for (const name of names) {
    const field = fields[name]!
    const inPlace = `${place}.${name}`
    const placed = placement(field, shape)
    if (placed === 'tagged') tagged.set(field.tag!, { name, read: readTagged(field, shape, inPlace) })
    if (placed === 'plain') reads.push(readPlain(field, shape, inPlace))
    else reads.push(readNothing(field))
  }
  const { flexible } = shape
  const readFields = writtenOut?.read
  if (readFields !== undefined) {
    return (reader) => {
      const result = readFields(reads as Take[], reader) as Record<string, unknown>
      if (flexible) readTags(reader, tagged, result, place)
      return result
    }
  }
  const Struct = plainClass()
  return (reader) => {
    const result = new Struct()
    for (let i = 0; i < reads.length; i++) result[names[i]!] = reads[i]!(reader)
    if (flexible) readTags(reader, tagged, result, place)
    return result
  }
}

/**
 * Makes plain objects, of `Object.prototype` like any literal. A constructor of its own per struct lets the engine learn
 * how many fields these objects get: half the time of filling in a copy of a template (0.09 against 0.18 us for 6 fields).
 */
function plainClass(): new () => Record<string, unknown> {
  function Struct() {}
  Struct.prototype = Object.prototype
  return Struct as unknown as new () => Record<string, unknown>
}

function readTags(
  reader: Reader,
  known: ReadonlyMap<number, TaggedRead>,
  result: Record<string, unknown>,
  place: string,
): void {
  for (let left = reader.readUvarint(); left > 0; left--) {
    const field = known.get(reader.readUvarint())
    const size = reader.readUvarint()
    if (field === undefined) {
      reader.skip(size)
      continue
    }
    const before = reader.remaining
    result[field.name] = field.read(reader)
    if (before - reader.remaining !== size) throw malformed(`${place}.${field.name} is not of the size it says`)
  }
}

/** What stands for a field that is not in its place: its default, absent where it is tagged in this or other versions. */
function readNothing({ type, tag, default: value }: Field): Read {
  if (tag !== null) return absent
  if (value !== undefined || typeof type === 'string' || type.kind === 'array') return () => value
  return () => defaultsOf(type.fields)
}

function absent(): undefined {
  return undefined
}

function readPlain(field: Field, shape: Shape, place: string): Read {
  const read = readValue(field.type, shape, covers(field.nullable, shape.version), place)
  return isNullableStruct(field, shape) ? (reader) => (reader.readInt8() < 0 ? null : read(reader)) : read
}

function readTagged(field: Field, shape: Shape, place: string): Read {
  const read = readValue(field.type, shape, covers(field.nullable, shape.version), place)
  return isNullableStruct(field, shape) ? (reader) => (reader.readUvarint() === 0 ? null : read(reader)) : read
}

function readValue(type: FieldType, shape: Shape, nullable: boolean, place: string): Read {
  switch (type) {
    case 'bool':
      return (reader) => reader.readBool()
    case 'int8':
      return (reader) => reader.readInt8()
    case 'int16':
      return (reader) => reader.readInt16()
    case 'uint16':
      return (reader) => reader.readUint16()
    case 'int32':
      return (reader) => reader.readInt32()
    case 'int64':
      return (reader) => reader.readInt64()
    case 'float64':
      return (reader) => reader.readFloat64()
    case 'uuid':
      return (reader) => reader.readUuid()
    case 'string':
      return readString(shape, nullable, place)
    case 'bytes': {
      const length = readLength(shape, nullable, place)
      return (reader) => {
        const size = length(reader)
        return size < 0 ? null : reader.readBytes(size)
      }
    }
    case 'records': {
      const length = readLength(shape, nullable, place)
      return (reader) => {
        const size = length(reader)
        return size < 0 ? null : reader.readSlices(size)
      }
    }
    default:
      return type.kind === 'struct' ? readStruct(type, shape, place) : readArray(type.of, shape, nullable, place)
  }
}

/** Reads the length of bytes, records or an array: -1 for null, where it may be null. */
function readLength({ flexible }: Shape, nullable: boolean, place: string): (reader: Reader) => number {
  const shortest = nullable ? -1 : 0
  return (reader) => {
    const length = flexible ? reader.readUvarint() - 1 : reader.readInt32()
    if (length < shortest) throw badLength(place, length)
    return length
  }
}

function readString({ flexible }: Shape, nullable: boolean, place: string): Read {
  const shortest = nullable ? -1 : 0
  return (reader) => {
    const length = flexible ? reader.readUvarint() - 1 : reader.readInt16()
    if (length < shortest || length > longestString) throw badLength(place, length)
    return length < 0 ? null : reader.readString(length)
  }
}

function readArray(of: FieldType, shape: Shape, nullable: boolean, place: string): Read {
  const readCount = readLength(shape, nullable, place)
  const read = readValue(of, shape, false, place)
  const smallest = minimumBytes(of, shape)
  return (reader) => {
    const count = readCount(reader)
    if (count < 0) return null
    if (count * smallest > reader.remaining)
      throw malformed(`${place} claims ${count} elements, more than fit into the message`)
    reader.countElements(count)
    // A list that grows begins with room for 17.
    const result: unknown[] = count <= shortList ? new Array(count) : []
    for (let i = 0; i < count; i++) result[i] = read(reader)
    return result
  }
}

function badLength(place: string, length: number) {
  return malformed(length === -1 ? `${place} is null, which it may not be` : `${place} has the length ${length}`)
}
