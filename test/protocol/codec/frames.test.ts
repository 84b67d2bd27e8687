import { describe, expect, it } from 'vitest'
import { apiKey } from '../../../ts/protocol/apis.js'
import {
  readRequest,
  readRequestHeader,
  readResponse,
  readResponseHeader,
  writeRequest,
  writeResponse,
} from '../../../ts/protocol/codec/frames.js'
import { Reader } from '../../../ts/protocol/codec/reader.js'
import { type ApiVersionsResponse, apiVersionsResponse } from '../../../ts/protocol/messages/18-api-versions.js'
import { create } from '../../../ts/protocol/schema.js'
import { bodyOf, joined } from './frame-samples.js'

const hex = (...parts: string[]) => Buffer.from(parts.join(''), 'hex')
const heartbeat = { groupId: 'g', generationId: 1, memberId: 'm', groupInstanceId: null }

describe('request headers', () => {
  it('are v1 before the flexible versions', () => {
    const frame = joined(writeRequest(apiKey.heartbeat, 3, 7, 'kcat', heartbeat))
    expect(frame).toEqual(
      hex('0000001a', '000c', '0003', '00000007', '00046b636174', '000167', '00000001', '00016d', 'ffff'),
    )
    expect(readRequestHeader(new Reader(bodyOf(frame)))).toEqual({
      apiKey: 12,
      apiVersion: 3,
      correlationId: 7,
      clientId: 'kcat',
    })
  })

  it('are v2 from there on: tagged fields, but a client id in the old form', () => {
    const frame = joined(writeRequest(apiKey.heartbeat, 4, 7, 'kcat', heartbeat))
    expect(frame).toEqual(
      hex('00000019', '000c', '0004', '00000007', '00046b636174', '00', '0267', '00000001', '026d', '00', '00'),
    )
    const reader = new Reader(bodyOf(frame))
    expect(readRequestHeader(reader).clientId).toBe('kcat')
    expect(readRequest(reader, apiKey.heartbeat, 4)).toEqual(heartbeat)
    expect(reader.remaining).toBe(0)
  })

  it('have no client id where it is null, and skip tags', () => {
    const frame = joined(writeRequest(apiKey.heartbeat, 4, -1, null, heartbeat))
    expect(frame.subarray(8, 15)).toEqual(hex('ffffffff', 'ffff', '00'))
    const tagged = Buffer.concat([frame.subarray(4, 14), hex('02', '00', '03616263', '8901', '00'), frame.subarray(15)])
    const reader = new Reader(tagged)
    expect(readRequestHeader(reader)).toEqual({ apiKey: 12, apiVersion: 4, correlationId: -1, clientId: null })
    expect(readRequest(reader, apiKey.heartbeat, 4)).toEqual(heartbeat)
  })

  it.each([
    ['an unknown version of ApiVersions', '0012', '0063'],
    ['an unknown key', '03e7', '0000'],
    ['a negative key', 'ffff', '0000'],
    ['a negative version', '0003', 'ffff'],
    ['a version that is gone', '0000', '0002'],
  ])('of %s are read up to the correlation id', (_, key, version) => {
    const reader = new Reader(hex(key, version, '0000002a', 'deadbeef'))
    const header = readRequestHeader(reader)
    expect(header).toMatchObject({ correlationId: 42, clientId: null })
    expect(header.apiVersion).toBe(hex(version).readInt16BE(0))
    expect(reader.remaining).toBe(4)
  })

  it('refuse a client id of negative length, or a longer one than there is', () => {
    for (const length of ['fffe', '0005']) {
      expect(() => readRequestHeader(new Reader(hex('000c', '0003', '00000001', length, '61')))).toThrow(
        expect.objectContaining({ code: 'MALFORMED_MESSAGE' }),
      )
    }
  })

  it('name the client id that is too long', () => {
    expect(() => writeRequest(apiKey.heartbeat, 3, 1, 'x'.repeat(0x8000), heartbeat)).toThrow(
      expect.objectContaining({ code: 'INVALID_ARGUMENT', message: expect.stringContaining('clientId') }),
    )
  })
})

