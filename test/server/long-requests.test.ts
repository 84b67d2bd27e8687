import { expect, onTestFinished, test } from 'vitest'
import type { Broker } from '../../ts/broker/broker.js'
import { apiKey, type RequestOf } from '../../ts/protocol/apis.js'
import { readResponse, readResponseHeader } from '../../ts/protocol/codec/frames.js'
import { Reader } from '../../ts/protocol/codec/reader.js'
import { zeroUuid } from '../../ts/protocol/uuid.js'
import type { Peer } from '../../ts/server/client-request.js'
import { LongRequests } from '../../ts/server/long-requests.js'
import { runRequest } from '../../ts/server/run-request.js'
import type { Frame } from '../../ts/server/wire.js'
import { TestBroker, valuesOf } from '../broker/harness.js'
import { byName, clientBatch, eventually, fetchOf, forEver, frameOf, newest, TestServer } from './harness.js'

/** As many partitions as one request may make, nearly. */
const elements = 9000

function fetchOfMany(topic: string, wait: { minBytes?: number; maxWaitMs?: number } = {}) {
  const fetch = fetchOf(topic, 0, wait)
  const [{ partitions }] = fetch.topics
  fetch.topics[0].partitions = Array.from({ length: elements }, (_, partition) => ({ ...partitions[0], partition }))
  return fetch
}

const long = frame(frameOf(apiKey.fetch, fetchOfMany('nowhere', { maxWaitMs: 0 }), byName.fetch))
const short = frame(frameOf(apiKey.apiVersions, {}, newest(apiKey.apiVersions)))

function frame(bytes: Buffer): Frame {
  return { chunks: [bytes.subarray(4)], sizeBytes: bytes.length - 4 }
}

/** One connection of its own per call. */
function peerAt(longRequests: LongRequests, changes: Partial<Peer> = {}) {
  const peer = {
    clientHost: '127.0.0.1',
    localAddress: '127.0.0.1',
    listener: 'PLAINTEXT',
    connectionId: '1',
    copiedBytes: 1 << 18,
    signal: new AbortController().signal,
    isGone: false,
    heldBytes: 0,
    beginLong: () => longRequests.begin(),
    hold: (bytes: number) => {
      peer.heldBytes += bytes
    },
    letGo: (bytes: number) => {
      peer.heldBytes -= bytes
    },
    ...changes,
  }
  return peer
}

async function openBroker(): Promise<Broker> {
  const { broker } = await TestBroker.open('memory:')
  onTestFinished(() => broker.close())
  return broker
}

test('long requests are handled one after another, and others are answered meanwhile', async () => {
  const [broker, longRequests] = [await openBroker(), new LongRequests()]
  const order: string[] = []
  const run = async (name: string, what: Frame) => {
    await runRequest(broker, what, peerAt(longRequests))
    order.push(name)
  }
  const both = [run('first', long), run('second', long)]
  let turns = 0
  const count = () => {
    turns++
    if (order.length < 4) setImmediate(count)
  }
  count()
  await run('short', short)
  await both[0]
  await run('another short', short)
  await both[1]
  expect(order).toEqual(['short', 'first', 'another short', 'second'])
  // A piece of one of them per turn.
  expect(turns).toBeGreaterThanOrEqual((2 * elements) / 1000)
})

test('a long request takes memory for its objects once it has its turn, and gives it back', async () => {
  const [broker, longRequests] = [await openBroker(), new LongRequests()]
  const [first, second] = [peerAt(longRequests), peerAt(longRequests)]
  const answered = runRequest(broker, long, first)
  const other = runRequest(broker, long, second)
  await eventually(() => first.heldBytes > 0)
  expect(first.heldBytes).toBeGreaterThan(elements * 100)
  expect(second.heldBytes).toBe(0)
  await answered
  expect(first.heldBytes).toBe(0)
  await other
  expect(second.heldBytes).toBe(0)
})

test('a long request whose connection is gone before its turn is not handled', async () => {
  const [broker, longRequests] = [await openBroker(), new LongRequests()]
  const gone = peerAt(longRequests, { isGone: true })
  await expect(runRequest(broker, long, gone)).rejects.toMatchObject({ code: 'CLOSED' })
})

