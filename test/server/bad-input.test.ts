import { describe, expect, test } from 'vitest'
import { apiKey, type RequestOf } from '../../ts/protocol/apis.js'
import { errorName } from '../../ts/protocol/errors.js'
import { valuesOf } from '../broker/harness.js'
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
  type RawClient,
  TestServer,
} from './harness.js'

function int32(value: number): Buffer {
  const bytes = Buffer.alloc(4)
  bytes.writeInt32BE(value)
  return bytes
}

/** Bytes of a request with these after its header of version 1. */
function request(key: number, version: number, body: Buffer): Buffer {
  const header = Buffer.alloc(10)
  header.writeInt16BE(key)
  header.writeInt16BE(version, 2)
  header.writeInt32BE(1, 4)
  header.writeInt16BE(-1, 8)
  return Buffer.concat([int32(header.length + body.length), header, body])
}

/** Runs while somebody else misbehaves: its requests must go on being answered, and memory must be given back. */
async function besideGoodClient(misbehave: (server: TestServer, bad: RawClient) => Promise<void>): Promise<TestServer> {
  const server = await TestServer.start()
  await server.createTopic('orders')
  const good = await server.connect()
  const bad = await server.connect()
  await misbehave(server, bad)
  const { responses } = await good.ask(apiKey.produce, produceOf('orders', clientBatch('fine')), byName.produce)
  expect(responses[0].partitionResponses[0].errorCode).toBe(0)
  expect(server.server.queuedBytes).toBe(0)
  expect(server.lines('error')).toEqual([])
  return server
}

describe('what is no Kafka request is closed with one line in the log', () => {
  test.each([
    ['a request of 2 GB', int32(0x7fffffff), /announces 2147483647 bytes, socket.request.max.bytes is 104857600/],
    ['a request of negative length', int32(-5), /length of -5 bytes/],
    ['an empty request', int32(0), /./],
    ['half a header', Buffer.concat([int32(6), Buffer.from([0, 3, 0, 1, 0, 0])]), /./],
    ['an unknown key', request(9999, 0, Buffer.alloc(0)), /API 9999 version 0 is not offered/],
    ['a negative key', request(-1, 0, Buffer.alloc(0)), /API -1 version 0 is not offered/],
    ['an unknown version', request(apiKey.metadata, 99, Buffer.alloc(0)), /Metadata version 99 is not offered/],
    ['a version that Kafka 4 dropped', request(apiKey.produce, 2, Buffer.alloc(100)), /Produce version 2 is not/],
    ['a lying array length', request(apiKey.metadata, 1, int32(0x7fffffff)), /./],
    ['a lying string length', request(apiKey.metadata, 1, Buffer.concat([int32(1), Buffer.from([0x7f, 0xff])])), /./],
    ['a client id that is longer than the request', Buffer.from('0000000a00030001000000017fff', 'hex'), /./],
    ['a TLS hello', Buffer.from('16030100c8010000c40303', 'hex'), /TLS handshake.*security\.protocol=PLAINTEXT/],
    ['plain text', Buffer.from('hello\r\n'), /plain text/],
  ])('%s', async (_, bytes, says) => {
    const server = await besideGoodClient(async (_, bad) => {
      bad.socket.write(bytes)
      await bad.closed
      expect(bad.received).toHaveLength(0)
    })
    expect(server.lines('warn')).toEqual([expect.stringMatching(says)])
  })

  test('an HTTP request, which gets an answer', async () => {
    const server = await besideGoodClient(async (_, bad) => {
      bad.socket.write('GET /topics HTTP/1.1\r\nHost: localhost\r\n\r\n')
      await bad.closed
      expect(String(bad.received)).toMatch(/^HTTP\/1\.1 400 Bad Request\r\n/)
      expect(String(bad.received)).toContain('speaks the Kafka protocol')
    })
    expect(server.lines('warn')).toEqual([expect.stringMatching(/an HTTP request/)])
  })

  test('an HTTP request, where requests may be as large as its first bytes say', async () => {
    const server = await TestServer.start({ config: { 'socket.request.max.bytes': 0x7fffffff } })
    const bad = await server.connect()
    bad.socket.write('GET / HTTP/1.1\r\n\r\n')
    await bad.closed
    expect(String(bad.received)).toMatch(/^HTTP\/1\.1 400/)
  })

  test('an empty request and nothing else, and a connection that ends at once', async () => {
    const server = await besideGoodClient(async (server, bad) => {
      const silent = await server.connect({ allowHalfOpen: true })
      silent.socket.end()
      await silent.closed
      bad.socket.write(int32(0))
      await bad.closed
    })
    expect(server.lines('warn')).toHaveLength(1)
    await eventually(() => server.server.connections === 1)
  })

  test('a request cut in the middle', async () => {
    const server = await besideGoodClient(async (_, bad) => {
      const bytes = frameOf(apiKey.metadata)
      bad.socket.end(bytes.subarray(0, bytes.length - 1))
      await bad.closed
    })
    expect(server.lines('warn')).toEqual([expect.stringMatching(/ended within a request/)])
  })

  test('answers to what came before it are sent', async () => {
    await besideGoodClient(async (_, bad) => {
      const id = bad.send(apiKey.metadata, {}, 9)
      bad.socket.write(int32(-1))
      expect((await bad.answer(apiKey.metadata, 9)).id).toBe(id)
      await bad.closed
    })
  })

  test('an announced length reserves no memory', async () => {
    const before = process.memoryUsage().arrayBuffers
    const server = await TestServer.start()
    const clients = await Promise.all(Array.from({ length: 20 }, () => server.connect()))
    for (const { socket } of clients) socket.write(Buffer.concat([int32(100 * 1024 * 1024), Buffer.alloc(100)]))
    const good = await server.connect()
    await good.ask(apiKey.metadata, {}, 9)
    expect(process.memoryUsage().arrayBuffers - before).toBeLessThan(100 * 1024 * 1024)
  })
})

