import { createServer } from 'node:net'
import { describe, expect, onTestFinished, test } from 'vitest'
import { open } from '../../ts/index.js'
import { apiKey } from '../../ts/protocol/apis.js'
import { rejection } from '../client/rejection.js'
import { FakeCluster } from './fake-broker.js'
import { describeCluster, fetchOf, listOffsets, openTransport } from './open-transport.js'

const cluster = { throttleTimeMs: 0, errorCode: 0, clusterId: 'fake', controllerId: 1 }

describe('negotiation', () => {
  test('the newest version both sides know', async () => {
    const fake = await FakeCluster.open()
    const [broker] = fake.brokers
    broker!.newest = { [apiKey.metadata]: 5, [apiKey.describeCluster]: 0 }
    broker!.handlers[apiKey.describeCluster] = () => cluster
    const transport = await openTransport(fake)
    await transport.request(apiKey.describeCluster, describeCluster)
    expect(broker!.negotiations).toEqual([4])
    expect(broker!.seen.map(({ key, version }) => [key, version])).toEqual([
      [apiKey.metadata, 5],
      [apiKey.describeCluster, 0],
    ])
  })

  test('a broker that does not know the question is asked again by version 0', async () => {
    const fake = await FakeCluster.open()
    fake.brokers[0]!.newest = { [apiKey.apiVersions]: 2 }
    await openTransport(fake)
    expect(fake.brokers[0]!.negotiations).toEqual([4, 0])
    expect(fake.brokers[0]!.of(apiKey.metadata)).toHaveLength(1)
  })

  test('an API that is not offered', async () => {
    const fake = await FakeCluster.open()
    const { port, newest } = fake.brokers[0]!
    newest[apiKey.describeQuorum] = -1
    const transport = await openTransport(fake)
    const error = await rejection(transport.request(apiKey.describeQuorum, { topics: [] }))
    expect(error).toMatchObject({ code: 'UNSUPPORTED', retriable: false })
    expect(error.message).toBe(`the broker at 127.0.0.1:${port} does not offer DescribeQuorum (API 55)`)
  })

  test('what no version of the broker can carry names the field and what is offered', async () => {
    const fake = await FakeCluster.open()
    fake.brokers[0]!.newest[apiKey.describeCluster] = 0
    const transport = await openTransport(fake)
    const request = { ...describeCluster, endpointType: 2 }
    const error = await rejection(transport.request(apiKey.describeCluster, request))
    expect(error.code).toBe('UNSUPPORTED')
    expect(error.message).toMatch(/endpointType.*offers DescribeCluster up to version 0/)
  })

  test('the client is named, by the call or by the options', async () => {
    const fake = await FakeCluster.open()
    const [broker] = fake.brokers
    broker!.handlers[apiKey.describeCluster] = () => cluster
    const transport = await openTransport(fake, { clientId: 'mine' })
    await transport.request(apiKey.describeCluster, describeCluster)
    await transport.request(apiKey.describeCluster, describeCluster, { clientId: 'its own' })
    expect(broker!.of(apiKey.describeCluster).map(({ clientId }) => clientId)).toEqual(['mine', 'its own'])
  })
})

describe('requests under way', () => {
  test('several at once, answered in order', async () => {
    const fake = await FakeCluster.open()
    const [broker] = fake.brokers
    const transport = await openTransport(fake)
    const asked = [0, 1, 2].map(() => transport.request(apiKey.describeCluster, describeCluster))
    const seen = await broker!.received(apiKey.describeCluster, 3)
    for (const [index, one] of seen.entries()) one.answer({ ...cluster, controllerId: index })
    expect((await Promise.all(asked)).map(({ controllerId }) => controllerId)).toEqual([0, 1, 2])
    expect(new Set(seen.map(({ connection }) => connection)).size).toBe(1)
  })

  test('an answer out of order ends the connection, and says what waited', async () => {
    const fake = await FakeCluster.open()
    const transport = await openTransport(fake)
    const asked = [0, 1].map(() => rejection(transport.request(apiKey.describeCluster, describeCluster)))
    const [first] = await fake.brokers[0]!.received(apiKey.describeCluster, 2)
    first!.answer(cluster, 77_777)
    for (const error of await Promise.all(asked)) {
      expect(error).toMatchObject({ code: 'MALFORMED_MESSAGE' })
      expect(error.message).toMatch(
        /an answer to request 77777, but DescribeCluster \(\d+\) was next.*DescribeCluster 2/,
      )
    }
  })

  test('more than may be under way wait for their turn', async () => {
    const fake = await FakeCluster.open()
    const [broker] = fake.brokers
    const transport = await openTransport(fake)
    const asked = Array.from({ length: 100 }, () => transport.request(apiKey.describeCluster, describeCluster))
    await broker!.received(apiKey.describeCluster, 64)
    await new Promise((resolve) => setTimeout(resolve, 20))
    expect(broker!.of(apiKey.describeCluster)).toHaveLength(64)
    broker!.handlers[apiKey.describeCluster] = () => cluster
    for (const one of broker!.of(apiKey.describeCluster)) one.answer(cluster)
    expect(await Promise.all(asked)).toHaveLength(100)
  })

  test('a fetch that waits delays nobody', async () => {
    const fake = await FakeCluster.open()
    fake.addTopic('t', 1)
    const [broker] = fake.brokers
    broker!.handlers[apiKey.describeCluster] = () => cluster
    const transport = await openTransport(fake)
    const fetches = [0, 1].map(() => transport.request(apiKey.fetch, fetchOf('t', [0], 60_000)))
    const [one, other] = await broker!.received(apiKey.fetch, 2)
    expect(one!.connection).not.toBe(other!.connection)
    await transport.request(apiKey.describeCluster, describeCluster)
    other!.answer({ responses: [] })
    one!.answer({ responses: [] })
    await Promise.all(fetches)
  })
})

