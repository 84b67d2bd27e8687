import { readFileSync } from 'node:fs'
import { mkdir, readdir, rm, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { setImmediate as turn } from 'node:timers/promises'
import { describe, expect, it } from 'vitest'
import { openEngine } from '../../ts/native/open-engine.js'
import { apiKey } from '../../ts/protocol/apis.js'
import { causeOf } from '../../ts/protocol/cause.js'
import { type ProtocolErrorName, protocolErrors } from '../../ts/protocol/errors.js'
import { zeroUuid } from '../../ts/protocol/uuid.js'
import { batchOf, LogLines, TestBroker, temporaryDirectory, valuesOf } from './harness.js'

const code = (name: ProtocolErrorName) => protocolErrors[name].code
const partitionFolders = async (path: string) => (await readdir(path)).filter((name) => /-\d+$/.test(name)).sort()

describe('creating topics', () => {
  it('writes seglog.json before any folder, and folders when first used', async () => {
    const path = temporaryDirectory()
    const test = await TestBroker.open(path)
    const created = await test.createTopic('orders', 3, { 'retention.ms': '1000' })
    expect(created).toMatchObject({ errorCode: 0, numPartitions: 3, replicationFactor: 1 })
    expect(created.configs).toContainEqual(
      expect.objectContaining({ name: 'retention.ms', value: '1000', configSource: 1 }),
    )
    expect(await partitionFolders(path)).toEqual([])
    const [topic] = JSON.parse(readFileSync(join(path, 'seglog.json'), 'utf8')).topics
    expect(topic).toEqual({ name: 'orders', id: created.topicId, partitions: 3, configs: { 'retention.ms': '1000' } })
    await test.produce('orders', batchOf(['x']), { partition: 2 })
    expect(await partitionFolders(path)).toEqual(['orders-2'])
  })

  const badNames: [string, RegExp][] = [
    ['', /empty/],
    ['.', /"\."/],
    ['..', /"\.\."/],
    ['x'.repeat(300), /249.*300/],
    ['a b', /" " at position 1/],
    ['häuser', /"ä"/],
    ['a/b', /"\/"/],
  ]
  for (const [name, words] of badNames) {
    it(`refuses the name ${JSON.stringify(name.slice(0, 10))}`, async () => {
      const test = await TestBroker.open(temporaryDirectory())
      const result = await test.createTopic(name)
      expect(result.errorCode).toBe(code('INVALID_TOPIC_EXCEPTION'))
      expect(result.errorMessage).toMatch(words)
      expect(causeOf(result)?.code).toBe('INVALID_TOPIC_EXCEPTION')
    })
  }

  it('takes the longest name', async () => {
    const test = await TestBroker.open(temporaryDirectory())
    const name = 'n'.repeat(249)
    expect((await test.createTopic(name)).errorCode).toBe(0)
    expect((await test.produce(name, batchOf(['x']))).errorCode).toBe(0)
  })

  it('refuses what exists, what collides, and what a request names twice', async () => {
    const test = await TestBroker.open(temporaryDirectory())
    await test.createTopic('a.b')
    expect((await test.createTopic('a.b')).errorCode).toBe(code('TOPIC_ALREADY_EXISTS'))
    expect(await test.createTopic('a_b')).toMatchObject({
      errorCode: code('INVALID_TOPIC_EXCEPTION'),
      errorMessage: expect.stringContaining('a.b'),
    })
    const both = await Promise.all([
      test.createTopic('c.d'),
      test.createTopic('c_d'),
      test.createTopic('e'),
      test.createTopic('e'),
    ])
    expect(both.map(({ errorCode }) => errorCode)).toEqual([
      0,
      code('INVALID_TOPIC_EXCEPTION'),
      0,
      code('TOPIC_ALREADY_EXISTS'),
    ])
    const topic = { name: 'twice', numPartitions: 1, replicationFactor: -1, assignments: [], configs: [] }
    const response = await test.ask(apiKey.createTopics, { topics: [topic, topic] })
    expect(response.topics.map(({ errorCode }) => errorCode)).toEqual([
      code('INVALID_REQUEST'),
      code('INVALID_REQUEST'),
    ])
  })

  it('checks partitions, replication factor and assignments', async () => {
    const test = await TestBroker.open(temporaryDirectory(), { config: { 'num.partitions': 5 } })
    const create = async (changes: object) => {
      const base = { name: 't', numPartitions: 1, replicationFactor: -1, assignments: [], configs: [] }
      return (await test.ask(apiKey.createTopics, { topics: [{ ...base, ...changes }], validateOnly: true })).topics[0]
    }
    const assigned = (partitionIndex: number, ...brokerIds: number[]) => ({ partitionIndex, brokerIds })
    expect(await create({ numPartitions: -1 })).toMatchObject({ errorCode: 0, numPartitions: 5, topicId: zeroUuid })
    for (const numPartitions of [0, -2])
      expect((await create({ numPartitions })).errorCode).toBe(code('INVALID_PARTITIONS'))
    for (const replicationFactor of [0, 2, -3]) {
      expect((await create({ replicationFactor })).errorCode).toBe(code('INVALID_REPLICATION_FACTOR'))
    }
    const byHand = (...assignments: object[]) => create({ numPartitions: -1, assignments })
    expect(await byHand(assigned(1, 1), assigned(0, 1))).toMatchObject({ errorCode: 0, numPartitions: 2 })
    expect((await byHand(assigned(0, 2))).errorCode).toBe(code('INVALID_REPLICA_ASSIGNMENT'))
    expect((await byHand(assigned(1, 1))).errorCode).toBe(code('INVALID_REPLICA_ASSIGNMENT'))
    expect((await create({ assignments: [assigned(0, 1)] })).errorCode).toBe(code('INVALID_REQUEST'))
    expect((await test.describeTopic('t')).errorCode).toBe(code('UNKNOWN_TOPIC_OR_PARTITION'))
  })

  it('shares writes between a thousand creations', async () => {
    const test = await TestBroker.open(temporaryDirectory())
    const engine = openEngine()
    engine.injectFaults({ failNth: 1_000_000_000, kinds: ['rename'] })
    const results = await Promise.all(Array.from({ length: 1000 }, (_, i) => test.createTopic(`topic-${i}`)))
    const renames = engine.ioCalls()
    engine.injectFaults(null)
    expect(results.filter(({ errorCode }) => errorCode !== 0)).toEqual([])
    expect(renames).toBeLessThan(10)
    expect((await test.ask(apiKey.metadata, { topics: null })).topics).toHaveLength(1000)
  })

  it('is created by asking for it, where request and broker allow it', async () => {
    const path = temporaryDirectory()
    const test = await TestBroker.open(path, { config: { 'num.partitions': 2 } })
    const ask = (name: string, allowAutoTopicCreation: boolean) =>
      test.ask(apiKey.metadata, { topics: [{ name, topicId: zeroUuid }], allowAutoTopicCreation })
    expect((await ask('auto', false)).topics[0].errorCode).toBe(code('UNKNOWN_TOPIC_OR_PARTITION'))
    const [one, two] = await Promise.all([ask('auto', true), ask('auto', true)])
    expect(one.topics[0]).toMatchObject({ errorCode: 0, name: 'auto', isInternal: false })
    expect(one.topics[0].partitions).toHaveLength(2)
    expect(two.topics[0].topicId).toBe(one.topics[0].topicId)
    expect((await ask('not ok', true)).topics[0].errorCode).toBe(code('INVALID_TOPIC_EXCEPTION'))
    await test.broker.close()
    const strict = await TestBroker.open(path, { config: { 'auto.create.topics.enable': false } })
    const [refused] = (await strict.ask(apiKey.metadata, { topics: [{ name: 'other', topicId: zeroUuid }] })).topics
    expect(refused.errorCode).toBe(code('UNKNOWN_TOPIC_OR_PARTITION'))
  })
})

describe('one request', () => {
  const topics = (count: number, numPartitions: number, configs: { name: string; value: string }[] = []) =>
    Array.from({ length: count }, (_, i) => ({
      ...{ name: `t${i}`, numPartitions, replicationFactor: 1, assignments: [], configs },
    }))

  it('makes at most 10,000 topics, partitions and configs, or none, as in Kafka', async () => {
    const test = await TestBroker.open('memory:', { config: { 'num.partitions': 5001 } })
    const create = async (asked: ReturnType<typeof topics>, validateOnly = false) => {
      const answer = await test.ask(apiKey.createTopics, { topics: asked, validateOnly })
      return [...new Set(answer.topics.map(({ errorCode }) => errorCode))]
    }
    const tooMany = [code('POLICY_VIOLATION')]
    expect(await create(topics(1, 10_001))).toEqual(tooMany)
    expect(await create(topics(1, 2_000_000_000))).toEqual(tooMany)
    expect(await create(topics(2, -1), true)).toEqual(tooMany)
    // Those that are wrong by themselves count as partitions, not as records.
    expect(await create([...topics(1, 9999), ...topics(1, 2)])).toEqual(tooMany)
    // The topic itself is one.
    expect(await create(topics(1, 10_000))).toEqual(tooMany)
    expect(await create(topics(1, 9999, [{ name: 'retention.ms', value: '1' }]))).toEqual(tooMany)
    expect(await create(topics(5000, 1))).toEqual([0])
    expect(await create([...topics(1, 4000), ...topics(5001, 1).slice(5000)])).toEqual([
      code('TOPIC_ALREADY_EXISTS'),
      0,
    ])
  })

  it('adds at most 10,000 partitions, or none, as in Kafka', async () => {
    const test = await TestBroker.open('memory:')
    await test.createTopic('a')
    await test.createTopic('b')
    const grow = async (...counts: number[]) => {
      const asked = counts.map((count, i) => ({ name: ['a', 'b'][i], count, assignments: null }))
      const answer = await test.ask(apiKey.createPartitions, { topics: asked })
      return answer.results.map(({ errorCode }) => errorCode)
    }
    const tooMany = code('POLICY_VIOLATION')
    expect(await grow(10_002)).toEqual([tooMany])
    expect(await grow(6001, 4002)).toEqual([tooMany, tooMany])
    expect((await test.describeTopic('a')).partitions).toHaveLength(1)
    expect(await grow(6001, 4001)).toEqual([0, 0])
    expect((await test.describeTopic('a')).partitions).toHaveLength(6001)
  })

  it('for the metadata of unknown topics makes as few', async () => {
    const test = await TestBroker.open('memory:', { config: { 'num.partitions': 4000 } })
    const ask = async (...names: string[]) => {
      const asked = names.map((name) => ({ name, topicId: zeroUuid }))
      const answer = await test.ask(apiKey.metadata, { topics: asked, allowAutoTopicCreation: true })
      return answer.topics.map(({ errorCode }) => errorCode)
    }
    expect(await ask('a', 'b', 'c')).toEqual([3, 3, 3])
    expect(await ask('a', 'b')).toEqual([0, 0])
    expect(await ask('a', 'b', 'c')).toEqual([0, 0, 0])
  })
})

describe('partitions', () => {
  it('are added, never taken away', async () => {
    const test = await TestBroker.open(temporaryDirectory())
    await test.createTopic('t', 2)
    const grow = async (count: number, assignments: { brokerIds: number[] }[] | null = null) =>
      (await test.ask(apiKey.createPartitions, { topics: [{ name: 't', count, assignments }] })).results[0]
    for (const count of [2, 1, -1]) expect((await grow(count)).errorCode).toBe(code('INVALID_PARTITIONS'))
    expect((await grow(3, [{ brokerIds: [9] }])).errorCode).toBe(code('INVALID_REPLICA_ASSIGNMENT'))
    expect((await test.produce('t', batchOf(['x']), { partition: 2 })).errorCode).toBe(
      code('UNKNOWN_TOPIC_OR_PARTITION'),
    )
    expect((await grow(3)).errorCode).toBe(0)
    expect((await test.produce('t', batchOf(['x']), { partition: 2 })).errorCode).toBe(0)
    expect((await test.describeTopic('t')).partitions).toHaveLength(3)
  })
})

describe('deleting topics', () => {
  it('takes their data away, wakes their readers, and lets the name be used again', async () => {
    const path = temporaryDirectory()
    const test = await TestBroker.open(path)
    const { topicId } = await test.createTopic('t', 2)
    await test.produce('t', batchOf(['old']))
    const waiting = test.fetch('t', 1, { maxWaitMs: 60_000 })
    const response = await test.ask(apiKey.deleteTopics, { topics: [{ name: 't', topicId: zeroUuid }] })
    expect(response.responses).toEqual([{ name: 't', topicId, errorCode: 0, errorMessage: null }])
    expect((await waiting).errorCode).toBe(code('UNKNOWN_TOPIC_OR_PARTITION'))
    expect(await partitionFolders(path)).toEqual([])
    expect((await test.fetch('', 0, { topicId })).errorCode).toBe(code('UNKNOWN_TOPIC_ID'))

    const again = await test.createTopic('t')
    expect(again.topicId).not.toBe(topicId)
    expect(valuesOf((await test.fetch('t', 0)).records)).toEqual([])
    expect(await test.produce('t', batchOf(['new']))).toMatchObject({ baseOffset: 0n })
    await test.broker.close()
    const reopened = await TestBroker.open(path)
    expect(valuesOf((await reopened.fetch('t', 0)).records)).toEqual(['new'])
    expect(JSON.parse(readFileSync(join(path, 'seglog.json'), 'utf8')).deleting).toEqual([])
  })

  it('creates the name again right behind the deletion', async () => {
    const test = await TestBroker.open(temporaryDirectory())
    await test.createTopic('t', 20)
    for (let partition = 0; partition < 20; partition++) await test.produce('t', batchOf(['old']), { partition })
    const deleted = test.ask(apiKey.deleteTopics, { topicNames: ['t'] }, { apiVersion: 5 })
    let created = await test.createTopic('t', 20)
    while (created.errorCode === code('TOPIC_ALREADY_EXISTS')) {
      await turn()
      created = await test.createTopic('t', 20)
    }
    for (let partition = 0; partition < 20; partition++) {
      expect(await test.produce('t', batchOf(['new']), { partition })).toMatchObject({ errorCode: 0, baseOffset: 0n })
    }
    expect((await deleted).responses[0].errorCode).toBe(0)
  })

  it('is finished at the next open where a crash interrupted it', async () => {
    const path = temporaryDirectory()
    const first = await TestBroker.open(path)
    await first.createTopic('gone')
    await first.createTopic('stays')
    for (const topic of ['gone', 'stays']) await first.produce(topic, batchOf(['x']))
    await first.broker.close()
    const file = join(path, 'seglog.json')
    const state = JSON.parse(readFileSync(file, 'utf8'))
    const gone = state.topics.findIndex((topic: { name: string }) => topic.name === 'gone')
    state.deleting = state.topics.splice(gone, 1)
    await writeFile(file, JSON.stringify(state))

    const second = await TestBroker.open(path)
    expect((await second.describeTopic('gone')).errorCode).toBe(code('UNKNOWN_TOPIC_OR_PARTITION'))
    expect(await partitionFolders(path)).toEqual(['stays-0'])
  })

  it('can be forbidden, and says what does not exist', async () => {
    const test = await TestBroker.open(temporaryDirectory(), { config: { 'delete.topic.enable': false } })
    await test.createTopic('t')
    const forbidden = await test.ask(apiKey.deleteTopics, { topics: [{ name: 't', topicId: zeroUuid }] })
    expect(forbidden.responses[0].errorCode).toBe(code('TOPIC_DELETION_DISABLED'))
    const other = await TestBroker.open(temporaryDirectory())
    const missing = await other.ask(apiKey.deleteTopics, { topics: [{ name: 't', topicId: zeroUuid }] })
    expect(missing.responses[0].errorCode).toBe(code('UNKNOWN_TOPIC_OR_PARTITION'))
  })
})

describe('folders without an entry', () => {
  it('are adopted with their id, and nothing is deleted from them', async () => {
    const path = temporaryDirectory()
    const first = await TestBroker.open(path)
    const { topicId } = await first.createTopic('orders', 3)
    await first.produce('orders', batchOf(['x']), { partition: 1 })
    const { producerId } = await first.ask(apiKey.initProducerId, { transactionalId: null })
    await first.broker.close()
    await rm(join(path, 'seglog.json'))
    await mkdir(join(path, '__cluster_metadata-0'))
    await mkdir(join(path, 'orders-0.0123456789abcdef0123456789abcdef-stray'))

    const logger = new LogLines()
    const second = await TestBroker.open(path, { logger })
    const { topics } = await second.ask(apiKey.metadata, { topics: null })
    expect(topics).toHaveLength(1)
    expect(topics[0]).toMatchObject({ name: 'orders', topicId })
    expect(topics[0].partitions).toHaveLength(2)
    expect(valuesOf((await second.fetch('orders', 0, { partition: 1 })).records)).toEqual(['x'])
    expect(logger.lines).toContainEqual(expect.objectContaining({ level: 'warn', fields: { topics: ['orders'] } }))
    const described = await second.ask(apiKey.describeConfigs, {
      resources: [{ resourceType: 2, resourceName: 'orders', configurationKeys: ['cleanup.policy'] }],
    })
    expect(described.results[0].configs[0]).toMatchObject({ value: '', configSource: 1 })
    const next = await second.ask(apiKey.initProducerId, { transactionalId: null })
    expect(next.producerId).toBeGreaterThan(producerId + 1000n)
    await second.broker.close()
    expect(await readdir(path)).toContain('orders-0.0123456789abcdef0123456789abcdef-stray')
  })
})

describe('a broken seglog.json', () => {
  for (const [what, text, words] of [
    ['no JSON', '{', /JSON/],
    ['another version', '{"version":2}', /version is 2/],
    ['a topic without id', '{"version":1,"nextProducerId":0,"deleting":[],"topics":[{"name":"t"}]}', /no valid id/],
  ] as const) {
    it(`is refused: ${what}`, async () => {
      const path = temporaryDirectory()
      await writeFile(join(path, 'seglog.json'), text)
      await expect(TestBroker.open(path)).rejects.toMatchObject({
        code: 'CORRUPT_METADATA',
        message: expect.stringMatching(words),
      })
      await writeFile(join(path, 'seglog.json'), '{"version":1,"nextProducerId":0,"topics":[],"deleting":[]}')
      await TestBroker.open(path)
    })
  }
})

describe('producer ids', () => {
  it('are never given twice, across restarts and at the same time', async () => {
    const path = temporaryDirectory()
    const seen = new Set<bigint>()
    for (let round = 0; round < 3; round++) {
      const test = await TestBroker.open(path)
      const asked = Array.from({ length: 1100 }, () => test.ask(apiKey.initProducerId, { transactionalId: null }))
      for (const { producerId, producerEpoch } of await Promise.all(asked)) {
        expect(producerEpoch).toBe(0)
        seen.add(producerId)
      }
      await test.broker.close()
    }
    expect(seen.size).toBe(3300)
  })

  it('say that transactions are not there', async () => {
    const test = await TestBroker.open(temporaryDirectory())
    const answer = await test.ask(apiKey.initProducerId, { transactionalId: 'tx' })
    expect(answer).toMatchObject({ errorCode: code('UNSUPPORTED_VERSION'), producerId: -1n })
  })
})
