import { describe, expect, test } from 'vitest'
import { type AssignorName, assignors } from '../../../ts/client/assignors/assignors.js'
import type { TopicPartition } from '../../../ts/client/consumer-options.js'
import { decodeSubscription } from '../../../ts/client/group/consumer-protocol.js'
import type { Generation } from '../../../ts/client/group/generation.js'
import { GroupCalls } from '../../../ts/client/group/group-calls.js'
import { Membership, type MembershipHost } from '../../../ts/client/group/membership.js'
import { protocolError } from '../../../ts/protocol/errors.js'
import { ManualTimers } from '../../broker/manual-timers.js'
import { ScriptedCoordinator } from './scripted-coordinator.js'

interface Setup {
  assignors?: AssignorName[]
  instanceId?: string
}

/** A member, its coordinator and driven time; `did` tells what its consumer was asked for, in order. */
function setUp({ assignors: names = ['range'], instanceId }: Setup = {}) {
  const coordinator = new ScriptedCoordinator()
  const timers = new ManualTimers()
  const did: string[] = []
  const consumer = {
    topics: ['t'],
    counts: new Map([['t', 2]]),
    owned: [] as readonly TopicPartition[],
    receiving: async (_: Generation): Promise<void> => {},
    yielding: async (): Promise<void> => {},
  }
  const shown = (places: readonly TopicPartition[]) => places.map(({ topic, partition }) => topic + partition).join(' ')
  const host: MembershipHost = {
    topics: () => consumer.topics,
    owned: () => consumer.owned,
    partitionCounts: async () => consumer.counts,
    rebalancing: (reason) => void did.push(`rebalance: ${reason}`),
    async receive(assignment, generation) {
      did.push(`receive ${shown(assignment)}`)
      await consumer.receiving(generation)
      const gaveUp = consumer.owned.some((own) => !assignment.some(({ partition }) => partition === own.partition))
      consumer.owned = assignment
      return gaveUp
    },
    async yieldAll() {
      did.push(`yield ${shown(consumer.owned)}`)
      await consumer.yielding()
      consumer.owned = []
    },
    async lose(error) {
      did.push(`lose ${shown(consumer.owned)}: ${error.code}`)
      consumer.owned = []
    },
    fail: (error) => void did.push(`fail ${error.code}`),
  }
  const membership = new Membership(
    new GroupCalls(coordinator, {
      ...{ groupId: 'g', groupInstanceId: instanceId ?? null, clientId: 'c' },
      ...{ sessionTimeoutMs: 10_000, rebalanceTimeoutMs: 60_000 },
    }),
    host,
    {
      assignors: names.map((name) => assignors[name]),
      ...{ heartbeatIntervalMs: 1_000, rackId: null, metadataMaxAgeMs: 100_000 },
    },
    timers,
  )
  return { coordinator, timers, did, consumer, membership }
}

/** A few turns of promises. */
async function settle(): Promise<void> {
  for (let turns = 0; turns < 5; turns++) await new Promise((resolve) => setImmediate(resolve))
}

async function joined(setup?: Setup) {
  const all = setUp(setup)
  all.membership.start()
  await settle()
  expect(all.membership.state).toBe('stable')
  all.did.length = 0
  return all
}

const rebalanced = ['rebalance: the group rebalances', 'receive t0 t1']

