import { describe, expect, it } from 'vitest'
import { Broker } from '../../../../ts/broker/broker.js'
import { coordinatorPartition } from '../../../../ts/broker/groups/java-hash.js'
import { openEngine } from '../../../../ts/native/open-engine.js'
import { apiKey } from '../../../../ts/protocol/apis.js'
import { writePayload } from '../../../../ts/protocol/codec/payloads.js'
import { errorName } from '../../../../ts/protocol/errors.js'
import {
  consumerGroupCurrentMemberAssignmentKey,
  consumerGroupCurrentMemberAssignmentValue,
  consumerGroupMemberMetadataKey,
  consumerGroupMemberMetadataValue,
  consumerGroupMetadataKey,
  consumerGroupMetadataValue,
  consumerGroupPartitionMetadataKey,
  consumerGroupPartitionMetadataValue,
  consumerGroupTargetAssignmentMemberKey,
  consumerGroupTargetAssignmentMemberValue,
  consumerGroupTargetAssignmentMetadataKey,
  consumerGroupTargetAssignmentMetadataValue,
} from '../../../../ts/protocol/payloads/consumer-group.js'
import { batchOf, temporaryDirectory } from '../../harness.js'
import { sessionTimeoutMs, TestConsumers } from './test-consumers.js'

describe('a group whose records cannot be written', () => {
  const full = { failNth: 1, sticky: true, pathIncludes: '__consumer_offsets', errno: 'ENOSPC' } as const

  async function withFullDisk(act: () => Promise<void>): Promise<void> {
    openEngine().injectFaults({ ...full, kinds: ['write', 'reserve'] })
    try {
      await act()
    } finally {
      openEngine().injectFaults(null)
    }
  }

  it('is not there, and comes into being when they can', async () => {
    const it = await TestConsumers.open(temporaryDirectory())
    await it.createTopic('t', 2)
    const a = it.consumer()
    await withFullDisk(async () => {
      expect(await a.beat()).toBe('NOT_COORDINATOR')
      expect(errorName((await it.describe()).errorCode)).toBe('GROUP_ID_NOT_FOUND')
    })
    await it.settle([a])
    expect(await it.describe()).toMatchObject({ groupEpoch: 1, groupState: 'Stable' })
  })

  it('is as it was, and goes on when they can', async () => {
    const it = await TestConsumers.open(temporaryDirectory())
    await it.createTopic('t', 2)
    const [a, b] = [it.consumer(), it.consumer()]
    await it.settle([a])
    const before = await it.describe()
    // More than was reserved beforehand.
    b.subscribe(Array.from({ length: 4000 }, (_, i) => `${i}-${'x'.repeat(200)}`))
    await withFullDisk(async () => {
      expect(await b.beat()).toBe('NOT_COORDINATOR')
      expect(await it.describe()).toEqual(before)
      expect(await a.beat()).toBe('NONE')
    })
    b.subscribe(['t'])
    await it.settle([a, b])
    expect(await it.describe()).toMatchObject({ groupEpoch: 2 })
  })
})

describe('members of one group that come at the same time', () => {
  it('are handled one after another, also while the log is being opened', async () => {
    const it = await TestConsumers.open(temporaryDirectory())
    await it.createTopic('t', 8)
    const members = Array.from({ length: 8 }, () => it.consumer())
    expect(new Set(await Promise.all(members.map((member) => member.beat())))).toEqual(new Set(['NONE']))
    expect(await it.describe()).toMatchObject({ groupEpoch: 8, assignmentEpoch: 8 })
    for (let round = 0; round < 5; round++) {
      for (const member of members) member.reconcile()
      await Promise.all(members.map((member) => member.beat()))
    }
    await it.settle(members)
    expect(new Set(members.flatMap(({ places }) => places)).size).toBe(8)
  })

  it('may be of either protocol', async () => {
    const it = await TestConsumers.open(temporaryDirectory())
    await it.createTopic('t', 2)
    const a = it.consumer()
    const [error, classic] = await Promise.all([a.beat(), it.groups.join()])
    expect(error).toBe('NONE')
    expect(errorName(classic.errorCode)).toBe('MEMBER_ID_REQUIRED')
    expect(await it.groups.list([], ['consumer'])).toEqual(['g'])
  })
})

describe('a broker that closes', () => {
  it('leaves no timers of members behind', async () => {
    const it = await TestConsumers.open()
    await it.createTopic('t', 2)
    await it.settle([it.consumer(), it.consumer()])
    await it.close()
    await it.timers.advance(2 * sessionTimeoutMs)
    expect(it.timers.size).toBe(0)
  })
})

describe('a read-only broker', () => {
  it('shows groups and lets nobody join', async () => {
    const path = temporaryDirectory()
    const writer = await TestConsumers.open(path)
    await writer.createTopic('t', 2)
    await writer.settle([writer.consumer()])
    await writer.close()
    const it = await TestConsumers.open(path, { readOnly: true })
    let group = await it.describe()
    while (errorName(group.errorCode) === 'COORDINATOR_LOAD_IN_PROGRESS') {
      await new Promise((resolve) => setImmediate(resolve))
      group = await it.describe()
    }
    expect(group.members.length).toBe(1)
    expect(await it.consumer().beat()).toBe('POLICY_VIOLATION')
    await it.timers.advance(2 * sessionTimeoutMs)
    expect((await it.describe()).members.length).toBe(1)
  })
})

