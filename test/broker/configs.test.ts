import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import { BrokerConfig } from '../../ts/broker/broker-config.js'
import { brokerConfigs } from '../../ts/broker/broker-config-table.js'
import { nearest } from '../../ts/broker/config-def.js'
import { TopicConfig } from '../../ts/broker/topic-config.js'
import { topicConfigs } from '../../ts/broker/topic-config-table.js'
import { defaultLogConfig } from '../../ts/log/log-config.js'
import { apiKey } from '../../ts/protocol/apis.js'
import { causeOf } from '../../ts/protocol/cause.js'
import { type ProtocolErrorName, protocolErrors } from '../../ts/protocol/errors.js'
import { configType } from '../../ts/protocol/messages/32-describe-configs.js'
import { LogLines, TestBroker, temporaryDirectory } from './harness.js'

const code = (name: ProtocolErrorName) => protocolErrors[name].code

describe('the topic config table', () => {
  /** Name, type and default, printed from LogConfig of kafka-storage 4.3.0. */
  const kafka = readFileSync(join(__dirname, 'fixtures/kafka-4.3-topic-configs.txt'), 'utf8')
  const types = { 1: 'BOOLEAN', 2: 'STRING', 3: 'INT', 5: 'LONG', 6: 'DOUBLE', 7: 'LIST' } as Record<number, string>

  it("has Kafka's keys, types and defaults, and write.caching", () => {
    const ours = Object.entries(topicConfigs)
      .filter(([key]) => key !== 'write.caching' && key !== 'internal.segment.bytes')
      .map(([key, def]) => `${key} ${types[def.type]} ${def.default}`)
    expect(ours.sort()).toEqual(kafka.trimEnd().split('\n'))
    expect(topicConfigs['write.caching'].default).toBe('false')
  })

  it('accepts its own defaults', () => {
    for (const [key, def] of Object.entries({ ...topicConfigs, ...brokerConfigs })) {
      if (key === 'internal.segment.bytes' || def.default === null) continue
      expect([key, def.accepts(def.default)]).toEqual([key, true])
    }
  })

  it('gives a log the defaults it has by itself', () => {
    expect(new TopicConfig({}, new BrokerConfig()).log).toEqual(defaultLogConfig)
  })
})

describe('the broker config table', () => {
  /** Name, type, default and update mode, printed from AbstractKafkaConfig of kafka-server 4.3.1. */
  const kafka = readFileSync(join(__dirname, 'fixtures/kafka-4.3-broker-configs.txt'), 'utf8')
  const typeName = (type: number) => Object.keys(configType).find((name) => configType[name as 'int'] === type)

  it("has Kafka's keys, types, defaults and update modes, but for these", () => {
    const line = (key: string) => {
      const { type, default: value, update } = brokerConfigs[key]
      return `${key} ${typeName(type)?.toUpperCase()} ${value ?? 'null'} ${update}`
    }
    const theirs = new Map(
      kafka
        .trimEnd()
        .split('\n')
        .map((text) => [text.slice(0, text.indexOf(' ')), text]),
    )
    const ours = Object.keys(brokerConfigs)
    expect([...theirs.keys()].filter((key) => !ours.includes(key))).toEqual([])
    expect(ours.filter((key) => !theirs.has(key))).toEqual([
      'follower.replication.throttled.rate',
      'leader.replication.throttled.rate',
      'replica.alter.log.dirs.io.max.bytes.per.second',
      'log.write.caching',
      'seglog.journal.max.bytes',
      'seglog.request.receive.timeout.ms',
      'seglog.transfer',
    ])
    expect([...theirs].filter(([key, text]) => line(key) !== text).map(([key]) => line(key))).toEqual([
      'controller.listener.names LIST  read-only',
      'group.initial.rebalance.delay.ms INT 0 read-only',
      'log.dir LIST null read-only',
      'max.connections INT 20000 cluster-wide',
      'node.id INT 1 read-only',
      'process.roles LIST broker,controller read-only',
      'queued.max.request.bytes LONG 268435456 read-only',
    ])
  })

  it('agrees with the topic table on defaults, whatever their units', () => {
    const config = new TopicConfig({}, new BrokerConfig())
    for (const [key, { default: value, synonyms }] of Object.entries(topicConfigs)) {
      const [first] = config.values(key)
      if (first === undefined) continue
      const { factor } = synonyms.find((synonym) => synonym.key === first.key)!
      expect([key, factor === 1 ? first.value : String(Number(first.value) * factor)]).toEqual([key, value])
    }
  })

  it('takes keys for one listener', () => {
    const config = { 'listener.name.internal.ssl.key.password': 'x', 'listener.name.a.plain.sasl.jaas.config': 'y' }
    expect(new BrokerConfig(config).isSet('listener.name.internal.ssl.key.password')).toBe(true)
    expect(() => new BrokerConfig({ 'listener.name.internal.nothing': 'x' })).toThrow(/no config of the broker/)
  })
})

