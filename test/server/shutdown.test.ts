import { expect, test } from 'vitest'
import { apiKey } from '../../ts/protocol/apis.js'
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
  TestServer,
} from './harness.js'

test('answers what is under way, wakes what waits, and drops what is not whole', async () => {
  const server = await TestServer.start({ data: temporaryFolder() })
  await server.createTopic('orders')
  const [producer, waiting, half, idle] = await Promise.all(Array.from({ length: 4 }, () => server.connect()))
  waiting.send(apiKey.fetch, fetchOf('orders', 50, { maxWaitMs: forEver }), byName.fetch)
  half.socket.write(frameOf(apiKey.metadata).subarray(0, 8))
  const ids = Array.from({ length: 50 }, (_, i) =>
    producer.send(apiKey.produce, produceOf('orders', clientBatch(`order ${i}`), -1), byName.produce),
  )
  const first = await producer.answer(apiKey.produce, byName.produce)
  expect(first.id).toBe(ids[0])
  await eventually(() => server.server.queuedBytes > 0)
  await server.running.close()
  for (const client of [producer, waiting, half, idle]) await client.closed
  // Those that were taken before the end are answered, in order, and stored.
  let answered = 1
  while (producer.received.length > 0) {
    expect((await producer.answer(apiKey.produce, byName.produce)).id).toBe(ids[answered++])
  }
  expect(server.server.connections).toBe(0)
  expect(server.lines('error')).toEqual([])
  const again = await TestServer.start({ data: server.running.broker.path })
  const reader = await again.connect()
  const { responses } = await reader.ask(apiKey.fetch, fetchOf('orders', 0), byName.fetch)
  const stored = valuesOf(responses[0].partitions[0].records)
  expect(stored.length).toBeGreaterThanOrEqual(answered)
  expect(stored).toEqual(ids.slice(0, stored.length).map((_, i) => `order ${i}`))
})

test('takes no connection any more', async () => {
  const server = await TestServer.start()
  const { port } = server
  await server.running.close()
  expect(port).toBeGreaterThan(0)
  await expect(server.connect()).rejects.toMatchObject({ code: 'ECONNREFUSED' })
})

test('does not wait for clients that never close', async () => {
  const server = await TestServer.start()
  await server.createTopic('orders')
  const client = await server.connect({ allowHalfOpen: true })
  await client.ask(apiKey.metadata, {}, 9)
  await server.running.close(50)
  expect(server.server.connections).toBe(0)
  await client.closed
})

test('does not wait for clients that do not take their answers', async () => {
  const server = await TestServer.start()
  await server.createTopic('orders')
  await connectAndTakeNothing(server)
  await eventually(() => server.server.queuedBytes === 0)
  await server.running.close(50)
  expect(server.server.connections).toBe(0)
})

test('is done once, however often it is asked for', async () => {
  const server = await TestServer.start()
  await Promise.all([server.running.close(), server.running.close(), server.running.close(0)])
  await server.running.close()
})