describe('what Kafka has an error code for gets it, and the connection goes on', () => {
  const changed = (change: (batch: Buffer) => void): Buffer => {
    const batch = clientBatch('one', 'two')
    change(batch)
    return batch
  }

  test.each<[string, Buffer, string]>([
    ['a bad CRC', changed((batch) => batch.writeUInt32BE(1, 17)), 'CORRUPT_MESSAGE'],
    ['a wrong magic', changed((batch) => batch.writeInt8(1, 16)), 'INVALID_RECORD'],
    ['a count that is not that of the records', changed((batch) => batch.writeInt32BE(3, 57)), 'INVALID_RECORD'],
    ['a batch longer than it says', Buffer.concat([clientBatch('one'), Buffer.alloc(1)]), 'INVALID_RECORD'],
    ['two batches', Buffer.concat([clientBatch('one'), clientBatch('two')]), 'INVALID_RECORD'],
    ['no batch', Buffer.alloc(0), 'INVALID_RECORD'],
    ['a batch above the limit', clientBatch('x'.repeat(2000)), 'MESSAGE_TOO_LARGE'],
  ])('%s', async (_, records, name) => {
    const server = await TestServer.start()
    await server.createTopic('orders', { 'max.message.bytes': '1000' })
    const client = await server.connect()
    const { responses } = await client.ask(apiKey.produce, produceOf('orders', records), byName.produce)
    expect(errorName(responses[0].partitionResponses[0].errorCode)).toBe(name)
    await client.ask(apiKey.produce, produceOf('orders', clientBatch('good')), byName.produce)
    const fetched = await client.ask(apiKey.fetch, fetchOf('orders', 0), byName.fetch)
    expect(valuesOf(fetched.responses[0].partitions[0].records)).toEqual(['good'])
    expect(server.lines('warn')).toEqual([])
  })

  test('a topic named ../x', async () => {
    const server = await TestServer.start()
    const client = await server.connect()
    const topics = [{ name: '../x', numPartitions: 1, replicationFactor: 1, assignments: [], configs: [] }]
    const created = await client.ask(apiKey.createTopics, { topics, timeoutMs: 1000 })
    expect(errorName(created.topics[0].errorCode)).toBe('INVALID_TOPIC_EXCEPTION')
    const asked = { topics: [{ name: '../x' }] } as unknown as Partial<RequestOf<3>>
    const metadata = await client.ask(apiKey.metadata, asked, 9)
    expect(errorName(metadata.topics[0].errorCode)).toBe('INVALID_TOPIC_EXCEPTION')
  })
})