test('a long request that waits for records keeps nobody up', async () => {
  const server = await TestServer.start()
  const big = { name: 'big', numPartitions: elements, replicationFactor: 1, assignments: [], configs: [] }
  const [waiting, other, producer] = await Promise.all([server.connect(), server.connect(), server.connect()])
  const { topics } = await producer.ask(apiKey.createTopics, { topics: [big], timeoutMs: 5000 })
  expect(topics[0].errorCode).toBe(0)
  // Partitions that were never written to, so that this fetch has to wait.
  waiting.send(apiKey.fetch, fetchOfMany('big', { maxWaitMs: forEver }), byName.fetch)
  const { responses } = await other.ask(apiKey.fetch, fetchOfMany('nowhere', { maxWaitMs: 0 }), byName.fetch)
  expect(responses[0].partitions).toHaveLength(elements)
  const data = [{ index: elements - 1, records: clientBatch('here') }]
  const topicData = [{ name: 'big', topicId: zeroUuid, partitionData: data }]
  await producer.ask(apiKey.produce, { acks: 1, timeoutMs: 1000, topicData }, byName.produce)
  const woken = await waiting.answer(apiKey.fetch, byName.fetch)
  const parts = woken.response.responses[0].partitions
  expect(valuesOf(parts[elements - 1].records)).toEqual(['here'])
})

test('what is sent behind a long produce is appended behind it', async () => {
  const server = await TestServer.start()
  await server.createTopic('orders')
  const client = await server.connect()
  const nothing = Array.from({ length: elements }, (_, i) => ({ index: i + 1, records: null }))
  const partitionData = [...nothing, { index: 0, records: clientBatch('first') }]
  const request = { acks: 1, timeoutMs: 1000, topicData: [{ name: 'orders', topicId: zeroUuid, partitionData }] }
  const second = [{ index: 0, records: clientBatch('second') }]
  const bytes = [request, { ...request, topicData: [{ ...request.topicData[0], partitionData: second }] }]
  client.socket.write(Buffer.concat(bytes.map((one, i) => frameOf(apiKey.produce, one, byName.produce, i))))
  const first = await client.answer(apiKey.produce, byName.produce)
  const codes = first.response.responses[0].partitionResponses.map(({ errorCode }) => errorCode)
  expect(codes).toEqual([...nothing.map(() => 3), 0])
  expect(first.response.responses[0].partitionResponses[elements]).toMatchObject({ baseOffset: 0n })
  const { id, response } = await client.answer(apiKey.produce, byName.produce)
  expect(id).toBe(1)
  expect(response.responses[0].partitionResponses[0]).toMatchObject({ errorCode: 0, baseOffset: 1n })
  expect(server.server.queuedBytes).toBe(0)
})

test('one that is malformed behind its many elements is refused', async () => {
  const [broker, longRequests] = [await openBroker(), new LongRequests()]
  const [chunk] = long.chunks
  const cut = { chunks: [chunk.subarray(0, chunk.length - 1)], sizeBytes: chunk.length - 1 }
  const peer = peerAt(longRequests)
  await expect(runRequest(broker, cut, peer)).rejects.toMatchObject({ code: 'MALFORMED_MESSAGE' })
  expect(peer.heldBytes).toBe(0)
})

test('a long request is answered as the broker answers it at once', async () => {
  const [broker, longRequests] = [await openBroker(), new LongRequests()]
  const partitions = Array.from({ length: elements }, (_, i) => ({
    partitionIndex: i,
    currentLeaderEpoch: -1,
    timestamp: -1n,
  }))
  const request: Partial<RequestOf<2>> = { replicaId: -1, topics: [{ name: 'nowhere', partitions }] }
  const version = newest(apiKey.listOffsets)
  const parts = await runRequest(broker, frame(frameOf(apiKey.listOffsets, request, version)), peerAt(longRequests))
  const reader = new Reader(Buffer.concat(parts as Buffer[]).subarray(4))
  readResponseHeader(reader, apiKey.listOffsets, version)
  const { topics } = readResponse(reader, apiKey.listOffsets, version)
  expect(topics[0].partitions.map(({ partitionIndex }) => partitionIndex)).toEqual(
    partitions.map(({ partitionIndex }) => partitionIndex),
  )
  expect(new Set(topics[0].partitions.map(({ errorCode }) => errorCode))).toEqual(new Set([3]))
})
