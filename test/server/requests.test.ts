import { describe, expect, test } from 'vitest'
import { answeredVersions } from '../../ts/broker/api/offered-apis.js'
import { apiKey } from '../../ts/protocol/apis.js'
import { protocolErrors } from '../../ts/protocol/errors.js'
import type { FetchResponse } from '../../ts/protocol/messages/01-fetch.js'
import { valuesOf } from '../broker/harness.js'
import { temporaryFolder } from '../cli/run-cli.js'
import { byName, clientBatch, eventually, fetchOf, forEver, frameOf, produceOf, TestServer } from './harness.js'

const software = { clientSoftwareName: 'test', clientSoftwareVersion: '1' }

function fetched(response: FetchResponse): string[] {
  const { errorCode, records } = response.responses[0].partitions[0]
  expect(errorCode).toBe(0)
  return valuesOf(records)
}

describe('requests over a socket', () => {
  test('produce and fetch give back what was sent', async () => {
    const server = await TestServer.start()
    await server.createTopic('orders')
    const client = await server.connect()
    const values = Array.from({ length: 3000 }, (_, i) => `order ${i} ${'x'.repeat(i % 200)}`)
    const { responses } = await client.ask(apiKey.produce, produceOf('orders', clientBatch(...values)), byName.produce)
    expect(responses[0].partitionResponses[0]).toMatchObject({ errorCode: 0, baseOffset: 0n })
    expect(fetched(await client.ask(apiKey.fetch, fetchOf('orders', 0), byName.fetch))).toEqual(values)
  })

  test('a batch that comes in pieces of any size is stored as it was', async () => {
    const server = await TestServer.start()
    await server.createTopic('orders')
    const client = await server.connect()
    const values = Array.from({ length: 400 }, (_, i) => `order ${i}`)
    const bytes = frameOf(apiKey.produce, produceOf('orders', clientBatch(...values)), byName.produce)
    for (let at = 0, size = 1; at < bytes.length; at += size, size = (size * 7 + 3) % 997) {
      client.socket.write(bytes.subarray(at, at + size))
      await new Promise(setImmediate)
    }
    expect((await client.answer(apiKey.produce, byName.produce)).response.responses[0]).toMatchObject({
      partitionResponses: [{ errorCode: 0 }],
    })
    expect(fetched(await client.ask(apiKey.fetch, fetchOf('orders', 0), byName.fetch))).toEqual(values)
  })

  test('offsets are told at every version of ListOffsets', async () => {
    const server = await TestServer.start()
    await server.createTopic('orders')
    const client = await server.connect()
    await client.ask(apiKey.produce, produceOf('orders', clientBatch('a', 'b')), byName.produce)
    const { from, to } = answeredVersions(apiKey.listOffsets)!
    for (let version = from; version <= to; version++) {
      const partitions = [{ partitionIndex: 0, currentLeaderEpoch: -1, timestamp: -1n }]
      const request = { replicaId: -1, topics: [{ name: 'orders', partitions }] }
      const { topics } = await client.ask(apiKey.listOffsets, request, version)
      expect(topics[0].partitions[0]).toMatchObject({ errorCode: 0, offset: 2n })
    }
  })
})

describe('ApiVersions', () => {
  test('of a version to come is answered by version 0, with the versions there are', async () => {
    const server = await TestServer.start()
    const client = await server.connect()
    const bytes = frameOf(apiKey.apiVersions, software, 4, 77)
    bytes.writeInt16BE(99, 6)
    // What follows the fixed part is nobody's business.
    bytes.fill(0xff, 12)
    client.socket.write(bytes)
    const { id, response } = await client.answer(apiKey.apiVersions, 0)
    expect(id).toBe(77)
    expect(response).toMatchObject({
      errorCode: protocolErrors.UNSUPPORTED_VERSION.code,
      apiKeys: [{ apiKey: 18, minVersion: 0, maxVersion: 4 }],
    })
    expect((await client.ask(apiKey.apiVersions, software, 3)).errorCode).toBe(0)
  })

  test('with a name that is none is an error in the answer, and the connection goes on', async () => {
    const server = await TestServer.start()
    const client = await server.connect()
    const named = { clientSoftwareName: 'no good', clientSoftwareVersion: '1' }
    const refused = await client.ask(apiKey.apiVersions, named)
    expect(refused.errorCode).toBe(protocolErrors.INVALID_REQUEST.code)
    expect((await client.ask(apiKey.apiVersions, software)).errorCode).toBe(0)
  })
})

