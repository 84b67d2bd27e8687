import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { gunzipSync } from 'node:zlib'
import { describe, expect, it } from 'vitest'
import { type ApiKey, apis } from '../../../ts/protocol/apis.js'
import {
  readRequest,
  readRequestHeader,
  readResponse,
  readResponseHeader,
  writeRequest,
  writeResponse,
} from '../../../ts/protocol/codec/frames.js'
import { readPayload, writePayload } from '../../../ts/protocol/codec/payloads.js'
import { Reader } from '../../../ts/protocol/codec/reader.js'
import { covers, defaultsOf, type Field, type Fields, type FieldType } from '../../../ts/protocol/schema.js'
import { payloads } from '../payload-tables.js'
import { bodyOf, joined, normal } from './frame-samples.js'

/** A message as Kafka 4.3.1's own classes write it; fixtures/KafkaMessages.java says how these are made. */
interface Sample {
  /** -1 for a payload. */
  readonly key: number
  readonly name: string
  readonly kind: 'request' | 'response' | 'payload'
  readonly version: number
  readonly sample: string
  readonly value: Record<string, unknown>
  readonly hex: string
}

const file = join(__dirname, '../fixtures/kafka-4.3-messages.jsonl.gz')
const samples = gunzipSync(readFileSync(file))
  .toString()
  .trim()
  .split('\n')
  .map((line) => JSON.parse(line) as Sample)
const correlationId = 0x01020304

/** The message that the sample's JSON stands for, fields that the version lacks at their defaults. */
function fromJson(fields: Fields, json: Record<string, unknown>): Record<string, unknown> {
  const unknown = Object.keys(json).filter((name) => fields[name] === undefined)
  expect(unknown).toEqual([])
  const result = defaultsOf(fields)
  for (const [name, value] of Object.entries(json)) result[name] = fieldFromJson(fields[name]!, value)
  return result
}

function fieldFromJson({ type }: Pick<Field, 'type'>, json: unknown): unknown {
  if (json === null) return null
  if (type === 'int64') return BigInt(json as string)
  if (type === 'bytes' || type === 'records') return new Uint8Array(Buffer.from(json as string, 'base64'))
  if (typeof type === 'string') return json
  if (type.kind === 'struct') return fromJson(type.fields, json as Record<string, unknown>)
  return (json as unknown[]).map((element) => fieldFromJson({ type: type.of as FieldType }, element))
}

function samplesOf(name: string, kind: string, version: number): Sample[] {
  const found = samples.filter((sample) => sample.name === name && sample.kind === kind && sample.version === version)
  expect(found.map(({ sample }) => sample)).toEqual(['filled', 'bare'])
  return found
}

describe("Kafka's own bytes", () => {
  for (const [text, { name, request, response }] of Object.entries(apis)) {
    const key = Number(text) as ApiKey
    const versions = Array.from({ length: request.versions.to + 1 }, (_, version) => version)

    it.each(versions.filter((version) => covers(request.versions, version)))(
      `${name} request version %i`,
      (version) => {
        for (const { value, hex } of samplesOf(name, 'request', version)) {
          const reader = new Reader(Buffer.from(hex, 'hex'))
          expect(readRequestHeader(reader)).toEqual({
            apiKey: key,
            apiVersion: version,
            correlationId,
            clientId: 'kafka',
          })
          const read = readRequest(reader, key, version)
          expect(reader.remaining).toBe(0)
          const expected = fromJson(request.fields, value)
          expect(normal(request.fields, read)).toEqual(normal(request.fields, expected))
          for (const message of [read as never, expected as never]) {
            const frame = joined(writeRequest(key, version, correlationId, 'kafka', message))
            expect(bodyOf(frame).toString('hex')).toBe(hex)
          }
        }
      },
    )

    it.each(versions.filter((version) => covers(response.versions, version)))(
      `${name} response version %i`,
      (version) => {
        for (const { value, hex } of samplesOf(name, 'response', version)) {
          const reader = new Reader(Buffer.from(hex, 'hex'))
          expect(readResponseHeader(reader, key, version)).toBe(correlationId)
          const read = readResponse(reader, key, version)
          expect(reader.remaining).toBe(0)
          const expected = fromJson(response.fields, value)
          expect(normal(response.fields, read)).toEqual(normal(response.fields, expected))
          for (const message of [read as never, expected as never]) {
            const frame = joined(writeResponse(key, version, correlationId, message) as Uint8Array[])
            expect(bodyOf(frame).toString('hex')).toBe(hex)
          }
        }
      },
    )
  }

  for (const table of payloads) {
    const versions = Array.from({ length: table.versions.to + 1 }, (_, version) => version)
    it.each(versions.filter((version) => covers(table.versions, version)))(`${table.name} version %i`, (version) => {
      for (const { value, hex } of samplesOf(table.name, 'payload', version)) {
        const read = readPayload(table, Buffer.from(hex, 'hex'))
        const expected = fromJson(table.fields, value)
        expect(normal(table.fields, read)).toEqual(normal(table.fields, expected))
        for (const message of [read, expected])
          expect(Buffer.from(writePayload(table, version, message)).toString('hex')).toBe(hex)
      }
    })
  }
})