describe('values', () => {
  const refused: [string, string | null][] = [
    ['segment.bytes', '1048575'],
    ['segment.bytes', '2147483648'],
    ['segment.bytes', '1e9'],
    ['retention.ms', '-2'],
    ['retention.ms', ''],
    ['retention.ms', null],
    ['retention.bytes', '9223372036854775808'],
    ['cleanup.policy', 'delete,squash'],
    ['message.timestamp.type', 'createtime'],
    ['min.cleanable.dirty.ratio', '1.5'],
    ['write.caching', 'yes'],
    ['compression.gzip.level', '0'],
  ]
  for (const [key, value] of refused) {
    it(`refuses ${key}=${value}`, async () => {
      const test = await TestBroker.open('memory:')
      const topic = {
        name: 't',
        numPartitions: 1,
        replicationFactor: 1,
        assignments: [],
        configs: [{ name: key, value }],
      }
      const [result] = (await test.ask(apiKey.createTopics, { topics: [topic] })).topics
      expect(result.errorCode).toBe(code('INVALID_CONFIG'))
      expect(causeOf(result)).toMatchObject({
        code: 'INVALID_CONFIG',
        key,
        message: expect.stringMatching(/must be .*, got/),
      })
    })
  }

  it('takes limits, lists with spaces, and TRUE', async () => {
    const test = await TestBroker.open('memory:')
    const configs = { 'retention.ms': '9223372036854775807', 'cleanup.policy': 'delete, compact', preallocate: 'TRUE' }
    expect((await test.createTopic('t', 1, configs)).errorCode).toBe(0)
  })

  it('names the nearest key for one that does not exist', async () => {
    const test = await TestBroker.open('memory:')
    const result = await test.createTopic('t', 1, { 'retension.ms': '5' })
    expect(result.errorCode).toBe(code('INVALID_CONFIG'))
    expect(causeOf(result)).toMatchObject({ code: 'UNKNOWN_CONFIG', key: 'retension.ms' })
    expect(result.errorMessage).toContain('did you mean retention.ms?')
    expect(nearest(Object.keys(topicConfigs), 'cleanup_policy')).toBe('cleanup.policy')
    expect(nearest(Object.keys(topicConfigs), 'something else')).toBeNull()
  })

  it('says once that a key has no effect yet', async () => {
    const logger = new LogLines()
    const test = await TestBroker.open('memory:', { logger })
    for (const name of ['a', 'b']) expect((await test.createTopic(name, 1, { 'flush.ms': '5' })).errorCode).toBe(0)
    expect(logger.lines.filter(({ fields }) => 'key' in fields && fields.key === 'flush.ms')).toHaveLength(1)
  })

  it('of the broker are checked at open', async () => {
    await expect(TestBroker.open('memory:', { config: { 'num.partition': 2 } })).rejects.toMatchObject({
      code: 'UNKNOWN_CONFIG',
      message: expect.stringContaining('did you mean num.partitions?'),
    })
    await expect(TestBroker.open('memory:', { config: { 'num.partitions': 0 } })).rejects.toMatchObject({
      code: 'INVALID_CONFIG',
    })
  })
})

