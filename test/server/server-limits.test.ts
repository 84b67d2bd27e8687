import { describe, expect, test } from 'vitest'
import { apiKey } from '../../ts/protocol/apis.js'
import { isTooSlow, type ServerLimits } from '../../ts/server/limits.js'
import { temporaryFolder } from '../cli/run-cli.js'
import {
  byName,
  clientBatch,
  connectAndTakeNothing,
  eventually,
  fetchOf,
  forEver,
  frameOf,
  produceOf,
  TestServer,
} from './harness.js'

describe('connections', () => {
  test('above max.connections are closed, and taken again when others went', async () => {
    const server = await TestServer.start({ config: { 'max.connections': 2 } })
    const [first, second] = [await server.connect(), await server.connect()]
    await first.ask(apiKey.metadata, {}, 9)
    await second.ask(apiKey.metadata, {}, 9)
    const third = await server.connect()
    await third.closed
    expect(server.lines('warn')).toEqual([expect.stringMatching(/2 already, which is max\.connections/)])
    await second.ask(apiKey.metadata, {}, 9)
    first.socket.destroy()
    await eventually(() => server.server.connections === 1)
    const fourth = await server.connect()
    await fourth.ask(apiKey.metadata, {}, 9)
  })

  test('above the max.connections of their listener are closed, from the moment it is set', async () => {
    const one = { host: '127.0.0.1', port: 0 }
    const server = await TestServer.start({
      listeners: [
        { name: 'INSIDE', ...one },
        { name: 'OUTSIDE', ...one },
      ],
    })
    const first = await server.connect()
    const configs = [{ name: 'listener.name.inside.max.connections', value: '1', configOperation: 0 }]
    const resources = [{ resourceType: 4, resourceName: '1', configs }]
    const { responses } = await first.ask(apiKey.incrementalAlterConfigs, { resources })
    expect(responses[0].errorCode).toBe(0)
    const second = await server.connect()
    await second.closed
    expect(server.lines('warn')).toEqual([expect.stringMatching(/1 on this listener already/)])
    const elsewhere = await server.connect({ port: server.running.listeners[1].port })
    await elsewhere.ask(apiKey.metadata, {}, 9)
    first.socket.destroy()
    await eventually(() => server.server.connections === 1)
    await (await server.connect()).ask(apiKey.metadata, {}, 9)
  })

  test('above max.connections.per.ip are closed', async () => {
    const server = await TestServer.start({ config: { 'max.connections.per.ip': 1 } })
    const first = await server.connect()
    const second = await server.connect()
    await second.closed
    expect(server.lines('warn')).toEqual([expect.stringMatching(/max\.connections\.per\.ip/)])
    await first.ask(apiKey.metadata, {}, 9)
  })

  test('on which nothing moves are closed, those that wait for an answer are not', async () => {
    const server = await TestServer.start({ config: { 'connections.max.idle.ms': 400 } })
    await server.createTopic('orders')
    const [idle, waiting] = [await server.connect(), await server.connect()]
    waiting.send(apiKey.fetch, fetchOf('orders', 0, { maxWaitMs: 1_500 }), byName.fetch)
    await idle.closed
    await waiting.answer(apiKey.fetch, byName.fetch)
    await waiting.closed
    expect(server.lines('warn')).toEqual([])
    expect(server.lines('debug').filter((line) => /connections\.max\.idle\.ms/.test(line))).toHaveLength(2)
  })

  test('whose client takes nothing of its answer are closed after the idle time', async () => {
    const server = await TestServer.start({ config: { 'connections.max.idle.ms': 1_000 } })
    await server.createTopic('orders')
    await connectAndTakeNothing(server)
    await eventually(() => server.server.connections === 0)
    expect(server.lines('error')).toEqual([])
  })
})

