import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { FetchSessions, type SessionFetch } from '../../ts/broker/fetch-sessions.js'
import { apiKey, type RequestOf, type ResponseOf } from '../../ts/protocol/apis.js'
import { protocolErrors } from '../../ts/protocol/errors.js'
import type { FetchPartitionResponse, FetchRequest, FetchResponse } from '../../ts/protocol/messages/01-fetch.js'
import { fetchRequest } from '../../ts/protocol/messages/01-fetch.js'
import { create } from '../../ts/protocol/schema.js'
import { zeroUuid } from '../../ts/protocol/uuid.js'
import { batchOf, TestBroker, temporaryDirectory, valuesOf } from './harness.js'

const code = (name: keyof typeof protocolErrors) => protocolErrors[name].code

/** The partitions of topic `t` in a request, from these offsets. */
function asking(partitions: Record<number, number>): FetchRequest['topics'] {
  const asked = Object.entries(partitions).map(([partition, offset]) => ({
    partition: Number(partition),
    currentLeaderEpoch: -1,
    fetchOffset: BigInt(offset),
    lastFetchedEpoch: -1,
    logStartOffset: -1n,
    partitionMaxBytes: 1 << 20,
  }))
  return asked.length === 0 ? [] : [{ topic: 't', topicId: zeroUuid, partitions: asked }]
}

function forgetting(partitions: number[]): FetchRequest['forgottenTopicsData'] {
  return partitions.length === 0 ? [] : [{ topic: 't', topicId: zeroUuid, partitions }]
}

function requestOf(
  sessionId: number,
  sessionEpoch: number,
  partitions: Record<number, number>,
  forgotten: number[] = [],
) {
  const fields = { sessionId, sessionEpoch, topics: asking(partitions), forgottenTopicsData: forgetting(forgotten) }
  return create(fetchRequest, { maxWaitMs: 0, minBytes: 1, ...fields }) as FetchRequest
}

/** A whole answer without records: high watermarks by partition. */
function told(request: FetchRequest, highWatermark: (partition: number) => number): FetchResponse {
  const part = (partitionIndex: number): FetchPartitionResponse => ({
    partitionIndex,
    errorCode: 0,
    highWatermark: BigInt(highWatermark(partitionIndex)),
    lastStableOffset: 0n,
    logStartOffset: 0n,
    abortedTransactions: null,
    preferredReadReplica: -1,
    records: Buffer.alloc(0),
  })
  const responses = request.topics.map(({ topic, topicId, partitions }) => ({
    topic,
    topicId,
    partitions: partitions.map(({ partition }) => part(partition)),
  }))
  return { throttleTimeMs: 0, errorCode: 0, sessionId: 0, responses }
}

function begun(fetch: SessionFetch | number): SessionFetch {
  if (typeof fetch === 'number') throw new Error(`refused with ${fetch}`)
  return fetch
}

/** Makes a session of so many partitions; its id, 0 if it got none. */
function make(sessions: FetchSessions, count: number): number {
  const partitions = Object.fromEntries(Array.from({ length: count }, (_, i) => [i, 0]))
  const fetch = begun(sessions.begin(requestOf(0, 0, partitions), false))
  return fetch.answer(told(fetch.request, () => 0)).sessionId
}

const partitionsOf = (answer: FetchResponse) =>
  answer.responses.flatMap(({ partitions }) => partitions.map(({ partitionIndex }) => partitionIndex))

