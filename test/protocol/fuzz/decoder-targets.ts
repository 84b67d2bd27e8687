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
import {
  consumerProtocolAssignment,
  consumerProtocolSubscription,
} from '../../../ts/protocol/payloads/consumer-protocol.js'
import { groupMetadataKey, groupMetadataValue } from '../../../ts/protocol/payloads/group-metadata.js'
import { offsetCommitKey, offsetCommitValue } from '../../../ts/protocol/payloads/offset-commit.js'
import { covers, type Message, type Payload } from '../../../ts/protocol/schema.js'
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

const payloads: readonly Payload[] = [
  consumerProtocolAssignment,
  consumerProtocolSubscription,
  groupMetadataKey,
  groupMetadataValue,
  offsetCommitKey,
  offsetCommitValue,
]

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
      unless(['MALFORMED_MESSAGE'], () => {
        const reader = new Reader(inChunks(input, random))
        const header = readRequestHeader(reader)
        // Damage may have made it a request of another API, which is as good.
        const named = (apis as Partial<Record<number, { request: Message }>>)[header.apiKey]
        if (named === undefined || !covers(named.request.versions, header.apiVersion)) return
        const { apiVersion } = header
        const found = header.apiKey as ApiKey
        const value = readRequest(reader, found, apiVersion)
        settles(
          (message) => writeRequest(found, apiVersion, 1, null, message as never),
          (again) => {
            readRequestHeader(again)
            return readRequest(again, found, apiVersion)
          },
          value,
        )
      })
    },
  }
}

function responseTarget(key: ApiKey, table: Message, seeds: readonly Buffer[]): Target {
  return {
    name: table.name,
    input: (random) => damaged(seeds, random),
    check(input, random) {
      const version = input.length < versionBytes ? 0 : input.readInt16BE(0)
      if (!covers(table.versions, version)) return
      unless(['MALFORMED_MESSAGE'], () => {
        const reader = new Reader(inChunks(input.subarray(versionBytes), random))
        readResponseHeader(reader, key, version)
        const value = readResponse(reader, key, version)
        settles(
          (message) => writeResponse(key, version, 1, message as never) as Uint8Array[],
          (again) => {
            readResponseHeader(again, key, version)
            return readResponse(again, key, version)
          },
          value,
        )
      })
    },
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

/** What was read can be written, and is then read and written the same. */
function settles(write: (value: unknown) => Uint8Array[], read: (reader: Reader) => unknown, value: unknown): void {
  let frame: Buffer
  try {
    frame = Buffer.concat(write(value))
  } catch (error) {
    // Bytes that are no UTF-8 were replaced by three each; such a string may be too long now.
    if (codeOf(error) === 'INVALID_ARGUMENT' && /a string of up to/.test((error as Error).message)) return
    throw new Error(`what was read cannot be written: ${(error as Error).message}`, { cause: error })
  }
  insist(frame.readInt32BE(0) === frame.length - 4, 'the length is wrong')
  const again = new Reader(frame.subarray(4))
  try {
    const second = Buffer.concat(write(read(again)))
    insist(second.equals(frame), 'it changes on its way')
  } catch (error) {
    throw new Error(`what was written cannot be read: ${(error as Error).message}`, { cause: error })
  }
  insist(again.remaining === 0, 'more was written than is read')
}

function int16(value: number): Buffer {
  const bytes = Buffer.alloc(2)
  bytes.writeInt16BE(value)
  return bytes
}
