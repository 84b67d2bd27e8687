import { type ApiKey, apiKey } from '../../ts/protocol/apis.js'
import { zeroUuid } from '../../ts/protocol/uuid.js'
import { clientBatch, fetchOf, produceOf } from './harness.js'

/** The topic that the requests name, of one partition. */
export const sampleTopic = 'orders'
const topic = sampleTopic

interface Place {
  readonly topicId: string
  readonly version: number
}

const named = { name: topic, partitions: [{ partitionIndex: 0 }] }
const configs = [{ resourceType: 2, resourceName: topic, configurationKeys: null }]

/** Requests that name what is there, so that their answers have something in every field; where versions differ, by these. */
export const sampleRequests: Partial<Record<ApiKey, (place: Place) => object>> = {
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
