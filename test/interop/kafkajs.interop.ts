import { afterAll, beforeAll, describe } from 'vitest'
import { newBroker } from './brokers/broker-under-test.js'
import { kafkaJs } from './clients/kafkajs.js'
import { groupTests } from './matrix/groups.js'
import { recordTests } from './matrix/records.js'
import { createTopic } from './matrix/topics.js'

describe('KafkaJS 2.2.4', () => {
  const broker = newBroker()
  const client = kafkaJs()
  const bench = () => ({
    broker,
    client,
    createTopic: (purpose: string, partitions: number, configs?: Record<string, string>) =>
      createTopic(client, broker.bootstrap, purpose, partitions, configs),
  })
  beforeAll(async () => {
    await client.install()
    await broker.start()
  })
  afterAll(async () => {
    await client.close()
    await broker.remove()
  })

  recordTests(bench)
  groupTests(bench, { assignors: ['roundrobin'], statics: false })
})