describe('response headers', () => {
  it('carry tags in flexible versions only', () => {
    const response = { throttleTimeMs: 0, errorCode: 27 }
    const old = joined(writeResponse(apiKey.heartbeat, 3, 9, response) as Uint8Array[])
    expect(old).toEqual(hex('0000000a', '00000009', '00000000', '001b'))
    const flexible = joined(writeResponse(apiKey.heartbeat, 4, 9, response) as Uint8Array[])
    expect(flexible).toEqual(hex('0000000c', '00000009', '00', '00000000', '001b', '00'))
  })

  it('never do in ApiVersions, whose body is flexible all the same', () => {
    const apiKeys = [{ apiKey: 18, minVersion: 0, maxVersion: 4 }]
    const response: ApiVersionsResponse = create(apiVersionsResponse, { apiKeys })
    const frame = joined(writeResponse(apiKey.apiVersions, 4, 9, response) as Uint8Array[])
    expect(frame).toEqual(hex('00000013', '00000009', '0000', '02', '001200000004', '00', '00000000', '00'))
    const reader = new Reader(bodyOf(frame))
    expect(readResponseHeader(reader, apiKey.apiVersions, 4)).toBe(9)
    expect(readResponse(reader, apiKey.apiVersions, 4)).toMatchObject({ errorCode: 0, apiKeys })
  })
})

describe('bodies', () => {
  it('ignore what stands behind them, as Kafka does', () => {
    const frame = joined(writeRequest(apiKey.heartbeat, 4, 1, null, heartbeat))
    const reader = new Reader([bodyOf(frame), hex('00ff')])
    readRequestHeader(reader)
    expect(readRequest(reader, apiKey.heartbeat, 4)).toEqual(heartbeat)
    expect(reader.remaining).toBe(2)
  })

  it('skip unknown tags in every struct', () => {
    // Metadata v9 request: one topic "t" with two unknown tags, two flags off, one unknown tag at the end.
    const body = hex('02', '0274', '02', '00', '0161', '07', '00', '01', '00', '00', '01', '63', '02beef')
    const reader = new Reader(body)
    expect(readRequest(reader, apiKey.metadata, 9)).toMatchObject({
      topics: [{ name: 't' }],
      allowAutoTopicCreation: true,
      includeClusterAuthorizedOperations: false,
    })
    expect(reader.remaining).toBe(0)
  })

  it('leave a tagged field away when it is at its default, and send it in tag order otherwise', () => {
    const partition = { index: 0, errorCode: 0, baseOffset: 1n, logAppendTimeMs: -1n, logStartOffset: 0n }
    const plain = { ...partition, recordErrors: [], errorMessage: null }
    const answer = (currentLeader?: { leaderId: number; leaderEpoch: number }) =>
      joined(
        writeResponse(apiKey.produce, 10, 1, {
          responses: [
            { name: 't', topicId: 'AAAAAAAAAAAAAAAAAAAAAA', partitionResponses: [{ ...plain, currentLeader }] },
          ],
          throttleTimeMs: 0,
        }) as Uint8Array[],
      )
    expect(answer({ leaderId: -1, leaderEpoch: -1 })).toEqual(answer())
    const hinted = answer({ leaderId: 2, leaderEpoch: 5 })
    // one tag; number 0; 9 bytes: two int32 and an empty tag buffer of its own
    expect(hinted.toString('hex')).toContain(['01', '00', '09', '00000002', '00000005', '00'].join(''))
    const reader = new Reader(bodyOf(hinted))
    readResponseHeader(reader, apiKey.produce, 10)
    const [topic] = readResponse(reader, apiKey.produce, 10).responses
    expect(topic!.partitionResponses[0]).toEqual({ ...plain, currentLeader: { leaderId: 2, leaderEpoch: 5 } })
  })

  it('are plain objects', () => {
    const reader = new Reader(bodyOf(joined(writeRequest(apiKey.heartbeat, 4, 1, null, heartbeat))))
    readRequestHeader(reader)
    const read = readRequest(reader, apiKey.heartbeat, 4)
    expect(Object.getPrototypeOf(read)).toBe(Object.prototype)
    expect(structuredClone(read)).toEqual(heartbeat)
  })
})