test('a client that goes while its request waits is noticed, also behind requests that it sent after it', async () => {
  const server = await TestServer.start()
  await server.createTopic('orders')
  await eventually(() => server.server.connections === 0)
  const client = await server.connect()
  const waiting = frameOf(apiKey.fetch, fetchOf('orders', 0, { maxWaitMs: forEver }), byName.fetch)
  const behind = frameOf(apiKey.metadata, {}, 9)
  client.socket.write(Buffer.concat([waiting, behind]))
  await eventually(() => server.server.queuedBytes === waiting.length + behind.length)
  // It comes while nothing needs to be read, and the end of the connection behind it.
  client.socket.write(behind, () => client.socket.destroy())
  await eventually(() => server.server.connections === 0)
  expect(server.server.queuedBytes).toBe(0)
})

describe('a request that does not come on', () => {
  const config = { 'seglog.request.receive.timeout.ms': 500 }

  test('is closed with a line in the log', async () => {
    const server = await TestServer.start({ config })
    const [slow, good] = [await server.connect(), await server.connect()]
    slow.socket.write(frameOf(apiKey.metadata).subarray(0, 6))
    await slow.closed
    expect(server.lines('warn')).toEqual([expect.stringMatching(/only 6 bytes have come/)])
    await good.ask(apiKey.metadata, {}, 9)
    expect(server.server.queuedBytes).toBe(0)
  })

  test('is not taken for one that has to wait for another', async () => {
    const server = await TestServer.start({ config })
    await server.createTopic('orders')
    const client = await server.connect()
    client.send(apiKey.fetch, fetchOf('orders', 0, { maxWaitMs: 1_500 }), byName.fetch)
    const bytes = frameOf(apiKey.metadata, {}, 9, 2)
    client.socket.write(bytes.subarray(0, 10))
    await client.answer(apiKey.fetch, byName.fetch)
    client.socket.write(bytes.subarray(10))
    await client.answer(apiKey.metadata, 9)
  })

  test('has its time, and more the more of it has come', () => {
    const limits = { receiveMs: 30_000 } as ServerLimits
    expect(isTooSlow(limits, 30_000, 0)).toBe(false)
    expect(isTooSlow(limits, 30_001, 0)).toBe(true)
    expect(isTooSlow(limits, 90_000, 16 * 1024 * 60)).toBe(false)
    expect(isTooSlow(limits, 90_001, 16 * 1024 * 60)).toBe(true)
  })
})

describe('memory for requests', () => {
  test('is not held by more than its budget and a little, and all requests get through', async () => {
    const budget = 1 << 20
    const server = await TestServer.start({ config: { 'queued.max.request.bytes': budget } })
    await server.createTopic('orders')
    const clients = await Promise.all(Array.from({ length: 12 }, () => server.connect()))
    const bytes = frameOf(apiKey.produce, produceOf('orders', clientBatch('x'.repeat(900_000))), byName.produce)
    // Each sends all but the last byte: together ten times the budget, and nobody's request is whole.
    let most = 0
    const watch = setInterval(() => {
      most = Math.max(most, server.server.queuedBytes)
    }, 1)
    for (const { socket } of clients) socket.write(bytes.subarray(0, bytes.length - 1))
    await eventually(() => server.server.queuedBytes >= budget)
    for (const { socket } of clients) socket.write(bytes.subarray(bytes.length - 1))
    const answers = await Promise.all(clients.map((client) => client.answer(apiKey.produce, byName.produce)))
    clearInterval(watch)
    for (const { response } of answers) expect(response.responses[0].partitionResponses[0].errorCode).toBe(0)
    // Native connections are received from together.
    const read = server.server.transfer.counts === null ? clients.length * 64 * 1024 : 4 * 1024 * 1024
    expect(most).toBeLessThan(budget + bytes.length + read)
    expect(server.server.queuedBytes).toBe(0)
  })
})

