import { expect, test } from 'vitest'
import type { Pace } from '../../ts/broker/request-context.js'
import { type ApiKey, apiKey, apis, type RequestOf } from '../../ts/protocol/apis.js'
import { zeroUuid } from '../../ts/protocol/uuid.js'
import { TestBroker } from './harness.js'

const count = 50
const indexes = Array.from({ length: count }, (_, i) => i)
const names = indexes.map((i) => `thing-${i}`)

/** Gives the loop back after every tenth element. */
class EveryTenth implements Pace {
  elements = 0
  turns = 0

  isDue(elements = 1): boolean {
    this.elements += elements
    return this.elements >= 10
  }

  async next(): Promise<void> {
    this.elements = 0
    this.turns++
    await new Promise((resolve) => setImmediate(resolve))
  }
}

type Requests = { [K in ApiKey]?: Partial<RequestOf<K>> }

const ofPartition = { currentLeaderEpoch: -1, lastFetchedEpoch: -1, logStartOffset: -1n, partitionMaxBytes: 1 << 20 }
const requests: Requests = {
  [apiKey.produce]: {
    acks: 1,
    topicData: [
      { name: 'orders', topicId: zeroUuid, partitionData: indexes.map((index) => ({ index, records: null })) },
    ],
  },
  [apiKey.fetch]: {
    topics: [
      {
        topic: 'orders',
        topicId: zeroUuid,
        partitions: indexes.map((partition) => ({ ...ofPartition, partition, fetchOffset: BigInt(partition % 2) })),
      },
    ],
  },
  [apiKey.listOffsets]: {
    topics: names.map((name) => ({
      name,
      partitions: [{ partitionIndex: 0, currentLeaderEpoch: -1, timestamp: -1n }],
    })),
  },
  [apiKey.metadata]: { topics: names.map((name) => ({ name, topicId: zeroUuid })) },
  [apiKey.findCoordinator]: { coordinatorKeys: names, keyType: 1 },
  [apiKey.describeGroups]: { groups: names },
  [apiKey.createTopics]: {
    topics: names.map((name) => ({ name, numPartitions: 0, replicationFactor: 1, assignments: [], configs: [] })),
  },
  [apiKey.deleteTopics]: { topics: names.map((name) => ({ name, topicId: zeroUuid })) },
  [apiKey.deleteRecords]: {
    topics: [{ name: 'orders', partitions: indexes.map((partitionIndex) => ({ partitionIndex, offset: 1n })) }],
  },
  [apiKey.offsetForLeaderEpoch]: {
    topics: [
      {
        topic: 'orders',
        partitions: indexes.map((partition) => ({ partition, currentLeaderEpoch: -1, leaderEpoch: 0 })),
      },
    ],
  },
  [apiKey.describeConfigs]: {
    resources: names.map((resourceName) => ({ resourceType: 2, resourceName, configurationKeys: null })),
  },
  [apiKey.alterConfigs]: { resources: names.map((resourceName) => ({ resourceType: 2, resourceName, configs: [] })) },
  [apiKey.createPartitions]: { topics: names.map((name) => ({ name, count: 3, assignments: null })) },
  [apiKey.deleteGroups]: { groupsNames: names },
  [apiKey.incrementalAlterConfigs]: {
    resources: names.map((resourceName) => ({ resourceType: 2, resourceName, configs: [] })),
  },
  [apiKey.describeProducers]: { topics: [{ name: 'orders', partitionIndexes: indexes }] },
}

test('what turns out to be long though it is short gives the loop back as well', async () => {
  const broker = await TestBroker.open('memory:')
  for (const name of ['a', 'b']) await broker.createTopic(name, 4000)
  const [{ topicId }] = (await broker.ask(apiKey.metadata, { topics: [{ name: 'a', topicId: zeroUuid }] })).topics
  const changes = { trusted: false }
  const turnsOf = async (ask: (more: { takeTurns: () => Pace }) => Promise<unknown>) => {
    const pace = new EveryTenth()
    await ask({ takeTurns: () => pace })
    return pace.turns
  }
  expect(await turnsOf((more) => broker.ask(apiKey.metadata, { topics: null }, { ...changes, ...more }))).toBe(3)
  const logDirs = await turnsOf((more) => broker.ask(apiKey.describeLogDirs, { topics: null }, { ...changes, ...more }))
  expect(logDirs).toBeGreaterThanOrEqual(800)
  // The later fetches of a session name nothing.
  const partitions = Array.from({ length: 4000 }, (_, partition) => ({ ...ofPartition, partition, fetchOffset: 0n }))
  const first = { sessionId: 0, sessionEpoch: 0, topics: [{ topic: 'a', topicId, partitions }] }
  const { sessionId } = await broker.ask(apiKey.fetch, first, changes)
  expect(sessionId).not.toBe(0)
  const next = { sessionId, sessionEpoch: 1, topics: [] }
  const fetched = await turnsOf((more) => broker.ask(apiKey.fetch, next, { ...changes, ...more }))
  expect(fetched).toBeGreaterThanOrEqual(400)
  expect(await turnsOf((more) => broker.ask(apiKey.metadata, { topics: [] }, { ...changes, ...more }))).toBe(0)
})

const byName: Partial<Record<ApiKey, number>> = { [apiKey.produce]: 12, [apiKey.fetch]: 12 }

for (const [key, request] of Object.entries(requests).map(([k, r]) => [Number(k) as ApiKey, r as object] as const)) {
  test(`a long ${apis[key].name} gives the loop back now and then, and is answered as a short one`, async () => {
    const broker = await TestBroker.open('memory:')
    await broker.createTopic('orders', count / 2)
    const changes = { apiVersion: byName[key] ?? apis[key].request.lastStable, trusted: false }
    const short = await broker.ask(key, request, changes)
    const pace = new EveryTenth()
    expect(await broker.ask(key, request, { ...changes, pace })).toEqual(short)
    expect(pace.turns).toBeGreaterThanOrEqual(4)
  })
}