describe("a log of Kafka's", () => {
  it('of before there was a hash of topics is read, and its old record removed with the next epoch', async () => {
    const it = await TestConsumers.open(temporaryDirectory())
    await it.createTopic('t', 2)
    const [{ topicId }] = it.partitionsOf(['t-0'])
    const key = { groupId: 'g' }
    const member = { ...key, memberId: 'm' }
    const has = [{ topicId, partitions: [0, 1] }]
    const records = [
      [
        writePayload(consumerGroupMemberMetadataKey, 5, member),
        writePayload(consumerGroupMemberMetadataValue, 0, {
          ...{ instanceId: null, rackId: null, clientId: 'c', clientHost: '/h', subscribedTopicNames: ['t'] },
          ...{ subscribedTopicRegex: null, rebalanceTimeoutMs: 1000, serverAssignor: null },
        }),
      ],
      [
        writePayload(consumerGroupPartitionMetadataKey, 4, key),
        writePayload(consumerGroupPartitionMetadataValue, 0, {
          topics: [{ topicId, topicName: 't', numPartitions: 2, partitionMetadata: [] }],
        }),
      ],
      [writePayload(consumerGroupMetadataKey, 3, key), writePayload(consumerGroupMetadataValue, 0, { epoch: 3 })],
      [
        writePayload(consumerGroupTargetAssignmentMemberKey, 7, member),
        writePayload(consumerGroupTargetAssignmentMemberValue, 0, { topicPartitions: has }),
      ],
      [
        writePayload(consumerGroupTargetAssignmentMetadataKey, 6, key),
        writePayload(consumerGroupTargetAssignmentMetadataValue, 0, { assignmentEpoch: 3 }),
      ],
      [
        writePayload(consumerGroupCurrentMemberAssignmentKey, 8, member),
        writePayload(consumerGroupCurrentMemberAssignmentValue, 0, {
          ...{
            memberEpoch: 3,
            previousMemberEpoch: 2,
            state: 0,
            assignedPartitions: has,
            partitionsPendingRevocation: [],
          },
        }),
      ],
    ]
    const batch = batchOf(records.map(([k, v]) => ({ key: k, value: v })))
    const partition = coordinatorPartition('g', 50)
    const how = { trusted: true, clientId: '__admin_client' }
    expect((await it.groups.it.produce('__consumer_offsets', batch, { partition }, how)).errorCode).toBe(0)
    await it.restart()
    expect(await it.describe()).toMatchObject({ groupState: 'Stable', groupEpoch: 3, assignmentEpoch: 3 })
    const a = it.consumer({ id: 'm' })
    Object.assign(a, { epoch: 3 })
    expect(await a.commit({ 't/0': 1 }, 3)).toEqual(['NONE'])
    // The topics have no hash yet, so the epoch is raised; what it has stays.
    expect(await a.beat()).toBe('NONE')
    expect(a.epoch).toBe(4)
    await it.restart()
    expect(await it.describe()).toMatchObject({ groupState: 'Stable', groupEpoch: 4, assignmentEpoch: 4 })
  })
})

describe('configs of consumer groups', () => {
  it.each([
    [{ 'group.consumer.session.timeout.ms': 10_000 }, 'group.consumer.min.session.timeout.ms'],
    [{ 'group.consumer.session.timeout.ms': 70_000 }, 'group.consumer.max.session.timeout.ms'],
    [{ 'group.consumer.heartbeat.interval.ms': 1000 }, 'group.consumer.min.heartbeat.interval.ms'],
    [{ 'group.consumer.heartbeat.interval.ms': 20_000 }, 'group.consumer.max.heartbeat.interval.ms'],
    [
      { 'group.consumer.min.session.timeout.ms': 5000, 'group.consumer.session.timeout.ms': 5000 },
      'must be less than group.consumer.session.timeout.ms',
    ],
    [{ 'group.consumer.assignors': 'sticky' }, 'uniform, range'],
    [{ 'group.consumer.assignors': '' }, 'uniform, range'],
    [{ 'group.consumer.migration.policy': 'sometimes' }, 'bidirectional, upgrade, downgrade, disabled'],
  ])('%j is refused', async (config, why) => {
    await expect(Broker.open('memory:', { config })).rejects.toMatchObject({
      code: 'INVALID_CONFIG',
      message: expect.stringContaining(why),
    })
  })

  it('say how long a member may be silent and how often it is to be heard of', async () => {
    const config = {
      'group.consumer.min.session.timeout.ms': 1000,
      'group.consumer.session.timeout.ms': 2000,
      'group.consumer.min.heartbeat.interval.ms': 100,
      'group.consumer.heartbeat.interval.ms': 500,
      'group.consumer.migration.policy': 'BIDIRECTIONAL',
    }
    const it = await TestConsumers.open('memory:', { config })
    await it.createTopic('t', 1)
    const a = it.consumer()
    expect(await a.send(a.request())).toMatchObject({ heartbeatIntervalMs: 500 })
    await it.timers.advance(1999)
    expect((await it.describe()).members.length).toBe(1)
    await it.timers.advance(1)
    expect((await it.describe()).members.length).toBe(0)
    expect(await it.groups.it.ask(apiKey.apiVersions, {}, { apiVersion: 0 })).toMatchObject({ errorCode: 0 })
  })
})
