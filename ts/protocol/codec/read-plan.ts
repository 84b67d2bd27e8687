import { covers, defaultsOf, type Field, type Fields, type FieldType } from '../schema.js'
import { malformed } from './malformed.js'
import { minimumBytes } from './minimum-bytes.js'
import type { Reader } from './reader.js'

/** Reads one value; a plan is made once per message and version, and holds every decision that those two settle. */
export type Read = (reader: Reader) => unknown

/** What is the same for every field of a message at one version. */
interface Shape {
  readonly version: number
  readonly flexible: boolean
}

const longestString = 0x7fff

export function readStruct(fields: Fields, shape: Shape, place: string): Read {
  const names: string[] = []
  const reads: Read[] = []
  const tags = new Map<number, { name: string; read: Read }>()
  /** Fields in the table's order, so that all objects of a plan share one shape; those that are read are overwritten. */
  const template: Record<string, unknown> = {}
  const nestedDefaults: [string, Fields][] = []
  for (const name in fields) {
    const field = fields[name]!
    const { version } = shape
    const inPlace = `${place}.${name}`
    const present = covers(field.versions, version)
    template[name] = field.tag === null ? field.default : undefined
    if (present && covers(field.tagged, version)) {
      tags.set(field.tag!, { name, read: readTagged(field, shape, inPlace) })
    } else if (present) {
      names.push(name)
      reads.push(readPlain(field, shape, inPlace))
    } else if (field.tag === null && field.default === undefined && typeof field.type === 'object') {
      if (field.type.kind === 'struct') nestedDefaults.push([name, field.type.fields])
    }
  }
  const { flexible } = shape
  return (reader) => {
    const result: Record<string, unknown> = { ...template }
    for (let i = 0; i < names.length; i++) result[names[i]!] = reads[i]!(reader)
    for (const [name, missing] of nestedDefaults) result[name] = defaultsOf(missing)
    if (flexible) {
      for (let left = reader.readUvarint(); left > 0; left--) {
        const tag = reader.readUvarint()
        const size = reader.readUvarint()
        const known = tags.get(tag)
        if (known === undefined) {
          reader.skip(size)
        } else {
          const before = reader.remaining
          result[known.name] = known.read(reader)
          if (before - reader.remaining !== size) throw malformed(`${place}.${known.name} is not of the size it says`)
        }
      }
    }
    return result
  }
}

function readPlain(field: Field, shape: Shape, place: string): Read {
  const nullable = covers(field.nullable, shape.version)
  const read = readValue(field.type, shape, nullable, place)
  if (!nullable || !isStruct(field.type)) return read
  return (reader) => (reader.readInt8() < 0 ? null : read(reader))
}

function readTagged(field: Field, shape: Shape, place: string): Read {
  const nullable = covers(field.nullable, shape.version)
  const read = readValue(field.type, shape, nullable, place)
  if (!nullable || !isStruct(field.type)) return read
  return (reader) => (reader.readUvarint() === 0 ? null : read(reader))
}

function isStruct(type: FieldType): boolean {
  return typeof type === 'object' && type.kind === 'struct'
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
      return type.kind === 'struct' ? readStruct(type.fields, shape, place) : readArray(type.of, shape, nullable, place)
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
  const smallest = minimumBytes(of, shape.version, shape.flexible)
  return (reader) => {
    const count = readCount(reader)
    if (count < 0) return null
    if (count * smallest > reader.remaining)
      throw malformed(`${place} claims ${count} elements, more than fit into the message`)
    const result: unknown[] = []
    for (let i = 0; i < count; i++) result.push(read(reader))
    return result
  }
}

function badLength(place: string, length: number) {
  return malformed(length === -1 ? `${place} is null, which it may not be` : `${place} has the length ${length}`)
}
