import { expect, test } from 'vitest'
import type { AdminAnswer } from '../clients/foreign-client.js'
import type { ClientBench } from './client-suite.js'
import { GroupWatch } from './group-watch.js'
import { newTopic } from './topics.js'

/** Calls that not every client has. */
export type OptionalCall =
  | 'deleteGroupOffsets'
  | 'electLeaders'
  | 'logDirs'
  | 'listReassignments'
  | 'maxTimestamp'
  | 'quotas'
  | 'quorum'
  | 'producers'

interface Place {
  partition: number
  offset: number | string
}

/** An error says what it is in the client's own way: `TOPIC_ALREADY_EXISTS`, `TopicExistsException`, or words. */
function expectError(answer: AdminAnswer, says: RegExp): void {
  expect('error' in answer ? answer.error : `no error but ${JSON.stringify(answer.ok)}`).toMatch(says)
}

function ok<T>(answer: AdminAnswer): T {
  if ('error' in answer) throw new Error(answer.error)
  return answer.ok as T
}

const sorted = (places: readonly Place[]) =>
  places.map(({ partition, offset }) => [partition, Number(offset)]).sort(([a = 0], [b = 0]) => a - b)

/** Topics, configs, records, groups, offsets and the cluster, by the client's admin API. */
export function adminTests(bench: () => ClientBench, has: readonly OptionalCall[]): void {
  const ask = (what: string, args: object = {}) => bench().client.admin(bench().broker.bootstrap, what, args)
  /** Kafka answers before each of its parts knows; asks again for a while. */
  const eventually = (check: () => Promise<void>) =>
    expect.poll(() => check().then(() => 'yes', String), poll).toBe('yes')
  const poll = { timeout: 15_000, interval: 200 }

  test('admin: topics are made, described, grown and deleted', async () => {
    const topic = newTopic('made')
    ok(await ask('createTopic', { topic, partitions: 3, configs: { 'retention.ms': '3600000' } }))
    await eventually(async () => expect(JSON.stringify(ok(await ask('listTopics')))).toContain(topic))
    expectError(await ask('createTopic', { topic, partitions: 3 }), /exist/i)
    expectError(await ask('createTopic', { topic: '../x', partitions: 1 }), /invalid|illegal|TOPIC_EXCEPTION/i)
    expectError(await ask('createTopic', { topic: newTopic('many'), partitions: 1, replicas: 3 }), /replica/i)
    const wrong = { topic: newTopic('wrong'), partitions: 1, configs: { 'retention.ms': 'soon' } }
    expectError(await ask('createTopic', wrong), /config/i)
    const count = async () => JSON.stringify(ok(await ask('describeTopic', { topic }))).match(/"leader(Id)?":/g)?.length
    await eventually(async () => expect(await count()).toBe(3))
    ok(await ask('createPartitions', { topic, count: 5 }))
    await eventually(async () => expect(await count()).toBe(5))
    expectError(await ask('createPartitions', { topic, count: 2 }), /partitions/i)
    ok(await ask('deleteTopic', { topic }))
    await eventually(async () => expect(JSON.stringify(ok(await ask('listTopics')))).not.toContain(topic))
    expectError(await ask('deleteTopic', { topic }), /unknown.?topic|does not host/i)
  })

  test('admin: configs are described with their defaults, and altered', async () => {
    const { createTopic } = bench()
    const topic = await createTopic('configs', 1, { 'max.message.bytes': '500000' })
    const described = ok<Record<string, string>>(await ask('describeConfig', { topic }))
    expect(described).toMatchObject({ 'max.message.bytes': '500000', 'cleanup.policy': 'delete' })
    expect(Object.keys(described).length).toBeGreaterThan(20)
    ok(await ask('alterConfig', { topic, configs: { 'retention.ms': '123456', 'max.message.bytes': '500001' } }))
    await eventually(async () =>
      expect(ok(await ask('describeConfig', { topic }))).toMatchObject({
        'retention.ms': '123456',
        'max.message.bytes': '500001',
      }),
    )
    expectError(await ask('alterConfig', { topic, configs: { 'retention.ms': 'never' } }), /config/i)
    const { broker } = bench()
    const id = Number(
      /"(?:brokers|nodeId)":\[?\{?(?:"nodeId":)?(\d+)/.exec(JSON.stringify(ok(await ask('describeCluster'))))?.[1],
    )
    expect(id, broker.name).toBeGreaterThan(0)
    const ofBroker = ok<Record<string, string>>(await ask('describeBrokerConfig', { broker: id }))
    expect(Object.keys(ofBroker)).toEqual(expect.arrayContaining(['log.retention.ms', 'message.max.bytes']))
  })

  test('admin: offsets by time, and records deleted before an offset', async () => {
    const { broker, client, createTopic } = bench()
    const topic = await createTopic('offsets', 2)
    const start = 1_700_000_000_000
    const records = Array.from({ length: 100 }, (_, i) => ({
      partition: i % 2,
      key: `${i}`,
      value: `${i}`,
      timestamp: start + i * 1000,
    }))
    await client.produce({ bootstrap: broker.bootstrap, topic, records })
    const asked = { topic, partitions: 2 }
    expect(sorted(ok(await ask('offsets', asked)))).toEqual([
      [0, 50],
      [1, 50],
    ])
    const byTime = await ask('offsetsByTime', { ...asked, timestamp: start + 20_500 })
    expect(sorted(ok(byTime))).toEqual([
      [0, 11],
      [1, 10],
    ])
    if (has.includes('maxTimestamp'))
      expect(sorted(ok(await ask('maxTimestamp', asked)))).toEqual([
        [0, 49],
        [1, 49],
      ])
    ok(await ask('deleteRecords', { topic, partition: 0, offset: 30 }))
    const left = await client.consume({
      bootstrap: broker.bootstrap,
      topic,
      partitions: 2,
      count: 70,
      from: 'earliest',
    })
    expect(left.filter(({ partition }) => partition === 0).map(({ offset }) => offset)[0]).toBe(30)
    expect(left.length).toBe(70)
    expectError(await ask('deleteRecords', { topic, partition: 0, offset: 1000 }), /range|deleting records/i)
  })

  test('admin: groups are listed, described, moved and deleted', async () => {
    const { broker, client, createTopic } = bench()
    const topic = await createTopic('administered', 2)
    const records = Array.from({ length: 60 }, (_, i) => ({ partition: i % 2, key: `${i}`, value: `${i}` }))
    await client.produce({ bootstrap: broker.bootstrap, topic, records })
    const group = `group-of-${topic}`
    const job = { bootstrap: broker.bootstrap, group, topics: [topic], assignor: client.assignors[0] ?? 'range' }
    const watch = new GroupWatch(client, job, broker)
    try {
      const host = await watch.host()
      await watch.join(host, 'first')
      await watch.until('all records', () => [...watch.committed.values()].join() === '30,30')
      expect(JSON.stringify(ok(await ask('listGroups')))).toContain(group)
      const described = JSON.stringify(ok(await ask('describeGroup', { group })))
      expect(described).toMatch(/"state":"stable"/i)
      expect(described.match(/"memberId":/g)?.length).toBe(1)
      expect(sorted(ok(await ask('groupOffsets', { group, topic })))).toEqual([
        [0, 30],
        [1, 30],
      ])
      expectError(
        await ask('deleteGroup', { group }),
        /not.?empty|non.?empty|in use|DeleteGroups|KafkaJSDeleteGroupsError|delet/i,
      )
      await watch.leave('first')
      await eventually(async () => {
        expect(JSON.stringify(ok(await ask('describeGroup', { group })))).toMatch(/"state":"empty"/i)
      })
      const offsets = [
        { partition: 0, offset: 10 },
        { partition: 1, offset: 20 },
      ]
      ok(await ask('setGroupOffsets', { group, topic, offsets }))
      expect(sorted(ok(await ask('groupOffsets', { group, topic })))).toEqual([
        [0, 10],
        [1, 20],
      ])
      const before = watch.delivered.length
      await watch.join(host, 'second')
      await watch.until('the records behind the offsets set', () => watch.delivered.length === before + 30)
      await watch.leave('second')
      await eventually(async () => {
        expect(JSON.stringify(ok(await ask('describeGroup', { group })))).toMatch(/"state":"empty"/i)
      })
      if (has.includes('deleteGroupOffsets')) {
        ok(await ask('deleteGroupOffsets', { group, topic, partition: 1, partitions: [1] }))
        expect(
          sorted(ok(await ask('groupOffsets', { group, topic }))).filter(([, offset = -1]) => offset >= 0),
        ).toEqual([[0, 30]])
      }
      ok(await ask('deleteGroup', { group }))
      await eventually(async () => expect(JSON.stringify(ok(await ask('listGroups')))).not.toContain(group))
    } finally {
      await watch.close()
    }
  })

  test('admin: the cluster is one node without security', async () => {
    const { createTopic } = bench()
    const topic = await createTopic('cluster', 1)
    expect(JSON.stringify(ok(await ask('describeCluster')))).toMatch(/"controller(Id)?":[1-9]/)
    // librdkafka keeps this error to itself, with Apache Kafka as well.
    if (client().name.startsWith('confluent')) expect(ok(await ask('describeAcls', { topic }))).toEqual([])
    else expectError(await ask('describeAcls', { topic }), /SECURITY_DISABLED|SecurityDisabled|No Authorizer/i)
    expectError(await ask('createAcls', { topic }), /SECURITY_DISABLED|SecurityDisabled|No Authorizer/i)
    if (has.includes('electLeaders')) {
      expect(JSON.stringify(ok(await ask('electLeaders', { topic, partition: 0 })))).toMatch(/NOT_NEEDED|NotNeeded/)
    }
    if (has.includes('logDirs')) {
      expect(JSON.stringify(ok(await ask('logDirs', { topic, partitions: 1 })))).toContain(topic)
    }
    if (has.includes('listReassignments')) {
      expect(JSON.stringify(ok(await ask('listReassignments')))).not.toContain(topic)
    }
    if (has.includes('quotas')) expect(ok(await ask('quotas'))).toEqual(client().name.startsWith('Java') ? 0 : [])
    if (has.includes('quorum')) expect(ok<{ voters: number[] }>(await ask('quorum')).voters.length).toBe(1)
    if (has.includes('producers')) {
      const { broker } = bench()
      const records = [{ partition: 0, key: 'a', value: 'b' }]
      await client().produce({ bootstrap: broker.bootstrap, topic, records, idempotent: true })
      expect(ok<{ lastSequence: number }[]>(await ask('producers', { topic, partition: 0 }))).toMatchObject([
        { lastSequence: 0 },
      ])
    }
  })

  const client = () => bench().client
}
