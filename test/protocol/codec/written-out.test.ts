import * as fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { apis } from '../../../ts/protocol/apis.js'
import { readMessage, writeMessage } from '../../../ts/protocol/codec/message-codec.js'
import { Reader } from '../../../ts/protocol/codec/reader.js'
import { Writer } from '../../../ts/protocol/codec/writer.js'
import type { Field, Fields, FieldType, Message, Table } from '../../../ts/protocol/schema.js'
import { messageAt } from './message-arbitrary.js'

/** The same table without anything written out: the codec goes over the names. */
function plain({ writtenOut: _, ...table }: Message): Message {
  return { ...table, fields: plainFields(table.fields) }
}

function plainFields(fields: Fields): Fields {
  const entries = Object.entries(fields).map(([name, field]): [string, Field] => [
    name,
    { ...field, type: plainType(field.type) },
  ])
  return Object.fromEntries(entries)
}

function plainType(type: FieldType): FieldType {
  if (typeof type === 'string') return type
  return type.kind === 'array'
    ? { kind: 'array', of: plainType(type.of) }
    : { kind: 'struct', fields: plainFields(type.fields) }
}

function written(table: Table, version: number, value: unknown): Buffer {
  const writer = new Writer()
  writer.begin()
  writeMessage(table, version, writer, value as never)
  return Buffer.concat(writer.finish() as Uint8Array[])
}

function isWrittenOut({ fields, writtenOut }: Pick<Message, 'fields' | 'writtenOut'>): boolean {
  return writtenOut !== undefined || Object.values(fields).some(({ type }) => holdsWrittenOut(type))
}

function holdsWrittenOut(type: FieldType): boolean {
  if (typeof type === 'string') return false
  return type.kind === 'array' ? holdsWrittenOut(type.of) : isWrittenOut(type)
}

const tables: Message[] = Object.values(apis).flatMap(({ request, response }): Message[] => [request, response])

describe('a message whose fields are written out', () => {
  const hot = tables.filter(isWrittenOut)

  it('is a request or answer of the hot paths', () => {
    expect(hot.map(({ name }) => name)).toEqual(['ProduceRequest', 'ProduceResponse', 'FetchRequest', 'FetchResponse'])
  })

  for (const table of hot) {
    const byName = plain(table)
    for (let version = table.versions.from; version <= table.versions.to; version++) {
      it(`${table.name} ${version} is read and written as by the names`, () => {
        fc.assert(
          fc.property(messageAt(table, version), (value) => {
            const bytes = written(byName, version, value)
            expect(written(table, version, value)).toEqual(bytes)
            const read = readMessage(table, version, new Reader(bytes))
            expect(read).toStrictEqual(readMessage(byName, version, new Reader(bytes)))
            expect(Object.keys(read as object)).toEqual(Object.keys(table.fields))
          }),
          { numRuns: 100 },
        )
      })
    }
  }
})
