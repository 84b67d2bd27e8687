import { expect, test } from 'vitest'
import { open } from '../../ts/index.js'
import type { GivenRecord } from './clients/foreign-client.js'
import { Kcat } from './clients/kcat.js'
import { plainSuite } from './matrix/client-suite.js'
import { groupTests } from './matrix/groups.js'
import { recordTests } from './matrix/records.js'
import { newTopic } from './matrix/topics.js'

const kcat = new Kcat()

/** kcat makes no topics: our own client does, with as many partitions as the test needs. */
async function createTopic(bootstrap: string, purpose: string, partitions: number, config = {}): Promise<string> {
  const topic = newTopic(purpose)
  const log = await open(`kafka://${bootstrap}`)
  try {
    await log.admin().createTopic({ topic, partitions, config })
  } finally {
    await log.close()
  }
  return topic
}

// Not among those whose connections are cut: kcat ends by itself when its one broker is away.
plainSuite(kcat, createTopic, (bench) => {
  recordTests(bench, { timestamps: false })
  groupTests(bench, {
    assignors: ['range', 'roundrobin', 'cooperative'],
    statics: 'closed or killed',
    // Now and then a record is committed by a kcat that ends and printed by none: on Apache Kafka too, where the group of
    // ten lost some in each of four runs, the groups of three in two runs of nine.
    promises: 'to the end',
  })

  test('-o s@: reading starts at the first record at or after a time', async () => {
    const { broker } = bench()
    const topic = await createTopic(broker.bootstrap, 'time', 2)
    const log = await open(`kafka://${broker.bootstrap}`)
    const start = 1_700_000_000_000
    const messages = Array.from({ length: 400 }, (_, i) => ({
      partition: i % 2,
      value: `${i}`,
      timestamp: start + i * 1000,
    }))
    await log.producer().send({ topic, messages })
    await log.close()
    for (const [timestamp, first] of [
      [start + 100_500, 101],
      [start + 300_000, 300],
    ] as const) {
      const found = await kcat.consume({
        bootstrap: broker.bootstrap,
        topic,
        partitions: 2,
        count: 400 - first,
        from: { timestamp },
      })
      const values = found.map(({ value }) => Number(value)).sort((a, b) => a - b)
      expect(values).toEqual(Array.from({ length: 400 - first }, (_, i) => first + i))
    }
  })

  test('-L and -Q: metadata and offsets', async () => {
    const { broker } = bench()
    const topic = await createTopic(broker.bootstrap, 'listed', 4)
    const records = Array.from({ length: 20 }, (_, i): GivenRecord => ({ partition: 1, key: `${i}`, value: `${i}` }))
    await kcat.produce({ bootstrap: broker.bootstrap, topic, records })
    const said = await kcat.metadata(broker.bootstrap, topic)
    expect(said).toMatchObject({
      brokers: [{ name: broker.bootstrap }],
      topics: [{ topic, partitions: [{ partition: 0 }, { partition: 1 }, { partition: 2 }, { partition: 3 }] }],
    })
    expect(await kcat.query(broker.bootstrap, topic, 1, -1)).toBe(20)
    expect(await kcat.query(broker.bootstrap, topic, 1, -2)).toBe(0)
    expect(await kcat.query(broker.bootstrap, topic, 1, 1)).toBe(0)
  })
})
