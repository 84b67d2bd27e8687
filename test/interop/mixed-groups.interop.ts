import { afterAll, beforeAll, describe, expect, onTestFinished, test } from 'vitest'
import { type AssignorName, type Consumer, type ConsumerOptions, open, type SeglogLog } from '../../ts/index.js'
import { until } from '../client/group-setup.js'
import { newBroker } from './brokers/broker-under-test.js'
import { confluent } from './clients/confluent.js'
import type { Assignor, ClassicAssignor, MemberHost } from './clients/foreign-client.js'
import { javaClient } from './clients/java.js'
import { quickSessions } from './matrix/client-suite.js'
import { newTopic } from './matrix/topics.js'

/**
 * Our members and foreign ones in the same group: each may be the leader who shares out the partitions of both, or the
 * broker does.
 */

const ours: Record<ClassicAssignor, AssignorName> = {
  range: 'range',
  roundrobin: 'roundRobin',
  sticky: 'sticky',
  cooperative: 'cooperative-sticky',
}
/** Options of ours, by what the foreign member calls it. */
function optionsFor(assignor: Assignor): ConsumerOptions {
  if (assignor === 'uniform') return { groupProtocol: 'consumer', groupRemoteAssignor: 'uniform' }
  if (assignor === 'broker-range') return { groupProtocol: 'consumer', groupRemoteAssignor: 'range' }
  return { partitionAssigners: [ours[assignor]], sessionTimeout: 6_000, heartbeatInterval: 200 }
}
const partitions = 6

/** What a foreign member holds and was handed, by what its program says. */
class Foreign {
  constructor(
    readonly host: MemberHost,
    private readonly name: string,
  ) {}

  get assignment(): number[] {
    const said = this.host.events.findLast((event) => event.member === this.name && event.on === 'assigned')
    return said?.on === 'assigned' ? said.partitions.map(({ partition }) => partition).sort() : []
  }

  get values(): string[] {
    return this.host.events.flatMap((event) => (event.on === 'records' ? event.records.map(({ value }) => value) : []))
  }
}

describe.each([javaClient(4), confluent()].map((client) => [client.name, client] as const))('%s', (_, client) => {
  const broker = newBroker()
  let log: SeglogLog

  beforeAll(async () => {
    await client.install()
    await broker.start({ config: quickSessions })
    log = await open(`kafka://${broker.bootstrap}`)
  })
  afterAll(async () => {
    await log?.close()
    await client.close()
    await broker.remove()
  })

  async function scene(assignor: Assignor) {
    const topic = newTopic(`mixed-${assignor}`)
    await log.admin().createTopic({ topic, partitions })
    const groupId = `group-of-${topic}`
    const values: string[] = []
    const join = async (): Promise<Consumer> => {
      const consumer = log.consumer({ groupId, from: 'earliest', ...optionsFor(assignor) })
      await consumer.subscribe([topic])
      const running = consumer.run({ eachMessage: ({ value }) => void values.push(String(value)) })
      onTestFinished(async () => {
        await consumer.close()
        await running
      })
      return consumer
    }
    const joinForeign = async (): Promise<Foreign> => {
      const host = await client.host()
      onTestFinished(() => host.close())
      const job = { bootstrap: broker.bootstrap, group: groupId, topics: [topic], assignor, sessionMs: 6_000 }
      await host.join({ ...job, member: 'foreign' })
      return new Foreign(host, 'foreign')
    }
    const produce = async (from: number, to: number) => {
      const messages = Array.from({ length: to - from }, (_, n) => ({
        value: String(from + n),
        partition: n % partitions,
      }))
      await log.producer({ acks: 1 }).send({ topic, messages })
    }
    return { groupId, values, join, joinForeign, produce }
  }

  const held = (consumer: Consumer) => consumer.assignment().map(({ partition }) => partition)
  const share = (own: Consumer, other: Foreign) => [...held(own), ...other.assignment].sort()
  const all = Array.from({ length: partitions }, (_, partition) => partition)
  const areEven = (own: Consumer, other: Foreign) => {
    return held(own).length === 3 && other.assignment.length === 3 && String(share(own, other)) === String(all)
  }

  describe.each(client.assignors.map((name) => [name]))('%s', (assignor) => {
    test('ours leads, the foreign one joins and leaves', async () => {
      const { groupId, values, join, joinForeign, produce } = await scene(assignor)
      const own = await join()
      await until(() => held(own).length === partitions)
      const leads: boolean[] = []
      own.on('assigned', ({ isLeader }) => leads.push(isLeader))
      const foreign = await joinForeign()
      await until(() => areEven(own, foreign))
      expect(leads).not.toContain(false)
      const group = await log.admin().describeGroup(groupId)
      expect(group.members.flatMap(({ assignment }) => assignment.map(({ partition }) => partition)).sort()).toEqual(
        all,
      )
      await produce(0, 60)
      await until(() => new Set([...values, ...foreign.values]).size === 60)
      expect(values).toHaveLength(30)
      expect(foreign.values).toHaveLength(30)
      await foreign.host.leave('foreign')
      await until(() => held(own).length === partitions)
      await produce(60, 90)
      await until(() => values.includes('89'))
    })

    test('the foreign one leads, ours join and leave', async () => {
      const { values, join, joinForeign, produce } = await scene(assignor)
      const foreign = await joinForeign()
      await until(() => foreign.assignment.length === partitions)
      const own = await join()
      const leads: boolean[] = []
      own.on('assigned', ({ isLeader }) => leads.push(isLeader))
      await until(() => areEven(own, foreign))
      expect(leads).not.toContain(true)
      const third = await join()
      await until(() => [held(own), held(third), foreign.assignment].every(({ length }) => length === 2))
      await produce(0, 60)
      await until(() => new Set([...values, ...foreign.values]).size === 60)
      await own.close()
      await third.close()
      await until(() => foreign.assignment.length === partitions)
    })
  })

  test.each<[Assignor]>([['uniform'], ['broker-range']])('the broker shares out by %s', async (assignor) => {
    const { groupId, values, join, joinForeign, produce } = await scene(assignor)
    const own = await join()
    await until(() => held(own).length === partitions)
    const foreign = await joinForeign()
    await until(() => areEven(own, foreign))
    const group = await log.admin().describeGroup(groupId)
    expect(group.members.map(({ assignment }) => assignment.length)).toEqual([3, 3])
    await produce(0, 60)
    await until(() => new Set([...values, ...foreign.values]).size === 60)
    expect([values.length, foreign.values.length]).toEqual([30, 30])
    const third = await join()
    await until(() => [held(own), held(third), foreign.assignment].every(({ length }) => length === 2))
    await own.close()
    await until(() => held(third).length === 3 && foreign.assignment.length === 3)
    await foreign.host.leave('foreign')
    await until(() => held(third).length === partitions)
    await produce(60, 90)
    await until(() => new Set([...values, ...foreign.values]).size === 90)
  })
})