describe('what goes wrong', () => {
  test.each([
    ['HTTP/1.1 400 Bad Request\r\n\r\n', /that is a web server/],
    [Buffer.from([0xff, 0xff, 0xff, 0xff]), /an answer of -1 bytes/],
    [Buffer.from([0x7f, 0xff, 0xff, 0xff]), /an answer of 2147483647 bytes/],
    [Buffer.from([0, 0, 0, 3, 1, 2, 3]), /an answer of 3 bytes/],
  ])('%j instead of an answer', async (bytes, message) => {
    const fake = await FakeCluster.open()
    const transport = await openTransport(fake)
    fake.brokers[0]!.handlers[apiKey.describeCluster] = ({ raw }) => raw(bytes) as undefined
    const error = await rejection(transport.request(apiKey.describeCluster, describeCluster))
    expect(error).toMatchObject({ code: 'MALFORMED_MESSAGE', retriable: false })
    expect(error.message).toMatch(message)
  })

  test('an answer that ends too early, and the next connection is a good one', async () => {
    const fake = await FakeCluster.open()
    const [broker] = fake.brokers
    const transport = await openTransport(fake)
    const asked = rejection(transport.request(apiKey.describeCluster, describeCluster))
    const [seen] = await broker!.received(apiKey.describeCluster)
    // Its own correlation id is wanted: 4 bytes behind the length that the request began with.
    broker!.handlers[apiKey.describeCluster] = () => cluster
    seen!.raw(Buffer.concat([Buffer.from([0, 0, 0, 7]), idOf(seen!), Buffer.from([0, 0, 0])]))
    expect(await asked).toMatchObject({ code: 'MALFORMED_MESSAGE' })
    await transport.request(apiKey.describeCluster, describeCluster)
  })

  test('no answer in time', async () => {
    const fake = await FakeCluster.open()
    const transport = await openTransport(fake, { requestTimeout: 1_000 })
    const error = await rejection(transport.request(apiKey.createAcls, { creations: [] }))
    expect(error).toMatchObject({ code: 'TIMED_OUT', retriable: true })
    expect(error.message).toMatch(/did not answer CreateAcls in time; the connection was given up/)
  })

  test('a connection that ends is made again, and what is safe is asked again', async () => {
    const fake = await FakeCluster.open()
    const [broker] = fake.brokers
    const transport = await openTransport(fake)
    let cuts = 0
    broker!.handlers[apiKey.describeCluster] = ({ cut }) => (++cuts < 3 ? (cut() as undefined) : cluster)
    expect(await transport.request(apiKey.describeCluster, describeCluster)).toMatchObject({ clusterId: 'fake' })
    expect(broker!.of(apiKey.describeCluster)).toHaveLength(3)
  })

  test('what may have been done is not done again', async () => {
    const fake = await FakeCluster.open()
    const [broker] = fake.brokers
    const transport = await openTransport(fake)
    broker!.handlers[apiKey.createTopics] = ({ cut }) => cut() as undefined
    const request = { topics: [], timeoutMs: 1000, validateOnly: false }
    expect(await rejection(transport.request(apiKey.createTopics, request))).toMatchObject({
      code: 'NETWORK_EXCEPTION',
      retriable: true,
      message: expect.stringMatching(/the broker closed it; CreateTopics was not answered/),
    })
    expect(broker!.of(apiKey.createTopics)).toHaveLength(1)
  })

  test('a broker that is away for a while', async () => {
    const fake = await FakeCluster.open()
    const [broker] = fake.brokers
    broker!.handlers[apiKey.describeCluster] = () => cluster
    const transport = await openTransport(fake)
    await broker!.stop()
    const asked = transport.request(apiKey.describeCluster, describeCluster)
    await new Promise((resolve) => setTimeout(resolve, 30))
    await broker!.start()
    expect(await asked).toMatchObject({ clusterId: 'fake' })
  })

  test('nobody there: every address is named', async () => {
    const fake = await FakeCluster.open(2)
    for (const broker of fake.brokers) await broker.stop()
    const error = await rejection(open(fake.target))
    expect(error).toMatchObject({ code: 'BROKER_NOT_AVAILABLE', retriable: true })
    for (const { port } of fake.brokers) expect(error.message).toContain(`127.0.0.1:${port}: connect ECONNREFUSED`)
  })

  test('one address of two is enough', async () => {
    const fake = await FakeCluster.open(2)
    await fake.brokers[0]!.stop()
    await (await open(fake.target)).close()
  })

  test('what takes connections and says nothing', async () => {
    const server = createServer()
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
    onTestFinished(() => void server.close())
    const { port } = server.address() as { port: number }
    const error = await rejection(open(`kafka://127.0.0.1:${port}`, { connectionTimeout: 1_000 }))
    expect(error).toMatchObject({ code: 'TIMED_OUT', message: expect.stringMatching(/did not answer ApiVersions/) })
  })

  test('opening is aborted', async () => {
    const server = createServer()
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
    onTestFinished(() => void server.close())
    const { port } = server.address() as { port: number }
    const controller = new AbortController()
    const opening = rejection(open(`kafka://127.0.0.1:${port}`, { signal: controller.signal }))
    await new Promise((resolve) => server.once('connection', resolve))
    controller.abort(new Error('enough'))
    expect(await opening).toMatchObject({ code: 'ABORTED' })
  })
})