describe('joining', () => {
  test('finds the coordinator, joins, syncs, receives', async () => {
    const { coordinator, did, membership } = setUp()
    membership.start()
    membership.start()
    await settle()
    expect(coordinator.calls).toEqual(['find', 'join', 'sync'])
    expect(did).toEqual(['rebalance: a consumer begins to read', 'receive t0 t1'])
    expect(membership.state).toBe('stable')
    expect(membership.generation).toMatchObject({ memberId: 'm1', generation: 1, isLeader: false })
    expect(coordinator.last('join')).toMatchObject({
      ...{ groupId: 'g', sessionTimeoutMs: 10_000, rebalanceTimeoutMs: 60_000, protocolType: 'consumer' },
    })
    expect(coordinator.last('sync')).toMatchObject({ protocolName: 'range', generationId: 1, assignments: [] })
  })

  test('comes back with the id it is given', async () => {
    const { coordinator, did, membership } = setUp()
    coordinator.script('join', 'MEMBER_ID_REQUIRED')
    membership.start()
    await settle()
    expect(coordinator.calls).toEqual(['find', 'join', 'join', 'sync'])
    expect(coordinator.last('join')).toMatchObject({ memberId: 'm1' })
    expect(did).toHaveLength(2)
  })

  test.each(['COORDINATOR_LOAD_IN_PROGRESS', 'NOT_COORDINATOR', 'COORDINATOR_NOT_AVAILABLE'] as const)(
    'tries again after %s, later each time',
    async (error) => {
      const { coordinator, timers, membership } = setUp()
      coordinator.script('join', error, error)
      membership.start()
      await settle()
      expect(coordinator.count('join')).toBe(1)
      await timers.advance(130)
      await settle()
      expect(coordinator.count('join')).toBe(2)
      await timers.advance(20)
      await settle()
      expect(coordinator.count('join')).toBe(2)
      await timers.advance(230)
      await settle()
      expect(membership.state).toBe('stable')
    },
  )

  test('a coordinator that cannot be reached', async () => {
    const { coordinator, timers, membership } = setUp()
    coordinator.script('find', { throws: protocolError('NETWORK_EXCEPTION') })
    coordinator.script('sync', { throws: protocolError('NETWORK_EXCEPTION') })
    membership.start()
    await settle()
    await timers.advance(1_000)
    await settle()
    expect(coordinator.calls).toEqual(['find', 'find', 'join', 'sync', 'join', 'sync'])
    expect(coordinator.last('join')).toMatchObject({ memberId: 'm1' })
  })

  test.each([
    'INCONSISTENT_GROUP_PROTOCOL',
    'GROUP_MAX_SIZE_REACHED',
    'INVALID_SESSION_TIMEOUT',
    'FENCED_INSTANCE_ID',
  ] as const)('%s is the end, until it is started again', async (error) => {
    const { coordinator, did, membership } = setUp()
    coordinator.script('join', error)
    membership.start()
    await settle()
    expect(did.slice(1)).toEqual([`lose : ${error}`, `fail ${error}`])
    expect(membership.state).toBe('out')
    membership.start()
    await settle()
    expect(membership.state).toBe('stable')
  })

  test('an id that the group does not know is given up', async () => {
    const { coordinator, timers, membership } = setUp()
    coordinator.script('join', 'MEMBER_ID_REQUIRED', 'UNKNOWN_MEMBER_ID')
    membership.start()
    await settle()
    await timers.advance(1_000)
    await settle()
    expect(coordinator.last('join')).toMatchObject({ memberId: '' })
    expect(membership.state).toBe('stable')
  })

  test('a sync that came too late joins again with its id', async () => {
    const { coordinator, membership } = setUp()
    coordinator.script('sync', 'REBALANCE_IN_PROGRESS')
    membership.start()
    await settle()
    expect(coordinator.calls).toEqual(['find', 'join', 'sync', 'join', 'sync'])
    expect(coordinator.last('join')).toMatchObject({ memberId: 'm1' })
  })

  test('a protocol that was not offered', async () => {
    const { coordinator, did, membership } = setUp()
    coordinator.protocolName = 'mine'
    membership.start()
    await settle()
    expect(did.at(-1)).toBe('fail INCONSISTENT_GROUP_PROTOCOL')
  })
})

