import { isUint8Array } from 'node:util/types'
import { SeglogError } from '../../errors/seglog-error.js'
import { protocolError } from '../errors.js'
import { isFileRegion } from '../file-region.js'
import { covers, type Field, type FieldType, type Put, type StoredRecords } from '../schema.js'
import { isDefault } from './is-default.js'
import { isNullableStruct, isStruct, longestString, placement, type Shape, type StructTable } from './shape.js'
import type { Writer } from './writer.js'

/** Writes one value; a plan is made once per message and version, and holds every decision that those two settle. */
export type Write = (writer: Writer, value: unknown) => void

/** Writes what stands for null; null itself where a version allows none. */
type WriteNull = ((writer: Writer) => void) | null

interface TaggedWrite {
  readonly name: string
  readonly field: Field
  readonly write: Write
}

export function writeStruct({ fields, writtenOut }: StructTable, shape: Shape, place: string): Write {
  const { version, flexible } = shape
  const writeFields = writtenOut?.write
  const names: string[] = []
  const writes: Write[] = []
  const tagged: TaggedWrite[] = []
  /** Fields that this version lacks and that may not be dropped silently. */
  const lost: [string, Field][] = []
  for (const name in fields) {
    const field = fields[name]!
    const inPlace = `${place}.${name}`
    const placed = placement(field, shape)
    if (placed === 'lacking' && !field.ignorable) lost.push([name, field])
    if (placed === 'tagged') tagged.push({ name, field, write: writeTagged(field, shape, inPlace) })
    if (placed === 'plain') {
      names.push(name)
      writes.push(writePlain(field, shape, inPlace))
    } else if (writeFields !== undefined) {
      writes.push(writeNothing)
    }
  }
  tagged.sort((a, b) => a.field.tag! - b.field.tag!)
  return (writer, value) => {
    if (typeof value !== 'object' || value === null) throw invalid(place, 'an object', value)
    const given = value as Record<string, unknown>
    for (let i = 0; i < lost.length; i++) {
      const [name, field] = lost[i]!
      if (!isDefault(field, given[name])) throw unsupported(`${place}.${name}`, version)
    }
    if (writeFields !== undefined) writeFields(writes as Put[], writer, given as never)
    else for (let i = 0; i < writes.length; i++) writes[i]!(writer, given[names[i]!])
    if (!flexible) return
    if (tagged.length === 0) writer.writeUvarint(0)
    else writeTags(writer, tagged, given)
  }
}

/** For a field that is not in its place. */
function writeNothing(): void {}

function writeTags(writer: Writer, tagged: readonly TaggedWrite[], given: Record<string, unknown>): void {
  let count = 0
  for (let i = 0; i < tagged.length; i++) if (!isDefault(tagged[i]!.field, given[tagged[i]!.name])) count++
  writer.writeUvarint(count)
  if (count === 0) return
  for (const { name, field, write } of tagged) {
    if (isDefault(field, given[name])) continue
    writer.writeUvarint(field.tag!)
    const mark = writer.beginSized()
    write(writer, given[name])
    writer.endSized(mark)
  }
}

function writePlain(field: Field, shape: Shape, place: string): Write {
  const write = writeValue(field.type, shape, writeNull(field, shape), place)
  if (isNullableStruct(field, shape)) {
    return (writer, value) => {
      writer.writeInt8(value === null ? -1 : 1)
      if (value !== null) write(writer, value)
    }
  }
  return isNullableElsewhere(field, shape) ? refuseNull(write, shape, place) : write
}

function writeTagged(field: Field, shape: Shape, place: string): Write {
  if (field.type === 'records') throw new TypeError(`${place}: records cannot be tagged`)
  const write = writeValue(field.type, shape, writeNull(field, shape), place)
  if (isNullableStruct(field, shape)) {
    return (writer, value) => {
      writer.writeUvarint(value === null ? 0 : 1)
      if (value !== null) write(writer, value)
    }
  }
  return isNullableElsewhere(field, shape) ? refuseNull(write, shape, place) : write
}

/** Null is a value that only this version has no room for: the version is at fault. */
function refuseNull(write: Write, { version }: Shape, place: string): Write {
  return (writer, value) => {
    if (value === null) throw unsupported(place, version)
    write(writer, value)
  }
}

function isNullableElsewhere({ nullable }: Field, { version }: Shape): boolean {
  return nullable.from <= nullable.to && !covers(nullable, version)
}

function writeNull({ type, nullable }: Field, { version, flexible }: Shape): WriteNull {
  if (!covers(nullable, version) || isStruct(type)) return null
  if (flexible) return (writer) => writer.writeUvarint(0)
  return type === 'string' ? (writer) => writer.writeInt16(-1) : (writer) => writer.writeInt32(-1)
}

