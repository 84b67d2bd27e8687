import { afterAll, beforeAll, describe, expect, onTestFailed, onTestFinished, test } from 'vitest'
import { newBroker, refereeIsAsked } from './brokers/broker-under-test.js'
import { confluent } from './clients/confluent.js'
import { javaClient } from './clients/java.js'
import { runTool } from './kafka.js'
import { quickSessions } from './matrix/client-suite.js'
import { GroupWatch } from './matrix/group-watch.js'
import { createTopic } from './matrix/topics.js'

/** What groups of the consumer protocol (KIP-848) do beside sharing out partitions, which the matrix tries. */

const clients = [javaClient(4), confluent()] as const

describe.each(clients.map((client) => [client.name, client] as const))('%s', (_, client) => {
  const broker = newBroker()

  beforeAll(async () => {
    await client.install()
    await broker.start({ config: quickSessions })
  })
  afterAll(async () => {
    await client.close()
    await broker.remove()
  })

  async function scene(purpose: string, count: number) {
    const topic = await createTopic(client, broker.bootstrap, purpose, count)
    const group = `group-of-${topic}`
    const job = { bootstrap: broker.bootstrap, group, topics: [topic], sessionMs: 6000 }
    const watch = new GroupWatch(client, { ...job, assignor: 'uniform' }, broker)
    onTestFinished(() => watch.close())
    onTestFailed(() => console.error(watch.story()))
    const produce = async (from: number, to: number, where = topic) => {
      const records = Array.from({ length: to - from }, (_, i) => ({
        partition: i % count,
        key: null,
        value: `${from + i}`,
      }))
      await client.produce({ bootstrap: broker.bootstrap, topic: where, records })
    }
    const places = Array.from({ length: count }, (_, i) => `${topic}-${i}`)
    return { topic, watch, produce, places }
  }

  const seen = (watch: GroupWatch) => new Set(watch.delivered.map(({ value }) => value)).size

  test('a classic group becomes one of the consumer protocol member by member, and back', async () => {
    const { watch, produce, places } = await scene('upgrade', 4)
    const host = await watch.host()
    const classic = { assignor: 'cooperative' } as const
    await watch.join(host, 'a', classic)
    await watch.join(host, 'b', classic)
    await watch.untilShared(places)
    await produce(0, 40)
    await watch.until('the first records are handed out', () => seen(watch) === 40)
    await watch.join(host, 'c')
    await watch.untilShared(places)
    await watch.leave('a')
    await watch.leave('b')
    await watch.untilShared(places)
    await produce(40, 80)
    await watch.until('more records are handed out', () => seen(watch) === 80)
    await watch.join(host, 'd', classic)
    await watch.untilShared(places)
    await watch.leave('c')
    await watch.untilShared(places)
    await watch.join(host, 'e', classic)
    await watch.untilShared(places)
    await produce(80, 120)
    await watch.until('all records are handed out', () => seen(watch) === 120)
    await watch.until('everything is committed', () =>
      [...watch.handedOut].every(([partition, end]) => watch.committed.get(partition) === end),
    )
  })

  test('a subscription by a regular expression gets topics that come later', async () => {
    const { topic, watch, produce } = await scene('regex', 2)
    const pattern = `${topic}.*`
    await watch.join(await watch.host(), 'a', { pattern })
    await watch.until('it has the topic', () => watch.assignmentOf('a')?.length === 2)
    const later = await createTopic(client, broker.bootstrap, `${topic}-later`, 2)
    const has = () => watch.assignmentOf('a')?.map((place) => place.slice(0, place.lastIndexOf('-')))
    if (!later.startsWith(topic)) throw new Error(`${later} does not begin with ${topic}`)
    await watch.until('it has both', () => has()?.filter((name) => name === later).length === 2)
    await produce(0, 10, later)
    await watch.until('the records are handed out', () => seen(watch) === 10)
  })

  test('a broker that is killed and comes back finds its members where they were', async () => {
    const { watch, produce, places } = await scene('restart', 6)
    const host = await watch.host()
    for (const name of ['a', 'b', 'c']) await watch.join(host, name)
    await watch.untilShared(places)
    await produce(0, 60)
    await watch.until('the first records are handed out', () => seen(watch) === 60)
    const before = ['a', 'b', 'c'].map((name) => watch.assignmentOf(name))
    await broker.stop('SIGKILL')
    await broker.start({ config: quickSessions, samePort: true })
    await produce(60, 120)
    await watch.until('all records are handed out', () => seen(watch) === 120)
    expect(['a', 'b', 'c'].map((name) => watch.assignmentOf(name))).toEqual(before)
  })
})

describe("Kafka's tools", () => {
  const [client] = clients
  const broker = newBroker()

  beforeAll(async () => {
    await client.install()
    await broker.start({ config: quickSessions })
  })
  afterAll(async () => {
    await client.close()
    await broker.remove()
  })

  test('set and show configs of a group', () => {
    const configure = (...args: string[]) => {
      const entity = ['--entity-type', 'groups', '--entity-name', 'configured']
      return runTool('kafka.admin.ConfigCommand', ['--bootstrap-server', broker.bootstrap, ...entity, ...args])
    }
    expect(configure('--alter', '--add-config', 'consumer.session.timeout.ms=9000')).toContain('Completed')
    expect(configure('--describe')).toMatch(/consumer\.session\.timeout\.ms=9000/)
    expect(configure('--alter', '--delete-config', 'consumer.session.timeout.ms')).toContain('Completed')
    expect(configure('--describe')).not.toMatch(/consumer\.session\.timeout\.ms=9000/)
  })

  test('list and describe a group of the consumer protocol, and say what the broker can', async () => {
    const { bootstrap } = broker
    const topic = await createTopic(client, bootstrap, 'tools', 2)
    const group = `group-of-${topic}`
    const watch = new GroupWatch(client, { bootstrap, group, topics: [topic], assignor: 'broker-range' }, broker)
    onTestFinished(() => watch.close())
    await watch.join(await watch.host(), 'a')
    await watch.untilShared([`${topic}-0`, `${topic}-1`])
    const command = 'org.apache.kafka.tools.consumer.group.ConsumerGroupCommand'
    const ask = (...args: string[]) => runTool(command, ['--bootstrap-server', bootstrap, ...args])
    expect(ask('--list', '--type')).toMatch(new RegExp(`${group}\\s+Consumer`))
    expect(ask('--describe', '--group', group, '--state')).toMatch(/range\s+Stable\s+1/)
    const members = ask('--describe', '--group', group, '--members', '--verbose')
    expect(members).toContain(`${topic}:0,1`)
    expect(ask('--describe', '--group', group)).toContain(topic)
    expect(ask('--delete', '--group', group)).toContain('GroupNotEmptyException')
    await watch.leave('a')
    expect(ask('--delete', '--group', group)).toContain('successful')
    const features = runTool('org.apache.kafka.tools.FeatureCommand', ['--bootstrap-server', bootstrap, 'describe'])
    expect(features).toMatch(
      /group\.version\s+SupportedMinVersion: 0\s+SupportedMaxVersion: 1\s+FinalizedVersionLevel: 1/,
    )
    expect(refereeIsAsked || !features.includes('transaction.version')).toBe(true)
  })
})
