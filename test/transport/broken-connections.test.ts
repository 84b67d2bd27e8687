import { expect, onTestFinished, test } from 'vitest'
import { open } from '../../ts/index.js'
import { listen } from '../../ts/server/listen.js'
import { readAll } from '../client/read-all.js'
import { CuttingProxy, seeded } from './cutting-proxy.js'

/** Our server behind a proxy, which is the only way to it. */
async function behindProxy() {
  let port = 0
  const proxy = await CuttingProxy.open(() => ({ host: '127.0.0.1', port }))
  const listener = {
    name: 'PLAINTEXT',
    host: '127.0.0.1',
    port: 0,
    advertisedHost: '127.0.0.1',
    advertisedPort: proxy.port,
  }
  const server = await listen({ data: 'memory:', listeners: [listener] })
  port = server.listeners[0]!.port
  onTestFinished(async () => {
    await proxy.close()
    await server.close()
  })
  return { proxy, target: `kafka://127.0.0.1:${proxy.port}` }
}

test.each([1, 2, 3])(
  'an idempotent producer stores everything once and in order, whatever is cut (seed %i)',
  async (seed) => {
    const { proxy, target } = await behindProxy()
    const log = await open(target, { retry: { initialRetryTime: 1, maxRetryTime: 20 } })
    onTestFinished(() => log.close())
    const partitions = 4
    await log.admin().createTopic({ topic: 't', partitions })
    const random = seeded(seed)
    proxy.cutAtRandom(60_000, random)
    proxy.cutAll()
    const producer = log.producer({ batchSize: 1024, deliveryTimeout: 60_000 })
    const count = 4000
    const sends = []
    for (let n = 0; n < count; n++) {
      sends.push(
        producer.send({ topic: 't', messages: [{ value: `${n} ${'.'.repeat(60)}`, partition: n % partitions }] }),
      )
      if (random() < 0.02) await new Promise((resolve) => setImmediate(resolve))
    }
    const results = (await Promise.all(sends)).map(([result]) => result)
    proxy.cutNoMore()
    expect(proxy.cuts).toBeGreaterThan(10)
    const read = await readAll(log, 't')
    const values = (partition: number) =>
      read.filter((one) => one.partition === partition).map(({ value }) => parseInt(String(value), 10))
    for (let partition = 0; partition < partitions; partition++) {
      const own = Array.from({ length: count / partitions }, (_, index) => index * partitions + partition)
      expect(values(partition)).toEqual(own)
    }
    for (const { partition, offset, value } of read) {
      expect(results[parseInt(String(value), 10)]).toMatchObject({ partition, baseOffset: offset })
    }
  },
)

test.each([4, 5])('a consumer reads everything once and in order, whatever is cut (seed %i)', async (seed) => {
  const { proxy, target } = await behindProxy()
  const log = await open(target, { retry: { initialRetryTime: 1, maxRetryTime: 20 } })
  onTestFinished(() => log.close())
  const partitions = 3
  await log.admin().createTopic({ topic: 't', partitions })
  const count = 3000
  const producer = log.producer({ batchSize: 2048 })
  const messages = Array.from({ length: count }, (_, n) => ({
    value: `${n} ${'.'.repeat(100)}`,
    partition: n % partitions,
  }))
  await producer.send({ topic: 't', messages: messages.slice(0, count / 2) })
  proxy.cutAtRandom(50_000, seeded(seed))
  proxy.cutAll()
  const consumer = log.consumer({ from: 'earliest', maxBytesPerPartition: 4096, maxWaitTimeInMs: 50 })
  await consumer.subscribe(['t'])
  const later = producer.send({ topic: 't', messages: messages.slice(count / 2) })
  const read: number[][] = Array.from({ length: partitions }, () => [])
  let seen = 0
  for await (const { partition, value } of consumer) {
    read[partition]!.push(Number.parseInt(String(value), 10))
    if (++seen === count) break
  }
  await later
  proxy.cutNoMore()
  expect(proxy.cuts).toBeGreaterThan(10)
  for (const [partition, values] of read.entries()) {
    expect(values).toEqual(Array.from({ length: count / partitions }, (_, index) => index * partitions + partition))
  }
})
