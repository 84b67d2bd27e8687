import { expect, test } from 'vitest'
import { answeredVersions } from '../../ts/broker/api/offered-apis.js'
import { type ApiKey, apiKey, apis } from '../../ts/protocol/apis.js'
import { zeroUuid } from '../../ts/protocol/uuid.js'
import { clientBatch, fetchOf, newest, produceOf, type RawClient, TestServer } from './harness.js'

const topic = 'orders'

interface Place {
  readonly topicId: string
  readonly version: number
}

const named = { name: topic, partitions: [{ partitionIndex: 0 }] }
const configs = [{ resourceType: 2, resourceName: topic, configurationKeys: null }]

/** Requests that name what is there, so that their answers have something in every field; where versions differ, by these. */
const requests: Partial<Record<ApiKey, (place: Place) => object>> = {
  [apiKey.produce]: ({ topicId, version }) => {
    const request = produceOf(topic, clientBatch('one', 'two'))
    const [data] = request.topicData
    return version < 13 ? request : { ...request, topicData: [{ ...data, name: '', topicId }] }
  },
  [apiKey.fetch]: ({ topicId, version }) => {
    const request = fetchOf(topic, 0)
    return version < 13 ? request : { ...request, topics: [{ ...request.topics[0], topic: '', topicId }] }
  },
  [apiKey.listOffsets]: () => ({
    replicaId: -1,
    topics: [{ name: topic, partitions: [{ partitionIndex: 0, currentLeaderEpoch: -1, timestamp: -1n }] }],
  }),
  [apiKey.metadata]: () => ({ topics: [{ name: topic, topicId: zeroUuid }], allowAutoTopicCreation: true }),
  [apiKey.offsetCommit]: ({ topicId, version }) => ({
    groupId: 'group',
    topics: [
      {
        name: version < 10 ? topic : '',
        topicId: version < 10 ? zeroUuid : topicId,
        partitions: [{ partitionIndex: 0, committedOffset: 1n, committedLeaderEpoch: -1, committedMetadata: 'here' }],
      },
    ],
  }),
  [apiKey.offsetFetch]: ({ topicId, version }) => {
    if (version < 8) return { groupId: 'group', topics: [{ name: topic, partitionIndexes: [0] }] }
    const asked = { name: version < 10 ? topic : '', topicId: version < 10 ? zeroUuid : topicId, partitionIndexes: [0] }
    return { groups: [{ groupId: 'group', memberId: null, memberEpoch: -1, topics: [asked] }] }
  },
  [apiKey.findCoordinator]: ({ version }) => (version < 4 ? { key: 'group' } : { coordinatorKeys: ['group'] }),
  [apiKey.joinGroup]: ({ version }) => ({
    groupId: `joined at ${version}`,
    sessionTimeoutMs: 10_000,
    rebalanceTimeoutMs: version === 0 ? -1 : 10_000,
    protocolType: 'consumer',
    protocols: [{ name: 'range', metadata: Buffer.from('about me') }],
  }),
  [apiKey.describeGroups]: () => ({ groups: ['group', 'joined at 0', 'nobody'] }),
  [apiKey.createTopics]: ({ version }) => ({
    topics: [
      {
        name: `made at ${version}`.replaceAll(' ', '-'),
        numPartitions: 1,
        replicationFactor: 1,
        assignments: [],
        configs: [{ name: 'max.message.bytes', value: '1000000' }],
      },
    ],
    timeoutMs: 1000,
  }),
  [apiKey.offsetForLeaderEpoch]: () => ({
    topics: [{ topic, partitions: [{ partition: 0, currentLeaderEpoch: -1, leaderEpoch: 0 }] }],
  }),
  [apiKey.describeConfigs]: ({ version }) => ({
    resources: [...configs, { resourceType: 4, resourceName: '1', configurationKeys: null }],
    includeSynonyms: true,
    includeDocumentation: version >= 3,
  }),
  [apiKey.describeLogDirs]: () => ({ topics: null }),
  [apiKey.createPartitions]: () => ({ topics: [{ name: topic, count: 1, assignments: null }], timeoutMs: 1000 }),
  [apiKey.describeQuorum]: () => ({
    topics: [{ topicName: '__cluster_metadata', partitions: [{ partitionIndex: 0 }] }],
  }),
  [apiKey.offsetDelete]: () => ({ groupId: 'group', topics: [named] }),
  [apiKey.deleteGroups]: () => ({ groupsNames: ['group', 'nobody'] }),
  [apiKey.describeProducers]: () => ({ topics: [{ name: topic, partitionIndexes: [0] }] }),
  [apiKey.describeTopicPartitions]: () => ({ topics: [{ name: topic }] }),
  [apiKey.deleteRecords]: () => ({
    topics: [{ name: topic, partitions: [{ partitionIndex: 0, offset: 0n }] }],
    timeoutMs: 1000,
  }),
}

async function started(): Promise<{ server: TestServer; client: RawClient; topicId: string; offered: ApiKey[] }> {
  const server = await TestServer.start()
  await server.createTopic(topic)
  const client = await server.connect()
  const { topics } = await client.ask(apiKey.metadata, { topics: [{ name: topic, topicId: zeroUuid }] })
  const software = { clientSoftwareName: 'test', clientSoftwareVersion: '1' }
  const { apiKeys } = await client.ask(apiKey.apiVersions, software)
  expect(apiKeys.length).toBeGreaterThan(20)
  return { server, client, topicId: topics[0].topicId, offered: apiKeys.map((api) => api.apiKey as ApiKey) }
}

test('every version of every API answers defaults in its own form', async () => {
  const { server, client, offered } = await started()
  for (const key of offered) {
    const { from, to } = answeredVersions(key)!
    for (let version = from; version <= to; version++) {
      // They may be refused, but by an answer; a produce with acks 0 has none.
      const id = client.send(key, key === apiKey.produce ? { acks: 1 } : {}, version)
      const answer = await client.answer(key, version).catch(() => null)
      expect(answer?.id, `${apis[key].name} ${version}: ${JSON.stringify(server.log.lines)}`).toBe(id)
    }
  }
  expect(server.lines('warn')).toEqual([])
  expect(server.lines('error')).toEqual([])
})

test('every version of every API answers about what is there in its own form', async () => {
  const { server, client, offered, topicId } = await started()
  await client.ask(apiKey.produce, produceOf(topic, clientBatch('first')), 12)
  await client.ask(apiKey.findCoordinator, { coordinatorKeys: ['group'] }, newest(apiKey.findCoordinator))
  for (const key of offered) {
    const request = requests[key]
    if (request === undefined) continue
    const { from, to } = answeredVersions(key)!
    for (let version = from; version <= to; version++) {
      const id = client.send(key, request({ topicId, version }), version)
      const answer = await client.answer(key, version).catch(() => null)
      const seen = `${apis[key].name} ${version}: ${JSON.stringify(server.log.lines)}`
      expect(answer?.id, seen).toBe(id)
      expect(faults(answer?.response), seen).toEqual([])
    }
  }
  expect(server.lines('warn')).toEqual([])
  expect(server.lines('error')).toEqual([])
})

/** Error codes that say the broker failed, or that it took the request for malformed. */
function faults(value: unknown): number[] {
  if (typeof value !== 'object' || value === null || value instanceof Uint8Array) return []
  return Object.entries(value).flatMap(([name, inner]) =>
    name === 'errorCode' && (inner === -1 || inner === 42) ? [inner] : faults(inner),
  )
}
