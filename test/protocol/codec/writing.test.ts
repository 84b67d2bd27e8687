import { describe, expect, it } from 'vitest'
import { apiKey, type RequestOf, type ResponseOf } from '../../../ts/protocol/apis.js'
import {
  type Part,
  readRequest,
  readRequestHeader,
  writeRequest,
  writeResponse,
} from '../../../ts/protocol/codec/frames.js'
import { Reader } from '../../../ts/protocol/codec/reader.js'
import { type FileRegion, isFileRegion } from '../../../ts/protocol/file-region.js'
import { fetchRequest } from '../../../ts/protocol/messages/01-fetch.js'
import { describeConfigsRequest } from '../../../ts/protocol/messages/32-describe-configs.js'
import { create, type StoredRecords } from '../../../ts/protocol/schema.js'
import { zeroUuid } from '../../../ts/protocol/uuid.js'
import { bodyOf, joined } from './frame-samples.js'

const region = (length: number) => {
  const made = { length, released: 0, read: () => new Uint8Array(length), release: () => void made.released++ }
  return made satisfies FileRegion
}

function fetched(records: (StoredRecords | null)[], errorCode = 0): ResponseOf<1> {
  const partitions = records.map((records, partitionIndex) => ({
    partitionIndex,
    errorCode,
    highWatermark: 5n,
    lastStableOffset: 5n,
    logStartOffset: 0n,
    abortedTransactions: null,
    preferredReadReplica: -1,
    records,
  }))
  return { throttleTimeMs: 0, errorCode: 0, sessionId: 0, responses: [{ topic: 't', topicId: zeroUuid, partitions }] }
}

function produce(...records: (Uint8Array | Uint8Array[] | null)[]): RequestOf<0> {
  const partitionData = records.map((records, index) => ({ index, records }))
  return { transactionalId: null, acks: 1, timeoutMs: 1, topicData: [{ name: 't', topicId: zeroUuid, partitionData }] }
}

const lengthOf = (parts: readonly Part[]) => parts.reduce((sum, part) => sum + part.length, 0)
const announced = (parts: readonly Part[]) => Buffer.from(parts[0] as Uint8Array).readInt32BE(0)

describe('records', () => {
  it('go out as they are: the same memory, and every piece of it', () => {
    const pieces = [Buffer.alloc(400, 1), new Uint8Array(0), Buffer.alloc(400, 2)]
    const whole = Buffer.alloc(2000, 3)
    const parts = writeRequest(apiKey.produce, 11, 1, 'c', produce(pieces, whole))
    expect(parts).toContain(pieces[0])
    expect(parts).toContain(pieces[2])
    expect(parts).toContain(whole)
    expect(parts.every((part) => part.length > 0)).toBe(true)
    expect(announced(parts)).toBe(lengthOf(parts) - 4)
  })

  it('come in as views of the chunks, whatever the chunks are', () => {
    const frame = bodyOf(joined(writeRequest(apiKey.produce, 11, 1, 'c', produce(Buffer.alloc(3000, 7)))))
    const read = (...chunks: Uint8Array[]) => {
      const reader = new Reader(chunks)
      readRequestHeader(reader)
      return readRequest(reader, apiKey.produce, 11).topicData[0]!.partitionData[0]!.records
    }
    const one = read(frame) as Uint8Array
    expect(one.buffer).toBe(frame.buffer)
    expect(one).toHaveLength(3000)
    const plain = new Uint8Array(frame)
    const some = read(plain.subarray(0, 100), plain.subarray(100, 100), plain.subarray(100, 2000), plain.subarray(2000))
    expect(some).toHaveLength(3)
    for (const slice of some as Uint8Array[]) expect(slice.buffer).toBe(plain.buffer)
    expect(Buffer.concat(some as Uint8Array[])).toEqual(Buffer.alloc(3000, 7))
  })

  it('that are small are copied, so that they take no part of their own', () => {
    const small = Buffer.alloc(512, 1)
    const parts = writeRequest(
      apiKey.produce,
      11,
      1,
      'c',
      produce(small, [small.subarray(0, 9), small.subarray(9, 20)]),
    )
    expect(parts).toHaveLength(1)
    small.fill(2)
    expect(parts[0]!.includes(1)).toBe(true)
    expect(announced(parts)).toBe(lengthOf(parts) - 4)
  })

  it('may be null or empty', () => {
    const frame = joined(writeResponse(apiKey.fetch, 11, 1, fetched([null, Buffer.alloc(0), []])) as Uint8Array[])
    expect(frame.toString('hex')).toMatch(/ffffffff.*00000000.*00000000$/)
  })

  it('in files count in the length, and are parts whatever their size', () => {
    const regions = [region(100_000), region(3), region(0)]
    const parts = writeResponse(apiKey.fetch, 16, 1, fetched([...regions, Buffer.from('abc')]))
    expect(parts.filter(isFileRegion)).toEqual(regions)
    expect(announced(parts)).toBe(lengthOf(parts) - 4)
    expect(regions.map(({ released }) => released)).toEqual([0, 0, 0])
  })

  it('in files are given back when the response cannot be written', () => {
    const regions = [region(1000), region(2000)]
    expect(() => writeResponse(apiKey.fetch, 16, 1, fetched(regions, 70_000))).toThrow(/errorCode must be an int16/)
    expect(regions.map(({ released }) => released)).toEqual([1, 1])
  })

  it('are refused where a frame has no room for so many', () => {
    expect(() => writeResponse(apiKey.fetch, 11, 1, fetched([region(0x7fff_ff00), region(0x200)]))).toThrow(
      expect.objectContaining({ code: 'INVALID_ARGUMENT' }),
    )
  })
})