describe('the leader', () => {
  const metadata = (topics: string[]) => {
    const { membership, coordinator } = setUp()
    membership.start()
    return settle().then(() => {
      const [{ metadata: bytes }] = coordinator.last('join').protocols as unknown as { metadata: Uint8Array }[]
      expect(decodeSubscription(bytes).topics).toEqual(['t'])
      return topics.length === 0 ? new Uint8Array([1]) : bytes
    })
  }

  test('shares out the partitions; who sends nonsense gets none', async () => {
    const { coordinator, membership } = setUp()
    const sound = await metadata(['t'])
    const members = [
      { memberId: 'm1', groupInstanceId: null, metadata: sound },
      { memberId: 'm2', groupInstanceId: null, metadata: sound },
      { memberId: 'm3', groupInstanceId: null, metadata: await metadata([]) },
    ]
    coordinator.script('join', { leader: 'm1', members })
    membership.start()
    await settle()
    const { assignments } = coordinator.last('sync') as unknown as {
      assignments: { memberId: string; assignment: Uint8Array }[]
    }
    expect(assignments.map(({ memberId }) => memberId)).toEqual(['m1', 'm2', 'm3'])
    expect(assignments.map(({ assignment }) => assignment.length > 14)).toEqual([true, true, false])
  })

  test('joins again when partitions were added, another member does not', async () => {
    const sound = await metadata(['t'])
    const members = [{ memberId: 'm1', groupInstanceId: null, metadata: sound }]
    for (const leader of ['m1', 'other']) {
      const { coordinator, timers, did, consumer, membership } = setUp()
      coordinator.script('join', { leader, members })
      membership.start()
      await settle()
      did.length = 0
      await timers.advance(100_000)
      await settle()
      expect(did).toEqual([])
      consumer.counts = new Map([['t', 3]])
      await timers.advance(100_000)
      await settle()
      expect(did[1]).toBe(leader === 'm1' ? 'rebalance: topics or partitions have changed' : undefined)
    }
  })

  test('a static one whose assignment holds sends none', async () => {
    const { coordinator, membership } = setUp({ instanceId: 'i' })
    const members = [{ memberId: 'm1', groupInstanceId: 'i', metadata: await metadata(['t']) }]
    coordinator.script('join', { leader: 'm1', members, skipAssignment: true })
    membership.start()
    await settle()
    expect(coordinator.last('sync')).toMatchObject({ assignments: [] })
    expect(membership.generation).toMatchObject({ isLeader: true })
  })

  test('a subscription that changes while it joins', async () => {
    const { coordinator, did, membership } = setUp()
    membership.start()
    membership.rejoin('the subscription has changed')
    await settle()
    expect(coordinator.count('join')).toBe(2)
    expect(did).toContain('rebalance: the subscription has changed')
  })

  test('every member joins again when its own topics have changed', async () => {
    const { timers, did, consumer } = await joined()
    consumer.topics = ['t', 'u']
    await timers.advance(100_000)
    await settle()
    expect(did[1]).toBe('rebalance: topics or partitions have changed')
  })
})

describe('heartbeats', () => {
  test('are sent at their interval, whatever else is waited for', async () => {
    const { coordinator, timers } = await joined()
    await timers.advance(5_500)
    expect(coordinator.count('heartbeat')).toBe(5)
    expect(coordinator.last('heartbeat')).toMatchObject({ groupId: 'g', memberId: 'm1', generationId: 1 })
  })

  test('one that is lost is sent again', async () => {
    const { coordinator, timers, membership } = await joined()
    coordinator.script('heartbeat', { throws: protocolError('NETWORK_EXCEPTION') }, 'NOT_COORDINATOR')
    await timers.advance(2_100)
    expect(coordinator.count('heartbeat')).toBe(3)
    expect(membership.state).toBe('stable')
  })

  test('go on while the partitions are given up, and stop when it joins', async () => {
    const { coordinator, timers, consumer, membership } = await joined()
    let go = () => {}
    consumer.yielding = () =>
      new Promise((resolve) => {
        go = resolve
      })
    coordinator.script('heartbeat', 'REBALANCE_IN_PROGRESS', 'REBALANCE_IN_PROGRESS', 'REBALANCE_IN_PROGRESS')
    await timers.advance(3_500)
    expect(membership.state).toBe('yielding')
    expect(coordinator.count('heartbeat')).toBe(3)
    coordinator.script('join', 'never')
    go()
    await settle()
    await timers.advance(3_500)
    expect(coordinator.count('heartbeat')).toBe(3)
  })
})