describe('fetch sessions', () => {
  it('a request without a session is given none', () => {
    const sessions = new FetchSessions(() => 10, Date.now)
    const fetch = begun(sessions.begin(requestOf(0, -1, { 0: 0 }), false))
    expect(fetch.answer(told(fetch.request, () => 5))).toMatchObject({ sessionId: 0 })
    expect(sessions.size).toBe(0)
  })

  it('one with nothing to fetch makes none', () => {
    const sessions = new FetchSessions(() => 10, Date.now)
    expect(make(sessions, 0)).toBe(0)
    expect(sessions.size).toBe(0)
  })

  it('answers name what changed only', () => {
    const sessions = new FetchSessions(() => 10, Date.now)
    const id = make(sessions, 3)
    const first = begun(sessions.begin(requestOf(id, 1, {}), false))
    expect(first.request.topics).toEqual(asking({ 0: 0, 1: 0, 2: 0 }))
    expect(first.answer(told(first.request, (p) => (p === 1 ? 7 : 0)))).toMatchObject({ sessionId: id })
    const second = begun(sessions.begin(requestOf(id, 2, {}), false))
    expect(partitionsOf(second.answer(told(second.request, (p) => (p === 1 ? 7 : 0))))).toEqual([])
    const third = begun(sessions.begin(requestOf(id, 3, { 5: 9 }, [0]), false))
    expect(third.request.topics).toEqual(asking({ 1: 0, 2: 0, 5: 9 }))
    expect(partitionsOf(third.answer(told(third.request, (p) => (p === 1 ? 8 : 0))))).toEqual([1, 5])
  })

  it('an error is told each time, and its end once', () => {
    const sessions = new FetchSessions(() => 10, Date.now)
    const id = make(sessions, 2)
    const failing = (request: FetchRequest) => {
      const answer = told(request, () => 0)
      const [first, ...others] = answer.responses[0].partitions
      const part = { ...first, errorCode: 3, highWatermark: -1n, logStartOffset: -1n }
      return { ...answer, responses: [{ ...answer.responses[0], partitions: [part, ...others] }] }
    }
    for (const epoch of [1, 2]) {
      const fetch = begun(sessions.begin(requestOf(id, epoch, {}), false))
      expect(partitionsOf(fetch.answer(failing(fetch.request)))).toEqual([0])
    }
    for (const [epoch, named] of [
      [3, [0]],
      [4, []],
    ] as const) {
      const fetch = begun(sessions.begin(requestOf(id, epoch, {}), false))
      expect(partitionsOf(fetch.answer(told(fetch.request, () => 0)))).toEqual(named)
    }
  })

  it('what gave records is read after the others', () => {
    const sessions = new FetchSessions(() => 10, Date.now)
    const id = make(sessions, 3)
    const fetch = begun(sessions.begin(requestOf(id, 1, {}), false))
    const answer = told(fetch.request, () => 0)
    const partitions = answer.responses[0].partitions.map((part) =>
      part.partitionIndex === 0 ? { ...part, records: Buffer.alloc(1) } : part,
    )
    fetch.answer({ ...answer, responses: [{ ...answer.responses[0], partitions }] })
    expect(begun(sessions.begin(requestOf(id, 2, {}), false)).request.topics).toEqual([
      ...asking({ 1: 0, 2: 0 }).map((topic) => ({
        ...topic,
        partitions: [...topic.partitions, ...asking({ 0: 0 })[0].partitions],
      })),
    ])
  })

  it('refuses what does not fit the session', () => {
    const sessions = new FetchSessions(() => 10, Date.now)
    const id = make(sessions, 1)
    expect(sessions.begin(requestOf(id + 1, 1, {}), false)).toBe(code('FETCH_SESSION_ID_NOT_FOUND'))
    expect(sessions.begin(requestOf(id, 2, {}), false)).toBe(code('INVALID_FETCH_SESSION_EPOCH'))
    expect(sessions.begin(requestOf(id, 1, {}), true)).toBe(code('FETCH_SESSION_TOPIC_ID_ERROR'))
    const waits = begun(sessions.begin(requestOf(id, 1, {}), false))
    expect(waits.isStale()).toBe(false)
    sessions.begin(requestOf(id, 2, {}), false)
    expect(waits.isStale()).toBe(true)
  })

  it('ends with its client, with its last partition, and with a new one of the same client', () => {
    const sessions = new FetchSessions(() => 10, Date.now)
    begun(sessions.begin(requestOf(make(sessions, 1), -1, {}), false))
    expect(sessions).toMatchObject({ size: 0, partitions: 0 })
    const id = make(sessions, 2)
    const last = begun(sessions.begin(requestOf(id, 1, {}, [0, 1]), false))
    expect(last.answer(told(last.request, () => 0)).sessionId).toBe(0)
    expect(sessions).toMatchObject({ size: 0, partitions: 0 })
    begun(sessions.begin(requestOf(make(sessions, 2), 0, { 0: 0 }), false))
    expect(sessions).toMatchObject({ size: 0, partitions: 0 })
  })

  it('gives way when it was not used, or is smaller than another and old', () => {
    let now = 0
    const sessions = new FetchSessions(
      () => 2,
      () => now,
    )
    const ids = [make(sessions, 5), make(sessions, 3)]
    expect(make(sessions, 9)).toBe(0)
    now = 100_000
    for (const [i, id] of ids.entries()) begun(sessions.begin(requestOf(id, 1, {}), i > 9))
    now = 130_000
    expect(make(sessions, 3)).toBe(0)
    const larger = make(sessions, 4)
    expect(larger).not.toBe(0)
    expect(sessions.begin(requestOf(ids[1], 2, {}), false)).toBe(code('FETCH_SESSION_ID_NOT_FOUND'))
    now = 230_000
    expect(make(sessions, 1)).not.toBe(0)
    expect(sessions.begin(requestOf(ids[0], 2, {}), false)).toBe(code('FETCH_SESSION_ID_NOT_FOUND'))
    expect(sessions).toMatchObject({ size: 2, partitions: 5 })
  })

  it('none where there are no slots; never more partitions than memory is given for', () => {
    expect(make(new FetchSessions(() => 0, Date.now), 1)).toBe(0)
    const sessions = new FetchSessions(() => 10, Date.now)
    expect(make(sessions, 500_001)).toBe(0)
    const id = make(sessions, 300_000)
    expect(id).not.toBe(0)
    expect(make(sessions, 300_000)).toBe(0)
    const grows = Object.fromEntries(Array.from({ length: 200_001 }, (_, i) => [300_000 + i, 0]))
    expect(sessions.begin(requestOf(id, 1, grows), false)).toBe(code('FETCH_SESSION_ID_NOT_FOUND'))
    expect(sessions).toMatchObject({ size: 0, partitions: 0 })
  })

  it('a client that keeps what it is told knows what a whole answer would say', () => {
    const step = fc.record({
      appended: fc.array(fc.nat(4), { maxLength: 3 }),
      asked: fc.dictionary(fc.nat(4).map(String), fc.nat(20), { maxKeys: 3 }),
      forgotten: fc.array(fc.nat(4), { maxLength: 2 }),
    })
    fc.assert(
      fc.property(fc.array(step, { maxLength: 30 }), (steps) => {
        const sessions = new FetchSessions(() => 1, Date.now)
        const ends = [0, 0, 0, 0, 0]
        const asked = new Map([[0, 0]])
        const known = new Map<number, bigint>()
        let [id, epoch] = [0, 0]
        for (const { appended, asked: added, forgotten } of steps) {
          for (const partition of appended) ends[partition] += 1
          const named = epoch === 0 ? Object.fromEntries(asked) : added
          for (const [partition, offset] of Object.entries(named)) asked.set(Number(partition), offset)
          if (epoch > 0) for (const partition of forgotten) asked.delete(partition)
          const fetch = begun(sessions.begin(requestOf(id, epoch, named, epoch > 0 ? forgotten : []), false))
          const whole = told(fetch.request, (partition) => ends[partition])
          expect(new Set(partitionsOf(whole))).toEqual(new Set(asked.keys()))
          const answer = fetch.answer(whole)
          for (const partition of known.keys()) if (!asked.has(partition)) known.delete(partition)
          for (const { partitions } of answer.responses) {
            for (const { partitionIndex, highWatermark } of partitions) known.set(partitionIndex, highWatermark)
          }
          expect(known).toEqual(new Map([...asked.keys()].map((partition) => [partition, BigInt(ends[partition])])))
          id = answer.sessionId
          epoch = id === 0 ? 0 : epoch + 1
          if (asked.size === 0) asked.set(0, 0)
        }
      }),
    )
  })
})