describe('memory', () => {
  const heartbeat = (n: number) => ({ groupId: `group-${n}`, generationId: n, memberId: 'm', groupInstanceId: null })

  it('that was handed out is never written again', () => {
    const frames = Array.from({ length: 5000 }, (_, n) =>
      joinable(writeRequest(apiKey.heartbeat, 3, n, null, heartbeat(n))),
    )
    frames.forEach(({ parts, copy }, n) => {
      expect(parts).toHaveLength(1)
      expect(copy.equals(parts[0]!)).toBe(true)
      const reader = new Reader(bodyOf(copy))
      expect(readRequestHeader(reader).correlationId).toBe(n)
      expect(readRequest(reader, apiKey.heartbeat, 3)).toEqual(heartbeat(n))
    })
  })

  it('is safe from a message that failed half way', () => {
    const first = joinable(writeRequest(apiKey.heartbeat, 3, 1, null, heartbeat(1)))
    const bad = produce(Buffer.alloc(1000), 5 as never)
    expect(() => writeRequest(apiKey.produce, 9, 1, null, bad)).toThrow(/records must be record batches, got 5/)
    const second = joinable(writeRequest(apiKey.heartbeat, 3, 2, null, heartbeat(2)))
    expect(first.copy.equals(first.parts[0]!)).toBe(true)
    expect(readRequestHeader(new Reader(bodyOf(second.copy))).correlationId).toBe(2)
  })

  it.each([1, 100, 20_000, 100_000])('grows with the message: %i partitions, with records between', (count) => {
    const records = Array.from({ length: count }, (_, n) =>
      n % 3 === 0 ? Buffer.alloc(600, n) : Buffer.alloc(n % 5, n),
    )
    const frame = joined(writeRequest(apiKey.produce, 9, 1, null, produce(...records)))
    const reader = new Reader(bodyOf(frame))
    readRequestHeader(reader)
    const read = readRequest(reader, apiKey.produce, 9).topicData[0]!.partitionData
    expect(reader.remaining).toBe(0)
    expect(read).toHaveLength(count)
    for (let n = 0; n < count; n += 97) expect(records[n]!.equals(read[n]!.records as Uint8Array)).toBe(true)
  })

  it.each([0, 126, 127, 128, 16_383, 16_384, 32_767])('makes room for a tagged string of %i bytes', (length) => {
    const request = create(fetchRequest, { clusterId: 'x'.repeat(length), rackId: 'behind' })
    const reader = new Reader(bodyOf(joined(writeRequest(apiKey.fetch, 12, 1, null, request))))
    readRequestHeader(reader)
    expect(readRequest(reader, apiKey.fetch, 12)).toMatchObject({ clusterId: 'x'.repeat(length), rackId: 'behind' })
    expect(reader.remaining).toBe(0)
  })

  it.each([
    '',
    'a',
    'é',
    '漢字',
    'x'.repeat(31),
    'x'.repeat(32),
    'x'.repeat(33),
    `${'x'.repeat(31)}é`,
    '😀'.repeat(40),
    '\ud800',
  ])('fits the string %j in both encodings', (text) => {
    for (const version of [3, 4]) {
      const reader = new Reader(
        bodyOf(joined(writeRequest(apiKey.heartbeat, version, 1, text, { ...heartbeat(1), groupId: text }))),
      )
      const asUtf8 = Buffer.from(text).toString()
      expect(readRequestHeader(reader).clientId).toBe(asUtf8)
      expect(readRequest(reader, apiKey.heartbeat, version).groupId).toBe(asUtf8)
      expect(reader.remaining).toBe(0)
    }
  })

  function joinable(parts: Uint8Array[]) {
    return { parts: parts as Buffer[], copy: Buffer.from(joined(parts)) }
  }
})