test('requests whose rest does not come make room for others that wait for memory', async () => {
  const config = { 'queued.max.request.bytes': 1 << 20, 'seglog.request.receive.timeout.ms': 1_500 }
  const server = await TestServer.start({ config })
  await server.createTopic('orders')
  const good = await server.connect()
  const bytes = frameOf(apiKey.produce, produceOf('orders', clientBatch('x'.repeat(900_000))), byName.produce)
  const stalled = await Promise.all(Array.from({ length: 12 }, () => server.connect()))
  for (const { socket } of stalled) socket.write(bytes.subarray(0, 300_000))
  await eventually(() => server.server.queuedBytes >= 1 << 20)
  for (let i = 0; i < 3; i++) {
    const { responses } = await good.ask(
      apiKey.produce,
      produceOf('orders', clientBatch('x'.repeat(500_000))),
      byName.produce,
    )
    expect(responses[0].partitionResponses[0].errorCode).toBe(0)
  }
  await eventually(() => /others wait for the memory of a request/.test(server.lines('warn').join()))
})

test('small requests get through while large ones wait for memory', async () => {
  const server = await TestServer.start({ config: { 'queued.max.request.bytes': 1 << 20 } })
  await server.createTopic('orders')
  const good = await server.connect()
  const large = await Promise.all(Array.from({ length: 12 }, () => server.connect()))
  const length = Buffer.alloc(4)
  length.writeInt32BE(100_000_000)
  for (const { socket } of large) socket.write(length)
  const some = Buffer.alloc(200_000)
  const sending = setInterval(() => {
    for (const { socket } of large) socket.write(some)
  }, 20)
  await eventually(() => server.server.queuedBytes >= 1 << 20)
  for (let i = 0; i < 20; i++) await good.ask(apiKey.produce, produceOf('orders', clientBatch('fine')), byName.produce)
  clearInterval(sending)
  expect(server.server.queuedBytes).toBeGreaterThanOrEqual(1 << 20)
  expect(large.filter(({ isClosed }) => isClosed)).toEqual([])
})

test('produces under way at a time are bounded, and all are answered in order', async () => {
  const server = await TestServer.start({ data: temporaryFolder() })
  await server.createTopic('orders')
  const client = await server.connect()
  const ids = Array.from({ length: 1000 }, (_, i) =>
    client.send(apiKey.produce, produceOf('orders', clientBatch(`order ${i}`), -1), byName.produce),
  )
  for (const [i, id] of ids.entries()) {
    const answer = await client.answer(apiKey.produce, byName.produce)
    expect(answer.id).toBe(id)
    expect(answer.response.responses[0].partitionResponses[0].baseOffset).toBe(BigInt(i))
  }
})

test('1,000 connections that dribble do not keep others from being answered', async () => {
  const server = await TestServer.start()
  await server.createTopic('orders')
  const good = await server.connect()
  const slow = await Promise.all(Array.from({ length: 1000 }, () => server.connect()))
  await eventually(() => server.server.connections >= 1001)
  const bytes = frameOf(apiKey.produce, produceOf('orders', clientBatch('x'.repeat(1000))), byName.produce)
  for (let at = 0; at < 10; at++) {
    for (const { socket } of slow) socket.write(bytes.subarray(at, at + 1))
    const { responses } = await good.ask(apiKey.produce, produceOf('orders', clientBatch('fine')), byName.produce)
    expect(responses[0].partitionResponses[0].baseOffset).toBe(BigInt(at))
  }
})

test('a fetch that waits is over when its time is, also behind the idle limit', async () => {
  const server = await TestServer.start({ config: { 'connections.max.idle.ms': 400 } })
  await server.createTopic('orders')
  const [client, other] = [await server.connect(), await server.connect()]
  client.send(apiKey.fetch, fetchOf('orders', 0, { maxWaitMs: forEver }), byName.fetch)
  await other.closed
  const third = await server.connect()
  await third.ask(apiKey.produce, produceOf('orders', clientBatch('wakes it')), byName.produce)
  await client.answer(apiKey.fetch, byName.fetch)
})