describe('answers', () => {
  test('come in the order of the requests, however many are sent ahead', async () => {
    const server = await TestServer.start({ data: temporaryFolder() })
    await server.createTopic('orders')
    const client = await server.connect()
    const ids: number[] = []
    const versions = [byName.produce, byName.fetch, 9] as const
    const keys = [apiKey.produce, apiKey.fetch, apiKey.metadata] as const
    const kinds = Array.from({ length: 300 }, (_, i) => (i % 7 === 3 ? 1 : i % 11 === 5 ? 2 : 0))
    for (const [i, kind] of kinds.entries()) {
      if (kind === 0) {
        // Those with acks all wait for the disk, the others do not.
        const request = produceOf('orders', clientBatch(`order ${i}`), i % 2 === 0 ? -1 : 1)
        ids.push(client.send(apiKey.produce, request, byName.produce))
      } else if (kind === 1) ids.push(client.send(apiKey.fetch, fetchOf('orders', 0), byName.fetch))
      else ids.push(client.send(apiKey.metadata, {}, 9))
    }
    let stored = 0
    for (const [i, kind] of kinds.entries()) {
      const { id, response } = await client.answer(keys[kind], versions[kind])
      expect(id).toBe(ids[i])
      if (kind === 1) {
        // Everything sent before the fetch is stored before it reads.
        expect(fetched(response as FetchResponse)).toHaveLength(stored)
      } else if (kind === 0) stored++
    }
    const all = fetched(await client.ask(apiKey.fetch, fetchOf('orders', 0), byName.fetch))
    expect(all).toEqual(kinds.flatMap((kind, i) => (kind === 0 ? [`order ${i}`] : [])))
  })

  test('behind a fetch that waits, wait', async () => {
    const server = await TestServer.start()
    await server.createTopic('orders')
    const [client, other] = [await server.connect(), await server.connect()]
    client.send(apiKey.fetch, fetchOf('orders', 0, { maxWaitMs: forEver }), byName.fetch)
    const next = client.send(apiKey.metadata, {}, 9)
    await other.ask(apiKey.metadata, {}, 9)
    expect(client.received).toHaveLength(0)
    await other.ask(apiKey.produce, produceOf('orders', clientBatch('one')), byName.produce)
    expect(fetched((await client.answer(apiKey.fetch, byName.fetch)).response)).toEqual(['one'])
    expect((await client.answer(apiKey.metadata, 9)).id).toBe(next)
  })

  test('are not sent for produces with acks 0', async () => {
    const server = await TestServer.start()
    await server.createTopic('orders')
    const client = await server.connect()
    for (let i = 0; i < 10; i++) {
      client.send(apiKey.produce, produceOf('orders', clientBatch(`order ${i}`), 0), byName.produce)
    }
    const fetch = client.send(apiKey.fetch, fetchOf('orders', 0), byName.fetch)
    const { id, response } = await client.answer(apiKey.fetch, byName.fetch)
    expect(id).toBe(fetch)
    expect(fetched(response)).toHaveLength(10)
  })

  test('before a failed produce with acks 0 are sent, then the connection ends', async () => {
    const server = await TestServer.start()
    await server.createTopic('orders')
    const client = await server.connect()
    const first = client.send(apiKey.metadata, {}, 9)
    client.send(apiKey.produce, produceOf('missing', clientBatch('lost'), 0), byName.produce)
    client.send(apiKey.metadata, {}, 9)
    expect((await client.answer(apiKey.metadata, 9)).id).toBe(first)
    await client.closed
    expect(client.received).toHaveLength(0)
    expect(server.lines('warn')).toEqual([expect.stringMatching(/produce with acks=0 to missing-0 failed/)])
  })
})

test('several produces with acks 0 that fail together are one line in the log', async () => {
  const server = await TestServer.start({ data: temporaryFolder() })
  await server.createTopic('orders')
  const client = await server.connect()
  const damaged = clientBatch('lost')
  damaged.writeUInt32BE(1, 17)
  // The partition has to be opened first: they fail when all of them are under way.
  const frames = Array.from({ length: 5 }, () =>
    frameOf(apiKey.produce, produceOf('orders', damaged, 0), byName.produce),
  )
  client.socket.write(Buffer.concat(frames))
  await client.closed
  await eventually(() => server.server.queuedBytes === 0)
  expect(server.lines('warn')).toEqual([expect.stringMatching(/produce with acks=0 to orders-0 failed/)])
  expect(server.lines('debug').filter((line) => line === 'request not answered')).toHaveLength(4)
})

describe('a client that ends its side', () => {
  test('gets the answers to what it sent before', async () => {
    const server = await TestServer.start({ data: temporaryFolder() })
    await server.createTopic('orders')
    const client = await server.connect({ allowHalfOpen: true })
    const values = Array.from({ length: 200 }, (_, i) => `${i} ${'x'.repeat(5000)}`)
    await client.ask(apiKey.produce, produceOf('orders', clientBatch(...values)), byName.produce)
    const produced = client.send(apiKey.produce, produceOf('orders', clientBatch('last'), -1), byName.produce)
    const fetch = client.send(apiKey.fetch, fetchOf('orders', 0), byName.fetch)
    client.socket.end()
    expect((await client.answer(apiKey.produce, byName.produce)).id).toBe(produced)
    const { id, response } = await client.answer(apiKey.fetch, byName.fetch)
    expect(id).toBe(fetch)
    expect(fetched(response)).toEqual([...values, 'last'])
    await client.closed
    await eventually(() => server.server.connections === 0)
    expect(server.lines('warn')).toEqual([])
  })

  test('is not made to wait for a fetch', async () => {
    const server = await TestServer.start()
    await server.createTopic('orders')
    const client = await server.connect({ allowHalfOpen: true })
    client.send(apiKey.fetch, fetchOf('orders', 0, { maxWaitMs: forEver }), byName.fetch)
    // Held until it is answered.
    await eventually(() => server.server.queuedBytes > 0)
    client.socket.end()
    expect(fetched((await client.answer(apiKey.fetch, byName.fetch)).response)).toEqual([])
    await client.closed
  })

  test('and one that goes without a word, leave nothing behind', async () => {
    const server = await TestServer.start()
    await server.createTopic('orders')
    const clients = await Promise.all(Array.from({ length: 5 }, () => server.connect()))
    for (const client of clients) {
      client.send(apiKey.fetch, fetchOf('orders', 0, { maxWaitMs: forEver }), byName.fetch)
    }
    await eventually(() => server.server.connections >= 5)
    for (const [i, { socket }] of clients.entries()) {
      if (i % 2 === 0) socket.destroy()
      else socket.resetAndDestroy()
    }
    await eventually(() => server.server.connections === 0)
    await eventually(() => server.server.queuedBytes === 0)
    expect(server.lines('warn')).toEqual([])
    expect(server.lines('error')).toEqual([])
  })
})
