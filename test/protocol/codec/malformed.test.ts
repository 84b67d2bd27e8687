import { describe, expect, it } from 'vitest'
import { type ApiKey, apiKey, apis } from '../../../ts/protocol/apis.js'
import { readRequest, readRequestHeader, writeRequest } from '../../../ts/protocol/codec/frames.js'
import { Reader } from '../../../ts/protocol/codec/reader.js'
import { bodyOf, joined } from './frame-samples.js'
import { filledAt } from './message-arbitrary.js'

const hex = (...parts: string[]) => Buffer.from(parts.join(''), 'hex')
const malformed = (message?: RegExp) =>
  expect.objectContaining({
    code: 'MALFORMED_MESSAGE',
    ...(message && { message: expect.stringMatching(message) as string }),
  })

describe('a message cut short', () => {
  for (const [key, { name, request }] of Object.entries(apis)) {
    it(`is refused at every byte of ${name}`, () => {
      for (let version = request.versions.from; version <= request.versions.to; version++) {
        const frame = joined(writeRequest(Number(key) as ApiKey, version, 1, 'c', filledAt(request, version) as never))
        const body = bodyOf(frame)
        for (let length = 0; length < body.length; length++) {
          expect(() => {
            const reader = new Reader(body.subarray(0, length))
            const header = readRequestHeader(reader)
            readRequest(reader, header.apiKey as ApiKey, header.apiVersion)
          }).toThrow(malformed())
        }
      }
    })
  }
})

describe('a length that lies', () => {
  const metadata =
    (version: number, ...body: string[]) =>
    () =>
      readRequest(new Reader(hex(...body)), apiKey.metadata, version)
  const produce =
    (version: number, ...body: string[]) =>
    () =>
      readRequest(new Reader(hex(...body)), apiKey.produce, version)

  it.each([
    ['more elements than bytes', metadata(1, '7fffffff', '0001'), /topics claims 2147483647 elements/],
    ['more elements than could fit', metadata(1, '00000003', '000161', '0000'), /topics claims 3 elements/],
    ['the same, compact', metadata(9, 'ffffffff0f', '0000'), /topics claims 4294967294 elements/],
    ['a negative count', metadata(1, 'fffffffe'), /topics has the length -2/],
    ['null where null is not allowed', metadata(0, 'ffffffff'), /topics is null/],
    ['the same, compact', produce(9, '00', '0001', '00000001', '00'), /topicData is null/],
    ['a negative string', metadata(1, '00000001', 'fffe'), /topics\.name has the length -2/],
    ['a string that is null', metadata(1, '00000001', 'ffff'), /topics\.name is null/],
    ['a string longer than the message', metadata(1, '00000001', '7fff', '61'), /bytes too early/],
    [
      'a compact string above 32767 bytes',
      metadata(9, '02', '818002', '00', '00'),
      /topics\.name has the length 32768/,
    ],
    [
      'records longer than the message',
      produce(7, 'ffff', '0001', '00000001', '00000001', '000174', '00000001', '00000000', '7fffffff'),
      /bytes too early/,
    ],
    [
      'records of negative length',
      produce(7, 'ffff', '0001', '00000001', '00000001', '000174', '00000001', '00000000', 'fffffffe'),
      /records has the length -2/,
    ],
    ['a varint of six bytes', metadata(9, '808080808000'), /32 bits/],
    ['a varint of 33 bits', metadata(9, 'ffffffff1f'), /32 bits/],
    ['more tags than bytes', metadata(9, '01', '00', '00', '00', 'ffffffff0f'), /bytes too early/],
    ['a tag longer than the message', metadata(9, '01', '00', '00', '00', '01', '05', 'ffffffff0f'), /bytes too early/],
  ])('%s', (_, read, message) => {
    expect(read).toThrow(malformed(message))
    expect(read).toThrow(malformed(/^\w+Request version \d+: /))
  })

  it('of a tagged field is held against the field', () => {
    // Fetch v12: cluster id (tag 0) "ab" in 3 bytes, said to be of 4.
    const read = (size: string) => () =>
      readRequest(
        new Reader(
          hex(
            'ffffffff',
            '00000000',
            '00000000',
            '00000000',
            '00',
            '00000000',
            'ffffffff',
            '01',
            '01',
            '01',
            '01',
            '00',
            size,
            '036162',
            '00',
          ),
        ),
        apiKey.fetch,
        12,
      )
    expect(read('03')()).toMatchObject({ clusterId: 'ab' })
    expect(read('04')).toThrow(malformed(/clusterId is not of the size it says/))
    expect(read('02')).toThrow(malformed(/clusterId is not of the size it says/))
  })
})

describe('a message of a great many elements', () => {
  it('is refused before they are made', () => {
    const resources = 250_001
    const body = Buffer.alloc(4 + resources * 7 + 2)
    body.writeInt32BE(resources)
    const read = () => readRequest(new Reader(body), apiKey.describeConfigs, 1)
    const before = process.memoryUsage().heapUsed
    expect(read).toThrow(malformed(/more array elements/))
    expect(process.memoryUsage().heapUsed - before).toBeLessThan(20 << 20)
  })

  it('counts those of all arrays together', () => {
    // A type, an empty name, and 150,000 empty keys.
    const resource = Buffer.alloc(1 + 2 + 4 + 150_000 * 2)
    resource.writeInt32BE(150_000, 3)
    const count = Buffer.alloc(4)
    count.writeInt32BE(2)
    const flags = Buffer.alloc(1)
    const read = (parts: Buffer[]) => readRequest(new Reader(parts), apiKey.describeConfigs, 1)
    expect(() => read([count, resource, resource, flags])).toThrow(malformed(/more array elements/))
    count.writeInt32BE(1)
    expect(read([count, resource, flags]).resources[0]!.configurationKeys).toHaveLength(150_000)
  })
})

describe('text that is not UTF-8', () => {
  it('is replaced, as in Kafka', () => {
    const request = readRequest(new Reader(hex('00000001', '0003', '61ff62')), apiKey.metadata, 1)
    expect(request.topics![0]!.name).toBe('a�b')
  })
})