describe('a rebalance', () => {
  test('eager: everything is given up before the join', async () => {
    const { coordinator, timers, did } = await joined()
    coordinator.script('heartbeat', 'REBALANCE_IN_PROGRESS')
    await timers.advance(1_000)
    await settle()
    expect(did).toEqual(['yield t0 t1', ...rebalanced])
    const [{ metadata }] = coordinator.last('join').protocols as unknown as { metadata: Uint8Array }[]
    expect(decodeSubscription(metadata).claim).toEqual({ owned: [], generation: 1 })
  })

  test('cooperative: nothing is, and the leader is told what it has', async () => {
    const { coordinator, timers, did } = await joined({ assignors: ['cooperative-sticky'] })
    coordinator.script('heartbeat', 'REBALANCE_IN_PROGRESS')
    await timers.advance(1_000)
    await settle()
    expect(did).toEqual(rebalanced)
    const [{ metadata }] = coordinator.last('join').protocols as unknown as { metadata: Uint8Array }[]
    const owned = [0, 1].map((partition) => ({ topic: 't', partition }))
    expect(decodeSubscription(metadata).claim).toEqual({ owned, generation: 1 })
  })

  test('cooperative: what was given up makes it join once more, for the next owner', async () => {
    const { coordinator, timers, did } = await joined({ assignors: ['cooperative-sticky'] })
    coordinator.script('heartbeat', 'REBALANCE_IN_PROGRESS')
    coordinator.assigned = [1]
    await timers.advance(1_000)
    await settle()
    expect(did).toEqual([
      ...['rebalance: the group rebalances', 'receive t1'],
      ...['rebalance: partitions were given up', 'receive t1'],
    ])
  })

  test('sticky: the leader is told what it had', async () => {
    const { coordinator, timers } = await joined({ assignors: ['sticky'] })
    coordinator.script('heartbeat', 'REBALANCE_IN_PROGRESS')
    await timers.advance(1_000)
    await settle()
    const [{ metadata }] = coordinator.last('join').protocols as unknown as { metadata: Uint8Array }[]
    const { claim, userData } = decodeSubscription(metadata)
    const owned = [0, 1].map((partition) => ({ topic: 't', partition }))
    expect(assignors.sticky.claimOf(claim, userData)).toEqual({ owned, generation: 1 })
  })

  test('one that is told while the last is still received', async () => {
    const { coordinator, timers, did, consumer, membership } = setUp()
    let go = () => {}
    consumer.receiving = () =>
      new Promise((resolve) => {
        go = resolve
      })
    membership.start()
    await settle()
    coordinator.script('heartbeat', 'REBALANCE_IN_PROGRESS')
    await timers.advance(1_000)
    expect(membership.state).toBe('receiving')
    consumer.receiving = async () => {}
    go()
    await settle()
    expect(did.slice(1)).toEqual(['receive t0 t1', 'yield t0 t1', ...rebalanced])
  })
})

describe('exclusion', () => {
  test.each([
    ['UNKNOWN_MEMBER_ID', ''],
    ['ILLEGAL_GENERATION', 'm1'],
  ] as const)('%s: all is lost, and it joins with the id %j', async (error, memberId) => {
    const { coordinator, timers, did } = await joined()
    coordinator.script('heartbeat', error)
    await timers.advance(1_000)
    await settle()
    expect(did).toEqual([`lose t0 t1: ${error}`])
    await timers.advance(200)
    await settle()
    expect(coordinator.last('join')).toMatchObject({ memberId })
    expect(did.slice(1)).toEqual([`rebalance: this member was told ${error}`, 'receive t0 t1'])
  })

  test('found while the partitions are given up', async () => {
    const { coordinator, timers, did, consumer, membership } = await joined()
    let go = () => {}
    consumer.yielding = () =>
      new Promise((resolve) => {
        go = resolve
      })
    coordinator.script('heartbeat', 'REBALANCE_IN_PROGRESS', 'UNKNOWN_MEMBER_ID')
    await timers.advance(2_000)
    expect(membership.generation!.lost.isSet).toBe(true)
    go()
    await settle()
    expect(did).toEqual(['yield t0 t1', 'lose : UNKNOWN_MEMBER_ID'])
  })

  test('another process took its lasting name: the end', async () => {
    const { coordinator, timers, did, membership } = await joined({ instanceId: 'i' })
    coordinator.script('heartbeat', 'FENCED_INSTANCE_ID')
    await timers.advance(1_000)
    await settle()
    expect(did).toEqual(['lose t0 t1: FENCED_INSTANCE_ID', 'fail FENCED_INSTANCE_ID'])
    expect(membership.state).toBe('out')
    expect(coordinator.count('leave')).toBe(0)
  })
})

