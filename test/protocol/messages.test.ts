import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import { type ApiKey, apiKey, apis } from '../../ts/protocol/apis.js'
import { type ProduceRequest, produceRequest } from '../../ts/protocol/messages/00-produce.js'
import { fetchRequest } from '../../ts/protocol/messages/01-fetch.js'
import {
  covers,
  create,
  type Fields,
  type FieldType,
  type Message,
  type Payload,
  type Table,
  versionRange,
} from '../../ts/protocol/schema.js'
import { payloads } from './payload-tables.js'

/** Field names, types, nullability and tags per version, printed from the classes of Kafka 4.3.1. */
const kafka = readFileSync(join(__dirname, 'fixtures/kafka-4.3-schemas.txt'), 'utf8')

const kafkaTypes: Record<string, string> = { bool: 'boolean' }

function typeName(type: FieldType): string {
  if (typeof type === 'string') return kafkaTypes[type] ?? type
  return type.kind === 'array' ? `[]${typeName(type.of)}` : 'struct'
}

function printFields(fields: Fields, version: number, flexible: boolean, indent: string): string {
  const present = Object.entries(fields).filter(([, field]) => covers(field.versions, version))
  const isTagged = (name: string) => fields[name].tag !== null && flexible && covers(fields[name].tagged, version)
  const plain = present.filter(([name]) => !isTagged(name))
  const tagged = present.filter(([name]) => isTagged(name)).sort(([, a], [, b]) => a.tag! - b.tag!)
  return [...plain, ...tagged]
    .map(([name, field]) => {
      const snake = name.replace(/[A-Z]/g, (letter) => `_${letter.toLowerCase()}`)
      const nullable = covers(field.nullable, version) ? '?' : ''
      const tag = isTagged(name) ? ` tag=${field.tag}` : ''
      let inner = field.type
      while (typeof inner === 'object' && inner.kind === 'array') inner = inner.of
      const nested = typeof inner === 'object' ? printFields(inner.fields, version, flexible, `${indent}  `) : ''
      return `${indent}${snake}: ${typeName(field.type)}${nullable}${tag}\n${nested}`
    })
    .join('')
}

function printMessage(name: string, kind: string, message: Message): string {
  const { from, to } = message.versions
  return `# ${message.apiKey} ${name} ${kind} ${from}-${to} stable ${message.lastStable}\n${printVersions(message)}`
}

function printPayload(table: Payload): string {
  return `# payload ${table.name} ${table.versions.from}-${table.versions.to}\n${printVersions(table)}`
}

function printVersions(message: Table): string {
  const { from, to } = message.versions
  let text = ''
  for (let version = from; version <= to; version++) {
    text += `v${version}\n${printFields(message.fields, version, covers(message.flexible, version), '  ')}`
  }
  return text
}

describe('message tables', () => {
  const sections = kafka.split(/^(?=# )/m)
  const sectionOf = (heading: string) => sections.find((section) => section.startsWith(`# ${heading} `))

  for (const [key, { name, request, response }] of Object.entries(apis)) {
    it(`${name} has Kafka's fields in every version`, () => {
      expect(printMessage(name, 'request', request)).toBe(sectionOf(`${key} ${name} request`))
      expect(printMessage(name, 'response', response)).toBe(sectionOf(`${key} ${name} response`))
    })
  }

  for (const table of payloads) {
    it(`${table.name} has Kafka's fields in every version`, () => {
      expect(printPayload(table)).toBe(sectionOf(`payload ${table.name}`))
    })
  }

  it('agree with their API keys', () => {
    for (const [key, { request, response }] of Object.entries(apis)) {
      expect(request.apiKey).toBe(Number(key))
      expect(response.apiKey).toBe(Number(key))
      expect(response.versions).toEqual(request.versions)
    }
    expect(Object.values(apiKey).sort((a, b) => a - b)).toEqual(Object.keys(apis).map(Number) as ApiKey[])
  })
})

describe('create', () => {
  it('fills every plain field with its default and leaves tagged fields away', () => {
    expect(create(fetchRequest, { maxWaitMs: 5 })).toEqual({
      replicaId: -1,
      maxWaitMs: 5,
      minBytes: 0,
      maxBytes: 0x7fffffff,
      isolationLevel: 0,
      sessionId: 0,
      sessionEpoch: -1,
      topics: [],
      forgottenTopicsData: [],
      rackId: '',
    })
    const request: ProduceRequest = create(produceRequest)
    expect(request).toEqual({ transactionalId: null, acks: 0, timeoutMs: 0, topicData: [] })
  })
})

describe('versionRange', () => {
  it('reads every form Kafka writes', () => {
    expect(versionRange('3+')).toEqual({ from: 3, to: 0x7fff })
    expect(versionRange('0-12')).toEqual({ from: 0, to: 12 })
    expect(versionRange('7')).toEqual({ from: 7, to: 7 })
    expect(covers(versionRange('none'), 0)).toBe(false)
    expect(() => versionRange('x' as '0')).toThrow(TypeError)
  })
})
