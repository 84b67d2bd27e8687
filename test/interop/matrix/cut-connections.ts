import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { randomFrom } from '../../crash/child.js'
import { newBroker } from '../brokers/broker-under-test.js'
import type { ForeignClient, GivenRecord } from '../clients/foreign-client.js'
import { CuttingProxy } from './cutting-proxy.js'

const partitions = 3

/**
 * An idempotent producer behind a proxy that cuts its connections: every record is there once, in order.
 */
export function cutTests(
  client: ForeignClient,
  createTopic: (bootstrap: string, purpose: string, partitions: number) => Promise<string>,
  { count = 6000, perBatch = 40, leastCuts = 10 } = {},
): void {
  describe('connections cut at random', () => {
    const broker = newBroker()
    let proxy: CuttingProxy
    beforeAll(async () => {
      await client.install()
      proxy = await CuttingProxy.listen(() => broker.bootstrap, randomFrom(Number(process.env.SEGLOG_SEED ?? 7)))
      await broker.start({ advertise: proxy.address })
    })
    afterAll(async () => {
      await client.close()
      await proxy.close()
      await broker.remove()
    })

    test('an idempotent producer loses nothing and doubles nothing', async () => {
      const topic = await createTopic(proxy.address, 'cut', partitions)
      proxy.wild()
      const records: GivenRecord[] = Array.from({ length: count }, (_, i) => ({
        partition: i % partitions,
        key: `${i}`,
        value: `${i} ${'x'.repeat(i % 200)}`,
      }))
      await client.produce({ bootstrap: proxy.address, topic, records, idempotent: true, perBatch, patient: true })
      const cuts = proxy.cuts
      proxy.calm()
      const found = await client.consume({ bootstrap: proxy.address, topic, partitions, count, from: 'earliest' })
      for (let partition = 0; partition < partitions; partition += 1) {
        const keys = (list: readonly { partition: number; key: string | null }[]) =>
          list.filter((one) => one.partition === partition).map(({ key }) => key)
        expect(keys(found)).toEqual(keys(records))
      }
      // A proxy that let everything through would prove nothing.
      expect(cuts).toBeGreaterThan(leastCuts)
    })
  })
}