describe('leaving', () => {
  test('amid a join, with partitions in hand: waits for the generation that it can commit in', async () => {
    const { coordinator, timers, did, consumer, membership } = await joined({ assignors: ['cooperative-sticky'] })
    const committedIn: number[] = []
    consumer.yielding = async () => void committedIn.push(membership.generation!.generation)
    coordinator.script('heartbeat', 'REBALANCE_IN_PROGRESS')
    coordinator.script('join', 'never')
    await timers.advance(1_000)
    await settle()
    expect(membership.state).toBe('joining')
    const leaving = membership.leave('enough')
    await settle()
    expect(did.at(-1)).toBe('rebalance: the group rebalances')
    const about = { protocolName: 'cooperative-sticky', leader: 'other', members: [], skipAssignment: false }
    coordinator.release({ errorCode: 0, memberId: 'm1', generationId: 7, ...about })
    await leaving
    expect(committedIn).toEqual([7])
    expect(did.at(-1)).toBe('yield t0 t1')
    expect(coordinator.calls.slice(-2)).toEqual(['sync', 'leave'])
  })

  test('amid a join that does not end: only so long', async () => {
    const { coordinator, timers, did, membership } = await joined({ assignors: ['cooperative-sticky'] })
    coordinator.script('heartbeat', 'REBALANCE_IN_PROGRESS')
    coordinator.script('join', 'never')
    await timers.advance(1_000)
    await settle()
    const leaving = membership.leave('enough')
    await timers.advance(1_900)
    expect(coordinator.count('leave')).toBe(0)
    await timers.advance(200)
    await leaving
    expect(did.at(-1)).toBe('yield t0 t1')
    expect(coordinator.count('leave')).toBe(1)
    expect(timers.size).toBe(0)
  })

  test('gives up everything and says so', async () => {
    const { coordinator, did, membership } = await joined()
    await membership.leave('enough')
    expect(did).toEqual(['yield t0 t1'])
    expect(coordinator.last('leave')).toMatchObject({
      members: [{ memberId: 'm1', groupInstanceId: null, reason: 'enough' }],
    })
    expect(membership.state).toBe('out')
    await membership.leave('twice')
    expect(coordinator.count('leave')).toBe(1)
  })

  test('a static member only goes silent', async () => {
    const { coordinator, timers, membership } = await joined({ instanceId: 'i' })
    await membership.leave('enough')
    await timers.advance(10_000)
    expect(coordinator.count('leave') + coordinator.count('heartbeat')).toBe(0)
  })

  test('while it waits for others to join; what is answered later is undone', async () => {
    const { coordinator, membership } = setUp()
    coordinator.script('join', 'never')
    membership.start()
    await settle()
    await membership.leave('enough')
    expect(coordinator.count('leave')).toBe(0)
    coordinator.release({ errorCode: 0, memberId: 'late', generationId: 5 })
    await settle()
    expect(coordinator.last('leave')).toMatchObject({ members: [{ memberId: 'late' }] })
  })

  test('while it pauses between attempts', async () => {
    const { coordinator, membership } = setUp()
    coordinator.script('join', 'NOT_COORDINATOR')
    membership.start()
    await settle()
    await membership.leave('enough')
    expect(membership.state).toBe('out')
    membership.start()
    await settle()
    expect(membership.state).toBe('stable')
  })

  test('a coordinator that does not answer well does not matter', async () => {
    const { coordinator, membership } = await joined()
    coordinator.script('leave', { throws: protocolError('NETWORK_EXCEPTION') })
    await membership.leave('enough')
    expect(membership.state).toBe('out')
  })
})
