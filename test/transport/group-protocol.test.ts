import { expect, onTestFinished, test } from 'vitest'
import { open, type Subscribed } from '../../ts/index.js'
import { apiKey } from '../../ts/protocol/apis.js'
import { rejection } from '../client/rejection.js'
import { FakeCluster } from './fake-broker.js'

/** Brokers that do not speak the consumer protocol, or not all of it. */

async function joinBy(newest: number, topics: readonly Subscribed[]) {
  const cluster = await FakeCluster.open()
  cluster.addTopic('t', 1)
  const [broker] = cluster.brokers
  broker.newest = { [apiKey.consumerGroupHeartbeat]: newest }
  const log = await open(cluster.target)
  onTestFinished(() => log.close())
  const consumer = log.consumer({ groupId: 'g', groupProtocol: 'consumer' })
  await consumer.subscribe(topics)
  const error = await rejection(consumer[Symbol.asyncIterator]().next())
  return { broker, error }
}

test('a broker of Kafka before 4.0: a clear error, and no other protocol is tried', async () => {
  const { broker, error } = await joinBy(-1, ['t'])
  expect(error).toMatchObject({ code: 'GROUP_PROTOCOL_REFUSED', retriable: false, key: 'groupProtocol' })
  expect(error).toMatchObject({ message: expect.stringMatching(/group g .*'classic'.*ConsumerGroupHeartbeat/) })
  expect(broker.of(apiKey.joinGroup)).toEqual([])
})

test('one whose version of it has no expressions', async () => {
  const { broker, error } = await joinBy(0, [{ re2: 't.*' }])
  expect(error).toMatchObject({ code: 'GROUP_PROTOCOL_REFUSED', cause: { code: 'UNSUPPORTED' } })
  expect(error).toMatchObject({ message: expect.stringContaining('subscribedTopicRegex') })
  expect(broker.of(apiKey.consumerGroupHeartbeat)).toEqual([])
})