describe('a fetch in a session', () => {
  const byName = { apiVersion: 12 }
  const fetch = (test: TestBroker, request: FetchRequest): Promise<ResponseOf<typeof apiKey.fetch>> =>
    test.ask(apiKey.fetch, request as RequestOf<typeof apiKey.fetch>, byName)

  it('goes on where the client is, and is woken by an append to a partition it does not name', async () => {
    const test = await TestBroker.open(temporaryDirectory())
    await test.createTopic('t', 3)
    await test.produce('t', batchOf(['a']), { partition: 1 })
    const first = await fetch(test, requestOf(0, 0, { 0: 0, 1: 0, 2: 0 }))
    expect(partitionsOf(first)).toEqual([0, 1, 2])
    const waits = fetch(test, { ...requestOf(first.sessionId, 1, { 1: 1 }), maxWaitMs: 60_000 })
    await test.produce('t', batchOf(['b']), { partition: 2 })
    const second = await waits
    expect(second.sessionId).toBe(first.sessionId)
    expect(partitionsOf(second)).toEqual([2])
    expect(valuesOf(second.responses[0].partitions[0].records)).toEqual(['b'])
    // What was given is asked for again until the client moves on.
    expect(partitionsOf(await fetch(test, requestOf(first.sessionId, 2, {})))).toEqual([2])
    expect(partitionsOf(await fetch(test, requestOf(first.sessionId, 3, { 2: 1 })))).toEqual([])
  })

  it('of topics by id; of one that is deleted', async () => {
    const test = await TestBroker.open(temporaryDirectory())
    const { topicId } = await test.createTopic('t', 1)
    const [{ partitions }] = asking({ 0: 0 })
    const request = { ...requestOf(0, 0, {}), topics: [{ topic: '', topicId, partitions }] }
    const first = await test.ask(apiKey.fetch, request)
    const next = (epoch: number) => test.ask(apiKey.fetch, requestOf(first.sessionId, epoch, {}))
    expect(await next(1)).toMatchObject({ errorCode: 0, responses: [] })
    await test.ask(apiKey.deleteTopics, { topics: [{ name: 't', topicId: zeroUuid }], timeoutMs: 1000 })
    for (const epoch of [2, 3]) {
      const [{ partitions: parts }] = (await next(epoch)).responses
      expect(parts).toMatchObject([{ partitionIndex: 0, errorCode: code('UNKNOWN_TOPIC_ID') }])
    }
  })

  it('of a session that is not there, or has gone on', async () => {
    const test = await TestBroker.open(temporaryDirectory())
    await test.createTopic('t', 1)
    expect(await fetch(test, requestOf(7, 1, {}))).toMatchObject({ errorCode: code('FETCH_SESSION_ID_NOT_FOUND') })
    const { sessionId } = await fetch(test, requestOf(0, 0, { 0: 0 }))
    const waits = fetch(test, { ...requestOf(sessionId, 1, {}), maxWaitMs: 60_000 })
    const later = fetch(test, requestOf(sessionId, 2, {}))
    await test.produce('t', batchOf(['a']))
    expect(await waits).toMatchObject({ errorCode: code('INVALID_FETCH_SESSION_EPOCH'), responses: [] })
    expect(await later).toMatchObject({ errorCode: 0, sessionId })
  })
})
