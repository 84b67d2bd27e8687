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
import { covers, type Message, type Payload } from '../../../ts/protocol/schema.js'
import { payloads } from '../payload-tables.js'
import { inChunks, mutate } from './mutate.js'
import type { Random } from './random.js'
import { codeOf, insist, type Target, unless } from './target.js'

/** A message as Kafka writes it, header included: a line of fixtures/kafka-4.3-messages.jsonl.gz. */
export interface Sample {
  readonly key: number
  readonly name: string
  readonly kind: 'request' | 'response' | 'payload'
  readonly version: number
  readonly hex: string
}

/** Room for the version of a response, which does not stand in it. */
const versionBytes = 2

export function decoderTargets(samples: readonly Sample[]): Target[] {
  const bytesOf = (name: string, kind: string) =>
    samples.filter((sample) => sample.name === name && sample.kind === kind).map(({ hex }) => Buffer.from(hex, 'hex'))
  const targets: Target[] = []
  for (const [text, { name, request, response }] of Object.entries(apis)) {
    const key = Number(text) as ApiKey
    targets.push(requestTarget(request, bytesOf(name, 'request')))
    const versioned = samples
      .filter((sample) => sample.name === name && sample.kind === 'response')
      .map(({ version, hex }) => Buffer.concat([int16(version), Buffer.from(hex, 'hex')]))
    targets.push(responseTarget(key, response, versioned))
  }
  for (const table of payloads) targets.push(payloadTarget(table, bytesOf(table.name, 'payload')))
  return targets
}

function requestTarget(table: Message, seeds: readonly Buffer[]): Target {
  return {
    name: table.name,
    input: (random) => damaged(seeds, random),
    check(input, random) {
      const read = (reader: Reader) => {
        const header = readRequestHeader(reader)
        // Damage may have made it a request of another API, which is as good.
        const named = (apis as Partial<Record<number, { request: Message }>>)[header.apiKey]
        if (named === undefined || !covers(named.request.versions, header.apiVersion)) return null
        const key = header.apiKey as ApiKey
        return { key, version: header.apiVersion, value: readRequest(reader, key, header.apiVersion) as unknown }
      }
      const write = ({ key, version, value }: Request) => writeRequest(key, version, 1, null, value as never)
      checkDecoder(input, random, read, write)
    },
  }
}

interface Request {
  readonly key: ApiKey
  readonly version: number
  readonly value: unknown
}

function responseTarget(key: ApiKey, table: Message, seeds: readonly Buffer[]): Target {
  return {
    name: table.name,
    input: (random) => damaged(seeds, random),
    check(input, random) {
      const version = input.length < versionBytes ? -1 : input.readInt16BE(0)
      if (!covers(table.versions, version)) return
      const read = (reader: Reader) => {
        readResponseHeader(reader, key, version)
        return readResponse(reader, key, version) as unknown
      }
      const write = (value: unknown) => writeResponse(key, version, 1, value as never) as Uint8Array[]
      checkDecoder(input.subarray(versionBytes), random, read, write)
    },
  }
}

/** `read` gives the same whatever the chunks; what it gives can be written, and is then read and written the same. */
function checkDecoder<T>(
  input: Buffer,
  random: Random,
  read: (reader: Reader) => T | null,
  write: (value: T) => Uint8Array[],
): void {
  const frames = [[input], inChunks(input, random)].map((chunks) => {
    const reader = new Reader(chunks)
    const value = unless(['MALFORMED_MESSAGE'], () => read(reader))
    insist(reader.remaining >= 0, 'more was read than is there')
    return value === undefined || value === null ? null : written(write, value)
  })
  const [frame, chunked] = frames
  insist(frame?.toString('hex') === chunked?.toString('hex'), 'it depends on the chunks')
  if (frame === null || frame === undefined) return
  insist(frame.readInt32BE(0) === frame.length - 4, 'the length is wrong')
  const again = new Reader(frame.subarray(4))
  const second = read(again)
  insist(again.remaining === 0 && second !== null, 'more was written than is read')
  insist(frame.equals(Buffer.concat(write(second as T))), 'it changes on its way')
}

/** Null where bytes that are no UTF-8 made a string too long, since each was replaced by three. */
function written<T>(write: (value: T) => Uint8Array[], value: T): Buffer | null {
  try {
    return Buffer.concat(write(value))
  } catch (error) {
    if (codeOf(error) === 'INVALID_ARGUMENT' && /a string of up to/.test((error as Error).message)) return null
    throw new Error(`what was read cannot be written: ${(error as Error).message}`, { cause: error })
  }
}

function payloadTarget(table: Payload, seeds: readonly Buffer[]): Target {
  return {
    name: table.name,
    input: (random) => damaged(seeds, random),
    check(input) {
      unless(['MALFORMED_MESSAGE', 'UNSUPPORTED_VERSION'], () => {
        const value = readPayload(table, input)
        const version = input.readInt16BE(0)
        const bytes = writePayload(table, version, value)
        insist(
          Buffer.from(writePayload(table, version, readPayload(table, bytes))).equals(bytes),
          'it changes on its way',
        )
      })
    },
  }
}

function damaged(seeds: readonly Buffer[], random: Random): Buffer {
  const seed = random.pick(seeds)
  if (random.below(50) === 0) return seed
  if (random.below(50) === 0) return Buffer.concat([seed.subarray(0, 8), random.bytes(random.below(200))])
  return mutate(seed, random, seeds)
}

function int16(value: number): Buffer {
  const bytes = Buffer.alloc(2)
  bytes.writeInt16BE(value)
  return bytes
}
