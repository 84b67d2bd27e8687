import { expect, test } from 'vitest'
import { apiKey } from '../../ts/protocol/apis.js'
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

test('tells members that wait to join, or for their assignment, to find their coordinator again', async () => {
  const server = await TestServer.start()
  const [leader, follower, joining] = await Promise.all(Array.from({ length: 3 }, () => server.connect()))
  // Before version 4 a new member is parked at once.
  const join = (groupId: string, memberId = '') => ({
    ...{ groupId, memberId, protocolType: 'consumer', sessionTimeoutMs: 30_000, rebalanceTimeoutMs: 30_000 },
    protocols: [{ name: 'range', metadata: Buffer.alloc(0) }],
  })
  const joined = async (client: RawClient, groupId: string) => {
    for (;;) {
      const response = await client.ask(apiKey.joinGroup, join(groupId), 3)
      if (errorName(response.errorCode) !== 'COORDINATOR_LOAD_IN_PROGRESS') return response
    }
  }
  // In one group a follower waits for its leader's assignment.
  const first = await joined(leader, 'assigning')
  follower.send(apiKey.joinGroup, join('assigning'), 3)
  await eventually(() => server.server.queuedBytes > 0)
  leader.send(apiKey.joinGroup, join('assigning', first.memberId), 3)
  await leader.answer(apiKey.joinGroup, 3)
  const { memberId, generationId } = (await follower.answer(apiKey.joinGroup, 3)).response
  const sync = { groupId: 'assigning', memberId, generationId, assignments: [] }
  follower.send(apiKey.syncGroup, sync, 3)
  // In another a new member waits for one that does not come.
  expect(errorName((await joined(leader, 'joining')).errorCode)).toBe('NONE')
  joining.send(apiKey.joinGroup, join('joining'), 3)
  const parked = frameOf(apiKey.syncGroup, sync, 3).length + frameOf(apiKey.joinGroup, join('joining'), 3).length
  await eventually(() => server.server.queuedBytes === parked)
  await server.running.close()
  const codes = [
    (await joining.answer(apiKey.joinGroup, 3)).response.errorCode,
    (await follower.answer(apiKey.syncGroup, 3)).response.errorCode,
  ]
  expect(codes.map(errorName)).toEqual(['NOT_COORDINATOR', 'NOT_COORDINATOR'])
})