describe('describing and altering', () => {
  const topicResource = { resourceType: 2, resourceName: 't' }

  async function describe(test: TestBroker, key: string) {
    const request = {
      resources: [{ ...topicResource, configurationKeys: [key] }],
      includeSynonyms: true,
      includeDocumentation: true,
    }
    return (await test.ask(apiKey.describeConfigs, request)).results[0].configs[0]
  }

  it('shows every key with its source and synonyms', async () => {
    const test = await TestBroker.open(temporaryDirectory(), {
      config: { 'log.retention.hours': 2, 'log.roll.ms': 7000 },
    })
    await test.createTopic('t', 1, { 'segment.ms': '5000' })
    const all = (await test.ask(apiKey.describeConfigs, { resources: [{ ...topicResource, configurationKeys: null }] }))
      .results[0]
    expect(all.errorCode).toBe(0)
    expect(all.configs.map(({ name }) => name)).toEqual(
      Object.keys(topicConfigs)
        .filter((key) => key !== 'internal.segment.bytes')
        .sort(),
    )
    expect(await describe(test, 'retention.ms')).toMatchObject({ value: '7200000', configSource: 4, configType: 5 })
    const segmentMs = await describe(test, 'segment.ms')
    expect(segmentMs).toMatchObject({
      value: '5000',
      configSource: 1,
      readOnly: false,
      documentation: expect.any(String),
    })
    expect(segmentMs.synonyms).toEqual([
      { name: 'segment.ms', value: '5000', source: 1 },
      { name: 'log.roll.ms', value: '7000', source: 4 },
      { name: 'log.roll.hours', value: '168', source: 5 },
    ])
    expect((await describe(test, 'flush.ms')).documentation).toContain('Seglog does not act on it')
    expect(await describe(test, 'write.caching')).toMatchObject({ value: 'false', configSource: 5 })
    const broker = await test.ask(apiKey.describeConfigs, {
      resources: [{ resourceType: 4, resourceName: '1', configurationKeys: ['num.partitions'] }],
    })
    expect(broker.results[0].configs[0]).toMatchObject({ value: '1', configSource: 5, readOnly: true })
    const missing = await test.ask(apiKey.describeConfigs, {
      resources: [{ resourceType: 2, resourceName: 'no', configurationKeys: null }],
    })
    expect(missing.results[0].errorCode).toBe(code('UNKNOWN_TOPIC_OR_PARTITION'))
  })

  it('changes single configs durably, and logs in use follow', async () => {
    const path = temporaryDirectory()
    const first = await TestBroker.open(path)
    await first.createTopic('t', 1, { 'retention.ms': '1', 'segment.ms': '5000' })
    const alter = async (test: TestBroker, configs: [string, number, string | null][], validateOnly = false) => {
      const resources = [
        {
          ...topicResource,
          configs: configs.map(([name, configOperation, value]) => ({ name, configOperation, value })),
        },
      ]
      return (await test.ask(apiKey.incrementalAlterConfigs, { resources, validateOnly })).responses[0]
    }
    expect((await alter(first, [['retention.ms', 0, '9']], true)).errorCode).toBe(0)
    expect((await describe(first, 'retention.ms')).value).toBe('1')
    expect(
      (
        await alter(first, [
          ['retention.ms', 0, '9'],
          ['segment.ms', 1, null],
          ['cleanup.policy', 2, 'compact'],
        ])
      ).errorCode,
    ).toBe(0)
    expect((await alter(first, [['cleanup.policy', 3, 'delete']])).errorCode).toBe(0)
    for (const bad of [[['retention.ms', 0, 'x']], [['retention.ms', 2, '1']], [['nope', 1, null]]] as [
      string,
      number,
      string | null,
    ][][]) {
      expect((await alter(first, bad)).errorCode).toBe(code('INVALID_CONFIG'))
    }
    expect(
      (
        await alter(first, [
          ['retention.ms', 0, '1'],
          ['retention.ms', 1, null],
        ])
      ).errorCode,
    ).toBe(code('INVALID_REQUEST'))
    await first.broker.close()

    const second = await TestBroker.open(path)
    expect((await describe(second, 'retention.ms')).value).toBe('9')
    expect(await describe(second, 'segment.ms')).toMatchObject({ value: '604800000', configSource: 5 })
    expect((await describe(second, 'cleanup.policy')).value).toBe('compact')
    const replace = { resources: [{ ...topicResource, configs: [{ name: 'segment.ms', value: '77' }] }] }
    expect((await second.ask(apiKey.alterConfigs, replace)).responses[0].errorCode).toBe(0)
    expect((await describe(second, 'retention.ms')).configSource).toBe(5)
    expect((await describe(second, 'segment.ms')).value).toBe('77')
  })
})