test('many that misbehave become few lines', async () => {
  const server = await TestServer.start()
  const clients = await Promise.all(Array.from({ length: 100 }, () => server.connect()))
  for (const { socket } of clients) socket.write(int32(-1))
  await Promise.all(clients.map(({ closed }) => closed))
  expect(server.lines('warn')).toHaveLength(20)
  await server.running.close(0)
  expect(server.log.lines.at(-1)).toMatchObject({ fields: { lines: 80 } })
})

test('a slow reader of one connection does not hold up another', async () => {
  const server = await TestServer.start()
  await server.createTopic('orders')
  const [slow, good] = [await server.connect(), await server.connect()]
  const values = Array.from({ length: 150 }, (_, i) => `${i} ${'x'.repeat(5000)}`)
  for (let i = 0; i < 12; i++) {
    await good.ask(apiKey.produce, produceOf('orders', clientBatch(...values)), byName.produce)
  }
  const before = process.memoryUsage().arrayBuffers
  slow.socket.pause()
  const fetch = { ...fetchOf('orders', 0), maxBytes: 50_000_000 }
  fetch.topics[0].partitions[0].partitionMaxBytes = 50_000_000
  for (let i = 0; i < 20; i++) slow.send(apiKey.fetch, fetch, byName.fetch)
  for (let i = 0; i < 100; i++) await good.ask(apiKey.metadata, {}, 9)
  // Twenty answers of 9 MB.
  expect(process.memoryUsage().arrayBuffers - before).toBeLessThan(60 * 1024 * 1024)
  slow.socket.resume()
  for (let i = 0; i < 20; i++) {
    const { response } = await slow.answer(apiKey.fetch, byName.fetch)
    expect(valuesOf(response.responses[0].partitions[0].records)).toHaveLength(12 * values.length)
  }
})

test('a slow reader holds up no deletion: its answer is cut short', async () => {
  const server = await TestServer.start({ data: temporaryFolder() })
  await server.createTopic('orders')
  const slow = await connectAndTakeNothing(server)
  const good = await server.connect()
  await eventually(() => server.server.queuedBytes === 0)
  const { responses } = await good.ask(apiKey.deleteTopics, { topicNames: ['orders'], timeoutMs: 5000 }, 5)
  expect(responses[0].errorCode).toBe(0)
  slow.socket.resume()
  await slow.closed
  // The answer's length was promised.
  expect(slow.received.length).toBeLessThan(4 + slow.received.readInt32BE(0))
  await good.ask(apiKey.metadata, {}, 9)
  expect(server.lines('debug')).toContain('an answer was cut short')
  expect(server.lines('error')).toEqual([])
})

test('a produce behind a fetch that waits is stored when its turn comes', async () => {
  const server = await TestServer.start()
  await server.createTopic('orders')
  const client = await server.connect()
  client.send(apiKey.fetch, fetchOf('orders', 0, { maxWaitMs: 20 }), byName.fetch)
  client.send(apiKey.produce, produceOf('orders', clientBatch('later')), byName.produce)
  client.send(apiKey.fetch, fetchOf('orders', 0, { maxWaitMs: forEver }), byName.fetch)
  const first = await client.answer(apiKey.fetch, byName.fetch)
  expect(valuesOf(first.response.responses[0].partitions[0].records)).toEqual([])
  await client.answer(apiKey.produce, byName.produce)
  const second = await client.answer(apiKey.fetch, byName.fetch)
  expect(valuesOf(second.response.responses[0].partitions[0].records)).toEqual(['later'])
})
