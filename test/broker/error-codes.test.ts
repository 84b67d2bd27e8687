import { describe, expect, it } from 'vitest'
import { placedError } from '../../ts/broker/error-codes.js'
import { SeglogError } from '../../ts/errors/seglog-error.js'
import { apiKey } from '../../ts/protocol/apis.js'
import { causeOf } from '../../ts/protocol/cause.js'
import { zeroUuid } from '../../ts/protocol/uuid.js'
import { TestBroker } from './harness.js'

const trace = /\n {4}at /

describe('the error of a partition', () => {
  it('says where it happened, and keeps what else it said', () => {
    const cause = new Error('disk')
    const thrown = new SeglogError('IO_ERROR', 'no', {
      retriable: true,
      cause,
      path: 'p',
      position: 3,
      key: 'k',
      offset: 5n,
    })
    const { code, message, ...rest } = placedError(thrown, 't', 1)
    expect({ code, message }).toEqual({ code: 'IO_ERROR', message: 't-1: no' })
    expect(rest).toEqual({
      ...{
        name: 'SeglogError',
        retriable: true,
        topic: 't',
        partition: 1,
        path: 'p',
        position: 3,
        key: 'k',
        offset: 5n,
      },
    })
    expect(placedError(thrown, 't', 1).cause).toBe(cause)
  })

  it('costs no stack trace where a request may cause it for each of its partitions', async () => {
    const test = await TestBroker.open('memory:')
    await test.createTopic('t')
    const { stackTraceLimit } = Error
    const partitionData = [7, 8].map((index) => ({ index, records: null }))
    const topicData = ['t', 'nowhere'].map((name) => ({ name, topicId: zeroUuid, partitionData }))
    const produced = await test.ask(apiKey.produce, { acks: 1, topicData })
    const fetched = [await test.fetch('t', 7), await test.fetch('t', 9), await test.fetch('nowhere', 0)]
    const listed = [await test.listOffset('t', -1n, 7), await test.listOffset('nowhere', -1n)]
    const parts = [...produced.responses.flatMap(({ partitionResponses }) => partitionResponses), ...fetched, ...listed]
    expect(parts).toHaveLength(9)
    for (const part of parts) {
      const cause = causeOf(part)
      expect(cause?.message).toMatch(/\w/)
      expect(cause?.stack).not.toMatch(trace)
    }
    expect(Error.stackTraceLimit).toBe(stackTraceLimit)
    expect(new Error('as ever').stack).toMatch(trace)
  })
})
