import { readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import { apiKey } from '../../ts/protocol/apis.js'
import { type ProtocolErrorName, protocolErrors } from '../../ts/protocol/errors.js'
import { configOperation as op } from '../../ts/protocol/messages/44-incremental-alter-configs.js'
import { batchOf, LogLines, TestBroker, temporaryDirectory } from './harness.js'

const code = (name: ProtocolErrorName) => protocolErrors[name].code
const topic = 2
const broker = 4
const brokerLogger = 8
const clientMetrics = 16
const group = 32

type Operation = [name: string, operation: number, value: string | null]

async function alter(test: TestBroker, type: number, resourceName: string, configs: Operation[], validateOnly = false) {
  const resource = {
    resourceType: type,
    resourceName,
    configs: configs.map(([name, configOperation, value]) => ({ name, configOperation, value })),
  }
  return (await test.ask(apiKey.incrementalAlterConfigs, { resources: [resource], validateOnly })).responses[0]
}

async function set(test: TestBroker, name: string, key: string, value: string) {
  return (await alter(test, broker, name, [[key, op.set, value]])).errorCode
}

async function replace(test: TestBroker, type: number, resourceName: string, configs: Record<string, string | null>) {
  const resource = {
    resourceType: type,
    resourceName,
    configs: Object.entries(configs).map(([name, value]) => ({ name, value })),
  }
  return (await test.ask(apiKey.alterConfigs, { resources: [resource] })).responses[0].errorCode
}

async function describeAll(test: TestBroker, resourceType: number, resourceName: string, keys: string[] | null = null) {
  const request = {
    resources: [{ resourceType, resourceName, configurationKeys: keys }],
    includeSynonyms: true,
    includeDocumentation: true,
  }
  return (await test.ask(apiKey.describeConfigs, request)).results[0]
}

async function describeOne(test: TestBroker, resourceType: number, resourceName: string, key: string) {
  const [config] = (await describeAll(test, resourceType, resourceName, [key])).configs
  return config
}

describe('configs of the broker', () => {
  it('that are read at its start are refused, as in Kafka', async () => {
    const test = await TestBroker.open('memory:')
    const keys = ['connections.max.idle.ms', 'queued.max.request.bytes', 'socket.request.max.bytes', 'num.partitions']
    for (const key of keys) {
      for (const name of ['', '1']) expect(await set(test, name, key, '5')).toBe(code('INVALID_REQUEST'))
      expect(await describeOne(test, broker, '1', key)).toMatchObject({ readOnly: true })
    }
  })

  it('change while it runs, at this broker before all brokers before its start', async () => {
    const test = await TestBroker.open('memory:', { config: { 'max.connections.per.ip': 5 } })
    const key = 'max.connections.per.ip'
    const seen: number[] = []
    test.broker.config.watch((changed) => {
      if (changed.has(key)) seen.push(test.broker.config.number(key))
    })
    expect(await set(test, '', key, '6')).toBe(0)
    expect(await set(test, '1', key, '7')).toBe(0)
    expect(await set(test, '', key, '8')).toBe(0)
    const described = await describeOne(test, broker, '1', key)
    expect(described).toMatchObject({ value: '7', configSource: 2, readOnly: false, isSensitive: false })
    expect(described.synonyms).toEqual([
      { name: key, value: '7', source: 2 },
      { name: key, value: '8', source: 3 },
      { name: key, value: '5', source: 4 },
      { name: key, value: '2147483647', source: 5 },
    ])
    expect((await describeAll(test, broker, '')).configs).toMatchObject([{ name: key, value: '8', configSource: 3 }])
    expect((await alter(test, broker, '1', [[key, op.delete, null]])).errorCode).toBe(0)
    expect((await describeOne(test, broker, '1', key)).value).toBe('8')
    expect(await replace(test, broker, '', {})).toBe(0)
    expect((await describeOne(test, broker, '1', key)).value).toBe('5')
    // Setting 8 for all brokers while this one had 7 of its own changed nothing here.
    expect(seen).toEqual([6, 7, 8, 5])
  })

  it('are defaults of topics in use, without a restart', async () => {
    const test = await TestBroker.open(temporaryDirectory())
    await test.createTopic('plain')
    await test.createTopic('own', 1, { 'max.message.bytes': '5000' })
    const [plain, own] = await Promise.all(
      ['plain', 'own'].map(async (name) => {
        await test.produce(name, batchOf(['x']))
        return async () => (await test.produce(name, batchOf(['y'.repeat(2000)]))).errorCode
      }),
    )
    expect(await set(test, '', 'message.max.bytes', '1000')).toBe(0)
    expect(await plain()).toBe(code('MESSAGE_TOO_LARGE'))
    expect(await own()).toBe(0)
    const described = await describeOne(test, topic, 'plain', 'max.message.bytes')
    expect(described).toMatchObject({ value: '1000', configSource: 3 })
    expect(described.synonyms.map(({ name, source }) => `${name} ${source}`)).toEqual([
      'message.max.bytes 3',
      'message.max.bytes 5',
    ])
    expect((await alter(test, broker, '', [['message.max.bytes', op.delete, null]])).errorCode).toBe(0)
    expect(await plain()).toBe(0)
  })

  it('set at one of several keys of one meaning are not said to be set at the others', async () => {
    const test = await TestBroker.open('memory:', { config: { 'log.retention.minutes': 90 } })
    expect(await set(test, '1', 'log.retention.ms', '5000')).toBe(0)
    const [ms, minutes, hours] = await Promise.all(
      ['ms', 'minutes', 'hours'].map((unit) => describeOne(test, broker, '1', `log.retention.${unit}`)),
    )
    const ofHours = { name: 'log.retention.hours', value: '168', source: 5 }
    const ofMinutes = { name: 'log.retention.minutes', value: '90', source: 4 }
    expect(ms.synonyms).toEqual([{ name: 'log.retention.ms', value: '5000', source: 2 }, ofMinutes, ofHours])
    expect(minutes).toMatchObject({ value: '90', configSource: 4, synonyms: [ofMinutes, ofHours] })
    expect(hours).toMatchObject({ value: '168', configSource: 5, synonyms: [ofHours] })
  })

  it('reach a partition whose log is being opened', async () => {
    const test = await TestBroker.open(temporaryDirectory())
    await test.createTopic('t')
    const opening = test.produce('t', batchOf(['x']))
    expect((await alter(test, topic, 't', [['max.message.bytes', op.set, '1000']])).errorCode).toBe(0)
    await opening
    expect((await test.produce('t', batchOf(['y'.repeat(2000)]))).errorCode).toBe(code('MESSAGE_TOO_LARGE'))
  })

  it('are kept over a restart; what cannot be taken any more is said and left out', async () => {
    const path = temporaryDirectory()
    const first = await TestBroker.open(path)
    expect(await set(first, '', 'log.retention.ms', '5000')).toBe(0)
    expect(await set(first, '1', 'max.connections', '9')).toBe(0)
    await first.broker.close()
    const file = join(path, 'seglog.json')
    const state = JSON.parse(readFileSync(file, 'utf8'))
    expect(state.brokerConfigs).toEqual({ '': { 'log.retention.ms': '5000' }, '1': { 'max.connections': '9' } })
    state.brokerConfigs['1']['some.old.key'] = 'x'
    state.brokerConfigs['2'] = { 'max.connections': '1' }
    writeFileSync(file, JSON.stringify(state))

    const logger = new LogLines()
    const second = await TestBroker.open(path, { logger, config: { 'log.retention.hours': 3 } })
    await second.createTopic('t')
    expect(await describeOne(second, topic, 't', 'retention.ms')).toMatchObject({ value: '5000', configSource: 3 })
    expect((await describeOne(second, broker, '1', 'max.connections')).value).toBe('9')
    expect(logger.lines).toContainEqual(
      expect.objectContaining({ level: 'error', fields: expect.objectContaining({ key: 'some.old.key' }) }),
    )
    expect((await alter(second, broker, '1', [['some.old.key', op.delete, null]])).errorCode).toBe(0)
    await second.broker.close()
    const kept = JSON.parse(readFileSync(file, 'utf8')).brokerConfigs
    expect(kept).toEqual({ ...state.brokerConfigs, '1': { 'max.connections': '9' } })
  })

  it('that seglog.json holds in no usable form are refused', async () => {
    const path = temporaryDirectory()
    for (const brokerConfigs of [[], { '1': 5 }, { '1': { 'max.connections': 5 } }]) {
      const state = { version: 1, nextProducerId: 0, topics: [], deleting: [], brokerConfigs }
      writeFileSync(join(path, 'seglog.json'), JSON.stringify(state))
      await expect(TestBroker.open(path)).rejects.toMatchObject({
        code: 'CORRUPT_METADATA',
        message: expect.stringContaining('brokerConfigs'),
      })
    }
  })

  for (const [what, name, key, value, error] of [
    ['one that is fixed', '1', 'num.partitions', '5', 'INVALID_REQUEST'],
    ['one that nobody knows', '1', 'max.connection', '5', 'INVALID_CONFIG'],
    ['a value outside its rule', '1', 'max.connections', '-1', 'INVALID_CONFIG'],
    ['one of a single broker for all of them', '', 'listeners', 'A://:1', 'INVALID_REQUEST'],
    ['a secret', '1', 'listener.name.a.ssl.key.password', 'x', 'INVALID_REQUEST'],
    ['those of another broker', '2', 'max.connections', '5', 'INVALID_REQUEST'],
    ['those of something that is no broker', 'one', 'max.connections', '5', 'INVALID_REQUEST'],
  ] as const) {
    it(`do not change: ${what}`, async () => {
      const test = await TestBroker.open('memory:')
      expect(await set(test, name, key, value)).toBe(code(error))
      expect(await replace(test, broker, name, { [key]: value })).toBe(code(error))
      expect((await describeOne(test, broker, '1', 'max.connections')).value).toBe('20000')
    })
  }

  it('do not change when the change is only tried', async () => {
    const test = await TestBroker.open('memory:')
    expect((await alter(test, broker, '', [['max.connections', op.set, '5']], true)).errorCode).toBe(0)
    expect((await describeOne(test, broker, '1', 'max.connections')).value).toBe('20000')
  })

  it('of Kafka that have no effect here are kept, with a line in the log', async () => {
    const logger = new LogLines()
    const test = await TestBroker.open('memory:', { logger })
    expect(await set(test, '', 'num.io.threads', '4')).toBe(0)
    const described = await describeOne(test, broker, '1', 'num.io.threads')
    expect(described).toMatchObject({
      value: '4',
      configSource: 3,
      documentation: expect.stringContaining('not act on'),
    })
    expect(logger.lines.map(({ message }) => message)).toContainEqual(expect.stringContaining('num.io.threads'))
  })

  it('show where it stores things, its number, and no secrets', async () => {
    const path = temporaryDirectory()
    const config = { 'broker.id': 3, 'ssl.key.password': 'hunter2', 'listener.name.a.ssl.key.password': 'hunter2' }
    const test = await TestBroker.open(path, { config })
    const all = (await describeAll(test, broker, '3')).configs
    const find = (key: string) => all.find(({ name }) => name === key)
    expect(find('log.dirs')).toMatchObject({ value: path, configSource: 4 })
    expect(find('node.id')).toMatchObject({ value: '3', configSource: 4 })
    const secret = { value: null, isSensitive: true, configType: 9 }
    expect(find('ssl.key.password')).toMatchObject({ ...secret, synonyms: [{ value: null }] })
    expect(find('listener.name.a.ssl.key.password')).toMatchObject(secret)
    expect(JSON.stringify(all).includes('hunter2')).toBe(false)
    expect(find('log.retention.ms')).toMatchObject({ value: null, configSource: 5, configType: 5 })
    expect(find('log.retention.ms')).toMatchObject({ value: null, configSource: 5, synonyms: [] })
    expect(find('log.retention.hours')?.synonyms).toEqual([{ name: 'log.retention.hours', value: '168', source: 5 }])
    expect(find('inter.broker.listener.name')).toMatchObject({ value: null, configSource: 5, synonyms: [] })
  })
})

describe('alterations', () => {
  it('name each resource and key once, and give values', async () => {
    const test = await TestBroker.open('memory:')
    await test.createTopic('t')
    const invalid = code('INVALID_REQUEST')
    const one = { resourceType: topic, resourceName: 't', configs: [] }
    const twice = await test.ask(apiKey.incrementalAlterConfigs, { resources: [one, one] })
    expect(twice.responses.map(({ errorCode }) => errorCode)).toEqual([invalid, invalid])
    expect((await test.ask(apiKey.alterConfigs, { resources: [one, one] })).responses[1].errorCode).toBe(invalid)
    expect(await replace(test, topic, 't', { 'retention.ms': null })).toBe(invalid)
    expect((await alter(test, topic, 't', [['retention.ms', op.set, null]])).errorCode).toBe(invalid)
    expect((await alter(test, topic, 't', [['retention.ms', 9, '5']])).errorCode).toBe(invalid)
    const again: Operation[] = [
      ['retention.ms', op.set, '1'],
      ['retention.ms', op.delete, null],
    ]
    expect((await alter(test, topic, 't', again)).errorCode).toBe(invalid)
    const name = 'retention.ms'
    const same = { ...one, configs: [1, 2].map((value) => ({ name, value: String(value) })) }
    expect((await test.ask(apiKey.alterConfigs, { resources: [same] })).responses[0].errorCode).toBe(invalid)
  })

  it('of lists begin with what is in force', async () => {
    const test = await TestBroker.open('memory:', { config: { 'log.cleanup.policy': 'compact' } })
    await test.createTopic('t')
    expect((await alter(test, topic, 't', [['cleanup.policy', op.append, 'delete,compact']])).errorCode).toBe(0)
    expect((await describeOne(test, topic, 't', 'cleanup.policy')).value).toBe('compact,delete')
    expect((await alter(test, broker, '', [['log.cleanup.policy', op.subtract, 'compact']])).errorCode).toBe(0)
    expect((await describeOne(test, broker, '1', 'log.cleanup.policy')).value).toBe('')
  })

  it('must not contradict each other', async () => {
    const test = await TestBroker.open('memory:')
    const configs = { 'min.compaction.lag.ms': '10', 'max.compaction.lag.ms': '9' }
    expect((await test.createTopic('t', 1, configs)).errorCode).toBe(code('INVALID_CONFIG'))
    expect((await test.createTopic('t', 1, { 'max.compaction.lag.ms': '9' })).errorCode).toBe(0)
    expect(await replace(test, topic, 't', configs)).toBe(code('INVALID_CONFIG'))
    const less: Operation[] = [['min.compaction.lag.ms', op.set, '10']]
    expect((await alter(test, topic, 't', less)).errorCode).toBe(code('INVALID_CONFIG'))
  })

  it('are refused for what has no configs here, each with its words', async () => {
    const test = await TestBroker.open('memory:')
    const configs: Operation[] = [['org.apache', op.set, 'DEBUG']]
    for (const [type, name, words] of [
      [brokerLogger, '1', /chosen when the broker starts/],
      [clientMetrics, 'm', /no metrics/],
      [group, '', /no configs of all groups/],
      [topic, '', /no configs of all topics/],
      [77, 'x', /type 77/],
    ] as const) {
      const { errorCode, errorMessage } = await alter(test, type, name, configs)
      expect([type, errorCode]).toEqual([type, code('INVALID_REQUEST')])
      expect(errorMessage).toMatch(words)
    }
  })
})

describe('descriptions', () => {
  it('of what has no configs here are empty, or refused where they make no sense', async () => {
    const test = await TestBroker.open('memory:')
    const ask = async (type: number, name: string) => {
      const { errorCode, configs } = await describeAll(test, type, name)
      expect(configs).toEqual([])
      return errorCode
    }
    for (const [type, name] of [
      [brokerLogger, '1'],
      [clientMetrics, 'm'],
      [broker, ''],
    ] as const) {
      expect([type, await ask(type, name)]).toEqual([type, 0])
    }
    for (const [type, name] of [
      [brokerLogger, ''],
      [brokerLogger, '2'],
      [broker, '2'],
      [clientMetrics, ''],
      [group, ''],
      [77, 'x'],
    ] as const) {
      expect([type, name, await ask(type, name)]).toEqual([type, name, code('INVALID_REQUEST')])
    }
    expect(await ask(topic, 'a b')).toBe(code('INVALID_TOPIC_EXCEPTION'))
    expect(await ask(topic, 'no')).toBe(code('UNKNOWN_TOPIC_OR_PARTITION'))
  })

  it('are of every key where none is named, and leave out keys that do not exist', async () => {
    const test = await TestBroker.open('memory:')
    const count = async (keys: string[] | null) => (await describeAll(test, broker, '1', keys)).configs.length
    expect(await count(null)).toBeGreaterThan(330)
    expect(await count([])).toBe(await count(null))
    expect(await count(['node.id', 'nothing'])).toBe(1)
  })
})
