import { SeglogError } from '../../errors/seglog-error.js'
import { protocolError } from '../errors.js'
import { covers, type Infer, type Table } from '../schema.js'
import { malformed } from './malformed.js'
import { type Read, readStruct } from './read-plan.js'
import type { Reader } from './reader.js'
import { type Write, writeStruct } from './write-plan.js'
import type { Writer } from './writer.js'

/** Plans of one message by version. */
interface Plans {
  readonly reads: (Read | undefined)[]
  readonly writes: (Write | undefined)[]
}

const plansOf = new WeakMap<Table, Plans>()

/** Reads `table` at `version`. What is not that message is MALFORMED_MESSAGE, a version it lacks UNSUPPORTED_VERSION. */
export function readMessage<T extends Table>(table: T, version: number, reader: Reader): Infer<T> {
  const read = plans(table).reads[version] ?? makeRead(table, version)
  try {
    return read(reader) as Infer<T>
  } catch (error) {
    if (error instanceof SeglogError) throw malformed(`${table.name} version ${version}: ${error.message}`)
    throw error
  }
}

/** Writes `table` at `version`. */
export function writeMessage<T extends Table>(table: T, version: number, writer: Writer, value: Infer<T>): void {
  const write = plans(table).writes[version] ?? makeWrite(table, version)
  write(writer, value)
}

function plans(table: Table): Plans {
  const found = plansOf.get(table)
  if (found !== undefined) return found
  const empty: Plans = { reads: [], writes: [] }
  plansOf.set(table, empty)
  return empty
}

function makeRead(table: Table, version: number): Read {
  const read = readStruct(table, shapeOf(table, version), table.name)
  plans(table).reads[version] = read
  return read
}

function makeWrite(table: Table, version: number): Write {
  const write = writeStruct(table, shapeOf(table, version), table.name)
  plans(table).writes[version] = write
  return write
}

function shapeOf(table: Table, version: number) {
  if (!covers(table.versions, version))
    throw protocolError('UNSUPPORTED_VERSION', `${table.name} has no version ${version}`)
  return { version, flexible: covers(table.flexible, version) }
}
