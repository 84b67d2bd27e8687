import { describe, expect, it } from 'vitest'
import { apiKey } from '../../../../ts/protocol/apis.js'
import { errorName } from '../../../../ts/protocol/errors.js'
import { configOperation as op } from '../../../../ts/protocol/messages/44-incremental-alter-configs.js'
import { temporaryDirectory } from '../../harness.js'
import { sessionTimeoutMs, TestConsumers } from './test-consumers.js'

const groupType = 32
const session = 'consumer.session.timeout.ms'
const heartbeat = 'consumer.heartbeat.interval.ms'

async function open(target?: string, config: Record<string, number> = {}) {
  const it = await TestConsumers.open(target, { config })
  await it.createTopic('t', 2)
  return it
}

async function alter(it: TestConsumers, name: string, value: string | null, resourceName = 'g', validateOnly = false) {
  const configOperation = value === null ? op.delete : op.set
  const resources = [{ resourceType: groupType, resourceName, configs: [{ name, configOperation, value }] }]
  const { responses } = await it.groups.it.ask(apiKey.incrementalAlterConfigs, { resources, validateOnly })
  return errorName(responses[0].errorCode)
}

async function described(it: TestConsumers, resourceName = 'g') {
  const resources = [{ resourceType: groupType, resourceName, configurationKeys: null }]
  const [{ configs }] = (await it.groups.it.ask(apiKey.describeConfigs, { resources, includeSynonyms: true })).results
  return configs.map(({ name, value, configSource, synonyms }) => [name, value, configSource, synonyms.length])
}

describe('configs of a group', () => {
  it('are the broker’s until they are set, and again when they are removed', async () => {
    const it = await open()
    const before = [
      [heartbeat, '5000', 5, 1],
      [session, '45000', 5, 1],
    ]
    expect(await described(it)).toEqual(before)
    expect(await alter(it, session, '50000')).toBe('NONE')
    expect(await described(it)).toEqual([before[0], [session, '50000', 8, 2]])
    expect(await described(it, 'other')).toEqual(before)
    expect(await alter(it, session, null)).toBe('NONE')
    expect(await described(it)).toEqual(before)
  })

  it('say how long members may be silent, and how often they are to be heard of', async () => {
    const it = await open()
    const [a, b] = [it.consumer(), it.consumer({ groupId: 'other' })]
    expect(await alter(it, session, '55000')).toBe('NONE')
    expect(await alter(it, heartbeat, '7000')).toBe('NONE')
    const told = async (one: typeof a) => (await one.send(one.request())).heartbeatIntervalMs
    expect([await told(a), await told(b)]).toEqual([7000, 5000])
    const count = async (group: string) => (await it.describe(group)).members.length
    await it.timers.advance(sessionTimeoutMs + 1000)
    expect([await count('g'), await count('other')]).toEqual([1, 0])
    await it.timers.advance(10_000)
    expect(await count('g')).toBe(0)
  })

  it('are in force for members that are there already, from their next heartbeat on', async () => {
    const it = await open()
    const a = it.consumer()
    await it.settle([a])
    expect(await alter(it, session, '60000')).toBe('NONE')
    await a.step()
    await it.timers.advance(sessionTimeoutMs + 1000)
    expect((await it.describe()).members).toHaveLength(1)
  })

  it('keep to the broker’s bounds, and to each other', async () => {
    const it = await open()
    for (const [key, value] of [
      [session, '44999'],
      [session, '60001'],
      [heartbeat, '4999'],
      [heartbeat, '15001'],
      [heartbeat, 'often'],
      ['consumer.sesion.timeout.ms', '50000'],
      ['share.session.timeout.ms', '50000'],
    ] as const) {
      expect([key, value, await alter(it, key, value)]).toEqual([key, value, 'INVALID_CONFIG'])
    }
    expect(await alter(it, session, '50000', '')).toBe('INVALID_REQUEST')
    expect(await alter(it, session, '50000', 'g', true)).toBe('NONE')
    expect((await described(it))[1][1]).toBe('45000')
    const narrow = await open('memory:', {
      'group.consumer.min.session.timeout.ms': 5000,
      'group.consumer.max.heartbeat.interval.ms': 15_000,
    })
    expect(await alter(narrow, session, '5000')).toBe('INVALID_CONFIG')
    expect(await alter(narrow, session, '5001')).toBe('NONE')
    expect(await alter(narrow, heartbeat, '6000')).toBe('INVALID_CONFIG')
  })

  it('stay over a restart, and are listed', async () => {
    const it = await open(temporaryDirectory())
    expect(await alter(it, session, '50000', 'later')).toBe('NONE')
    expect(await alter(it, session, '50000', 'gone')).toBe('NONE')
    expect(await alter(it, session, null, 'gone')).toBe('NONE')
    await it.groups.it.broker.close()
    const again = await TestConsumers.open(it.groups.it.broker.path)
    const request = { resourceTypes: [groupType] }
    const { configResources } = await again.groups.it.ask(apiKey.listConfigResources, request)
    expect(configResources).toEqual([{ resourceName: 'later', resourceType: groupType }])
    expect(await described(again, 'later')).toContainEqual([session, '50000', 8, 2])
  })
})
