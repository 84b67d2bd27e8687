import { afterAll, beforeAll, describe } from 'vitest'
import { newBroker } from '../brokers/broker-under-test.js'
import type { ForeignClient } from '../clients/foreign-client.js'
import type { ProgramClient } from '../clients/program-client.js'
import type { Bench } from './records.js'
import { createTopic } from './topics.js'

export type CreateTopic = (
  bootstrap: string,
  purpose: string,
  partitions: number,
  configs?: Record<string, string>,
) => Promise<string>

/** Members of the consumer protocol are told these by the broker, the others bring their own. */
export const quickSessions = {
  'group.consumer.min.session.timeout.ms': '6000',
  'group.consumer.session.timeout.ms': '10000',
  'group.consumer.min.heartbeat.interval.ms': '500',
  'group.consumer.heartbeat.interval.ms': '500',
}

export interface ClientBench extends Bench {
  client: ProgramClient
}

/** One client on one broker of its own; both are ready when the tests run. A client that cannot be installed fails. */
export function clientSuite(client: ProgramClient, tests: (bench: () => ClientBench) => void): void {
  plainSuite(
    client,
    (...where) => createTopic(client, ...where),
    (bench) => tests(() => ({ ...bench(), client })),
  )
}

/** As `clientSuite`, for a client whose topics somebody else makes. */
export function plainSuite(client: ForeignClient, create: CreateTopic, tests: (bench: () => Bench) => void): void {
  describe(client.name, () => {
    const broker = newBroker()
    beforeAll(async () => {
      await client.install()
      await broker.start({ config: quickSessions })
    })
    afterAll(async () => {
      await client.close()
      await broker.remove()
    })
    tests(() => ({
      broker,
      client,
      createTopic: (purpose, partitions, configs) => create(broker.bootstrap, purpose, partitions, configs),
    }))
  })
}