describe('ending', () => {
  test('a signal ends the wait for an answer, and the connection goes on', async () => {
    const fake = await FakeCluster.open()
    fake.addTopic('t', 1)
    const [broker] = fake.brokers
    const transport = await openTransport(fake)
    const controller = new AbortController()
    const { signal } = controller
    const asked = rejection(transport.request(apiKey.listOffsets, listOffsets('t', 0), { signal }))
    const [seen] = await broker!.received(apiKey.listOffsets)
    controller.abort(new Error('enough'))
    expect(await asked).toMatchObject({ code: 'ABORTED', cause: { message: 'enough' } })
    broker!.handlers[apiKey.describeCluster] = () => cluster
    seen!.answer({ topics: [] })
    await transport.request(apiKey.describeCluster, describeCluster)
    expect(broker!.of(apiKey.describeCluster)[0]!.connection).toBe(seen!.connection)
  })

  test('a fetch whose wait is ended has found nothing, and the next one need not wait for it', async () => {
    const fake = await FakeCluster.open()
    fake.addTopic('t', 1)
    const [broker] = fake.brokers
    const transport = await openTransport(fake)
    const controller = new AbortController()
    const fetched = transport.request(apiKey.fetch, fetchOf('t', [0], 60_000), { signal: controller.signal })
    await broker!.received(apiKey.fetch)
    controller.abort()
    expect((await fetched).responses[0]!.partitions).toMatchObject([{ errorCode: 0, records: null }])
    const next = transport.request(apiKey.fetch, fetchOf('t', [0], 60_000))
    const [, second] = await broker!.received(apiKey.fetch, 2)
    second!.answer({ responses: [] })
    await next
  })

  test('connections that nobody waits for do not pile up', async () => {
    const fake = await FakeCluster.open()
    fake.addTopic('t', 1)
    const [broker] = fake.brokers
    const transport = await openTransport(fake)
    for (let count = 1; count <= 8; count++) {
      const controller = new AbortController()
      const fetched = transport.request(apiKey.fetch, fetchOf('t', [0], 60_000), { signal: controller.signal })
      await broker!.received(apiKey.fetch, count)
      controller.abort()
      await fetched
    }
    await expect.poll(() => broker!.connections).toBeLessThanOrEqual(4)
  })

  test('closing with requests under way', async () => {
    const fake = await FakeCluster.open()
    const [broker] = fake.brokers
    const transport = await openTransport(fake)
    const asked = rejection(transport.request(apiKey.describeCluster, describeCluster))
    await broker!.received(apiKey.describeCluster)
    await Promise.all([transport.close(), transport.close()])
    expect(await asked).toMatchObject({ code: 'CLOSED' })
    expect(await rejection(transport.request(apiKey.describeCluster, describeCluster))).toMatchObject({
      code: 'CLOSED',
    })
    await expect.poll(() => broker!.connections).toBe(0)
  })

  test('a connection that is not used is closed, and made again when it is', async () => {
    const fake = await FakeCluster.open()
    const [broker] = fake.brokers
    broker!.handlers[apiKey.describeCluster] = () => cluster
    const transport = await openTransport(fake, { connectionMaxIdle: 20 })
    await expect.poll(() => broker!.connections).toBe(0)
    await transport.request(apiKey.describeCluster, describeCluster)
  })
})

/** The correlation id of a request: this transport counts them up from 1 on each connection. */
function idOf({ connection, key }: { connection: number; key: number }): Buffer {
  expect([connection, key]).toEqual([1, apiKey.describeCluster])
  const id = Buffer.alloc(4)
  // ApiVersions, Metadata, then this one.
  id.writeInt32BE(3)
  return id
}