describe('what the version has no room for', () => {
  it.each<[string, number, Partial<RequestOf<1>>, string]>([
    ['a field that came later', 11, { replicaState: { replicaId: 3, replicaEpoch: -1n } }, 'replicaState'],
    ['a field that is gone', 15, { replicaId: 3 }, 'replicaId'],
    [
      'an array that came later',
      4,
      { forgottenTopicsData: [{ topic: 't', topicId: zeroUuid, partitions: [] }] },
      'forgottenTopicsData',
    ],
    ['a value of the wrong kind in such a field', 11, { replicaState: 'x' as never }, 'replicaState'],
  ])('is never dropped silently: %s', (_, version, values, name) => {
    expect(() => writeRequest(apiKey.fetch, version, 1, null, create(fetchRequest, values))).toThrow(
      expect.objectContaining({
        code: 'UNSUPPORTED_VERSION',
        message: expect.stringMatching(new RegExp(`FetchRequest\\.${name} .* version ${version}`)) as string,
      }),
    )
  })

  it('goes unmentioned at its default, or where it may be ignored', () => {
    const replicaState = { replicaId: -1, replicaEpoch: -1n }
    const plain = joined(writeRequest(apiKey.fetch, 6, 1, null, create(fetchRequest)))
    const more = create(fetchRequest, { replicaState, sessionId: 5, rackId: 'r', clusterId: 'c' })
    expect(joined(writeRequest(apiKey.fetch, 6, 1, null, more))).toEqual(plain)
  })

  it('includes a null that other versions allow', () => {
    const all = { topics: null, allowAutoTopicCreation: true, includeTopicAuthorizedOperations: false }
    const request = { ...all, includeClusterAuthorizedOperations: false }
    expect(() => writeRequest(apiKey.metadata, 0, 1, null, request)).toThrow(
      expect.objectContaining({ code: 'UNSUPPORTED_VERSION', message: expect.stringContaining('topics') as string }),
    )
    expect(writeRequest(apiKey.metadata, 1, 1, null, request)).toHaveLength(1)
  })

  it('includes the version itself', () => {
    for (const version of [3, 19, -1, 1.5, Number.NaN])
      expect(() => writeRequest(apiKey.fetch, version, 1, null, create(fetchRequest))).toThrow(
        expect.objectContaining({ code: 'UNSUPPORTED_VERSION' }),
      )
  })
})

describe('values that are not of their field', () => {
  const write = (values: object) => () =>
    writeRequest(apiKey.fetch, 12, 1, null, create(fetchRequest, { maxWaitMs: 1, ...values }) as never)
  const partition = {
    partition: 0,
    currentLeaderEpoch: 0,
    fetchOffset: 0n,
    lastFetchedEpoch: 0,
    logStartOffset: 0n,
    partitionMaxBytes: 0,
  }
  const topic = (values: object) => ({
    topics: [{ topic: 't', topicId: zeroUuid, partitions: [{ ...partition, ...values }] }],
  })

  it.each([
    ['an int32 that is too large', { maxWaitMs: 2 ** 31 }, 'maxWaitMs must be an int32, got 2147483648'],
    ['a fraction', { maxWaitMs: 0.5 }, 'maxWaitMs must be an int32, got 0.5'],
    ['a string for a number', { maxWaitMs: '5' }, 'maxWaitMs must be an int32, got 5'],
    ['a bigint for a number', { maxWaitMs: 5n }, 'maxWaitMs must be an int32, got 5'],
    ['an int8 that is too large', { isolationLevel: 128 }, 'isolationLevel must be an int8, got 128'],
    ['null', { rackId: null }, 'rackId must be a string, got null'],
    ['nothing', { rackId: undefined }, 'rackId must be a string, got undefined'],
    [
      'a string that is too long',
      { rackId: 'x'.repeat(32_768) },
      'rackId must be a string of up to 32767 bytes, got 32768',
    ],
    ['no array', { topics: {} }, 'topics must be an array, got an object'],
    ['no struct', { topics: [5] }, 'topics must be an object, got 5'],
    [
      'a number for a bigint',
      topic({ fetchOffset: 5 }),
      'topics.partitions.fetchOffset must be a bigint of 64 bits, got 5',
    ],
    [
      'a bigint that is too large',
      topic({ fetchOffset: 2n ** 63n }),
      'fetchOffset must be a bigint of 64 bits, got 9223372036854775808',
    ],
    [
      'a bigint that is too small',
      topic({ fetchOffset: -(2n ** 63n) - 1n }),
      'fetchOffset must be a bigint of 64 bits',
    ],
  ])('%s', (_, values, message) => {
    expect(write(values)).toThrow(
      expect.objectContaining({
        code: 'INVALID_ARGUMENT',
        message: expect.stringContaining(`FetchRequest.`) as string,
      }),
    )
    expect(write(values)).toThrow(message)
  })

  it('a uuid that is none, a boolean that is none', () => {
    const topics = [{ topic: 't', topicId: 'x', partitions: [] }]
    expect(() => writeRequest(apiKey.fetch, 13, 1, null, create(fetchRequest, { topics }))).toThrow(
      'FetchRequest.topics.topicId must be a uuid of 22 characters, got x',
    )
    const request = create(describeConfigsRequest, { includeSynonyms: 1 as never })
    expect(() => writeRequest(apiKey.describeConfigs, 1, 1, null, request)).toThrow(
      'DescribeConfigsRequest.includeSynonyms must be a boolean, got 1',
    )
  })
})