function writeValue(type: FieldType, shape: Shape, onNull: WriteNull, place: string): Write {
  switch (type) {
    case 'bool':
      return (writer, value) => {
        if (typeof value !== 'boolean') throw invalid(place, 'a boolean', value)
        writer.writeInt8(value ? 1 : 0)
      }
    case 'int8':
      return (writer, value) => {
        if (typeof value !== 'number' || (value << 24) >> 24 !== value) throw invalid(place, 'an int8', value)
        writer.writeInt8(value)
      }
    case 'int16':
      return (writer, value) => {
        if (typeof value !== 'number' || (value << 16) >> 16 !== value) throw invalid(place, 'an int16', value)
        writer.writeInt16(value)
      }
    case 'uint16':
      return (writer, value) => {
        if (typeof value !== 'number' || (value & 0xffff) !== value) throw invalid(place, 'a uint16', value)
        writer.writeInt16(value)
      }
    case 'int32':
      return (writer, value) => {
        if (typeof value !== 'number' || (value | 0) !== value) throw invalid(place, 'an int32', value)
        writer.writeInt32(value)
      }
    case 'int64':
      return (writer, value) => {
        if (typeof value !== 'bigint' || !writer.writeInt64(value)) throw invalid(place, 'a bigint of 64 bits', value)
      }
    case 'float64':
      return (writer, value) => {
        if (typeof value !== 'number') throw invalid(place, 'a number', value)
        writer.writeFloat64(value)
      }
    case 'uuid':
      return (writer, value) => {
        if (typeof value !== 'string' || !writer.writeUuid(value))
          throw invalid(place, 'a uuid of 22 characters', value)
      }
    case 'string':
      return writeString(shape, onNull, place)
    case 'bytes': {
      const writeLength = lengthWriter(shape)
      return (writer, value) => {
        if (value === null && onNull !== null) return onNull(writer)
        if (!isUint8Array(value)) throw invalid(place, 'a Uint8Array', value)
        writeLength(writer, value.length)
        writer.writeBytes(value)
      }
    }
    case 'records': {
      const writeLength = lengthWriter(shape)
      return (writer, value) => {
        if (value === null && onNull !== null) return onNull(writer)
        const size = recordsLength(value, place)
        writeLength(writer, size)
        writer.writeRecords(value as StoredRecords, size)
      }
    }
    default:
      return type.kind === 'struct' ? writeStruct(type, shape, place) : writeArray(type.of, shape, onNull, place)
  }
}

function writeString({ flexible }: Shape, onNull: WriteNull, place: string): Write {
  return (writer, value) => {
    if (value === null && onNull !== null) return onNull(writer)
    if (typeof value !== 'string') throw invalid(place, 'a string', value)
    if (flexible ? writer.writeShortCompact(value) : writer.writeShort(value)) return
    const size = Buffer.byteLength(value)
    if (size > longestString) throw invalid(place, `a string of up to ${longestString} bytes`, size)
    if (flexible) writer.writeUvarint(size + 1)
    else writer.writeInt16(size)
    writer.writeText(value, size)
  }
}

function writeArray(of: FieldType, shape: Shape, onNull: WriteNull, place: string): Write {
  const writeLength = lengthWriter(shape)
  const write = writeValue(of, shape, null, place)
  return (writer, value) => {
    if (value === null && onNull !== null) return onNull(writer)
    if (!Array.isArray(value)) throw invalid(place, 'an array', value)
    writeLength(writer, value.length)
    for (let i = 0; i < value.length; i++) write(writer, value[i])
  }
}

function lengthWriter({ flexible }: Shape): (writer: Writer, length: number) => void {
  return flexible ? (writer, length) => writer.writeUvarint(length + 1) : (writer, length) => writer.writeInt32(length)
}

/** Bytes of records in any of their forms. */
function recordsLength(value: unknown, place: string): number {
  if (isUint8Array(value)) return value.length
  if (Array.isArray(value)) return value.reduce((sum: number, chunk) => sum + recordsLength(chunk, place), 0)
  if (typeof value === 'object' && value !== null && isFileRegion(value)) return value.length
  throw invalid(place, 'record batches', value)
}

function invalid(place: string, expected: string, value: unknown): SeglogError {
  const shown = typeof value === 'object' && value !== null ? 'an object' : String(value)
  return new SeglogError('INVALID_ARGUMENT', `${place} must be ${expected}, got ${shown}`)
}

function unsupported(place: string, version: number): SeglogError {
  return protocolError(
    'UNSUPPORTED_VERSION',
    `${place} cannot be sent at version ${version}, the newest that both sides speak: leave it at its default`,
  )
}
