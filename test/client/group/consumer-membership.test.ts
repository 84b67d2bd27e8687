import { describe, expect, test } from 'vitest'
import {
  ConsumerMembership,
  type ConsumerMembershipHost,
} from '../../../ts/client/group/consumer/consumer-membership.js'
import type { IdentifiedPartition } from '../../../ts/client/group/consumer/told-assignment.js'
import { GroupCalls } from '../../../ts/client/group/group-calls.js'
import type { TakingUp } from '../../../ts/client/group/group-membership.js'
import { SeglogError } from '../../../ts/errors/seglog-error.js'
import type { RequestOf } from '../../../ts/protocol/apis.js'
import { type ProtocolErrorName, protocolError } from '../../../ts/protocol/errors.js'
import { ManualTimers } from '../../broker/manual-timers.js'
import { ScriptedCoordinator, topicId } from './scripted-coordinator.js'

type Beat = RequestOf<68>

interface Setup {
  instanceId?: string
  assignor?: string
  expression?: string
}

/** A member, its coordinator and driven time; `did` tells what its consumer was asked for, in order. */
function setUp({ instanceId, assignor, expression }: Setup = {}) {
  const coordinator = new ScriptedCoordinator()
  const timers = new ManualTimers()
  const did: string[] = []
  const consumer = {
    topics: ['t'],
    held: [] as readonly IdentifiedPartition[],
    givingUp: async (): Promise<void> => {},
    takingUp: async (_: TakingUp): Promise<boolean> => true,
  }
  const shown = (places: readonly IdentifiedPartition[]) =>
    places.map((one) => ` ${one.topic}${one.partition}`).join('')
  const host: ConsumerMembershipHost = {
    topics: () => consumer.topics,
    expression: () => expression ?? null,
    held: () => consumer.held,
    rebalancing: (reason) => void did.push(`rebalance: ${reason}`),
    async giveUp(places, stay) {
      did.push(`give up${shown(places)}`)
      await consumer.givingUp()
      if (!stay.lost.isSet) consumer.held = consumer.held.filter((one) => !places.includes(one))
    },
    async takeUp(places, _, takingUp) {
      did.push(`take up${shown(places)}`)
      if (!(await consumer.takingUp(takingUp))) return false
      consumer.held = [...consumer.held, ...places]
      return true
    },
    async yieldAll() {
      did.push(`yield${shown(consumer.held)}`)
      await consumer.givingUp()
      consumer.held = []
    },
    async lose(error) {
      did.push(`lose${shown(consumer.held)}: ${error.code}`)
      consumer.held = []
    },
    fail: (error) => void did.push(`fail ${error.code}`),
  }
  const calls = new GroupCalls(coordinator, {
    ...{ groupId: 'g', groupInstanceId: instanceId ?? null, clientId: 'c' },
    ...{ sessionTimeoutMs: 1, rebalanceTimeoutMs: 60_000 },
  })
  const options = { serverAssignor: assignor ?? null, rackId: null, metadataMaxAgeMs: 100_000 }
  const membership = new ConsumerMembership(calls, coordinator, host, options, timers)
  const beats = () =>
    coordinator.seen.flatMap(({ call, request }) => (call === 'beat' ? [request as unknown as Beat] : []))
  return { coordinator, timers, did, consumer, membership, beats }
}

/** A few turns of promises. */
async function settle(): Promise<void> {
  for (let turns = 0; turns < 5; turns++) await new Promise((resolve) => setImmediate(resolve))
}

async function joined(setup?: Setup) {
  const all = setUp(setup)
  all.membership.start()
  await settle()
  expect(all.membership.state).toBe('member')
  all.did.length = 0
  all.coordinator.seen.length = 0
  return all
}

/** Something that is not done until the test says so. */
function held<T>() {
  let done: (value: T) => void
  const promise = new Promise<T>((resolve) => {
    done = resolve
  })
  return { promise, done: (value: T) => done(value) }
}

const owned = (...partitions: number[]) => (partitions.length === 0 ? [] : [{ topicId, partitions }])
const nothingNew = { rebalanceTimeoutMs: -1, subscribedTopicNames: null, serverAssignor: null, rackId: null }

describe('joining', () => {
  test('finds the coordinator, says all of itself, takes up what it is told, and says so', async () => {
    const { did, membership, beats } = setUp({ assignor: 'range' })
    membership.start()
    membership.start()
    await settle()
    const [join, acknowledgement, ...more] = beats()
    expect(join).toMatchObject({
      ...{ groupId: 'g', memberEpoch: 0, instanceId: null, rebalanceTimeoutMs: 60_000, serverAssignor: 'range' },
      ...{ subscribedTopicNames: ['t'], subscribedTopicRegex: null, topicPartitions: [] },
    })
    expect(join.memberId).toHaveLength(22)
    expect(acknowledgement).toMatchObject({ ...nothingNew, memberEpoch: 1, topicPartitions: owned(0, 1) })
    expect(more).toEqual([])
    expect(did).toEqual(['rebalance: a consumer begins to read', 'take up t0 t1'])
    expect(membership.generation).toMatchObject({ memberId: join.memberId, generation: 1, isLeader: false })
  })

  test('an assignment of nothing is acknowledged too', async () => {
    const { coordinator, did, membership, beats } = setUp()
    coordinator.assigned = []
    membership.start()
    await settle()
    expect(did).toEqual(['rebalance: a consumer begins to read', 'take up'])
    expect(beats().map(({ topicPartitions }) => topicPartitions)).toEqual([[], []])
  })

  test('an expression for the broker stands beside the names', async () => {
    const { membership, beats } = setUp({ expression: 't.*' })
    membership.start()
    await settle()
    expect(beats()[0]).toMatchObject({ subscribedTopicNames: ['t'], subscribedTopicRegex: 't.*' })
    expect(beats()[1]).toMatchObject({ subscribedTopicNames: null, subscribedTopicRegex: null })
  })

  test.each(['COORDINATOR_LOAD_IN_PROGRESS', 'NOT_COORDINATOR', 'COORDINATOR_NOT_AVAILABLE'] as const)(
    'tries again after %s, later each time',
    async (error) => {
      const { coordinator, timers, membership } = setUp()
      coordinator.script('beat', error, error)
      membership.start()
      await settle()
      expect(coordinator.count('beat')).toBe(1)
      await timers.advance(130)
      await settle()
      expect(coordinator.count('beat')).toBe(2)
      await timers.advance(20)
      await settle()
      expect(coordinator.count('beat')).toBe(2)
      await timers.advance(230)
      await settle()
      expect(membership.state).toBe('member')
    },
  )

  test('a join of which the answer was lost is made again by the same member', async () => {
    const { coordinator, timers, membership, beats } = setUp()
    coordinator.script('beat', { throws: protocolError('NETWORK_EXCEPTION') })
    membership.start()
    await settle()
    await timers.advance(200)
    await settle()
    const [first, second] = beats()
    expect(second).toEqual(first)
    expect(membership.state).toBe('member')
  })

  test.each<[string, ProtocolErrorName | { throws: unknown }]>([
    ['a broker that has no such API', { throws: new SeglogError('UNSUPPORTED', 'there is no API 68') }],
    ['one that has it switched off', 'UNSUPPORTED_VERSION'],
    ['a group that may not change', 'GROUP_ID_NOT_FOUND'],
  ])('%s: the end, and nothing else is tried', async (_, answer) => {
    const { coordinator, timers, did, membership } = setUp()
    coordinator.script('beat', answer)
    membership.start()
    await settle()
    await timers.advance(10_000)
    expect(did.slice(1)).toEqual(['lose: GROUP_PROTOCOL_REFUSED', 'fail GROUP_PROTOCOL_REFUSED'])
    expect(coordinator.calls).toEqual(['find', 'beat'])
    expect(membership.state).toBe('out')
    membership.start()
    await settle()
    expect(membership.state).toBe('member')
  })

  test.each(['GROUP_MAX_SIZE_REACHED', 'UNSUPPORTED_ASSIGNOR', 'INVALID_REGULAR_EXPRESSION'] as const)(
    '%s is the end, until it is started again',
    async (error) => {
      const { coordinator, did, membership } = setUp()
      coordinator.script('beat', error)
      membership.start()
      await settle()
      expect(did.at(-1)).toBe(`fail ${error}`)
      expect(membership.state).toBe('out')
      membership.start()
      await settle()
      expect(membership.state).toBe('member')
    },
  )
})

describe('heartbeats', () => {
  test('are sent at the interval that the broker told, whatever else is waited for, and say nothing twice', async () => {
    const { timers, consumer, beats } = await joined()
    consumer.givingUp = () => new Promise(() => {})
    await timers.advance(5_500)
    expect(beats()).toHaveLength(5)
    for (const beat of beats()) {
      expect(beat).toMatchObject({ ...nothingNew, memberEpoch: 1, subscribedTopicRegex: null, topicPartitions: null })
    }
  })

  test('one of which the answer was lost is followed by one that says everything', async () => {
    const { coordinator, timers, membership, did, beats } = await joined()
    coordinator.script('beat', { throws: protocolError('NETWORK_EXCEPTION') }, 'NOT_COORDINATOR')
    await timers.advance(2_100)
    await settle()
    const [, second, third, acknowledgement] = beats()
    for (const beat of [second, third]) {
      expect(beat).toMatchObject({ memberEpoch: 1, subscribedTopicNames: ['t'], topicPartitions: owned(0, 1) })
      expect(beat).toMatchObject({ rebalanceTimeoutMs: 60_000 })
    }
    // Its answer told what the member has already, which is to be acknowledged all the same.
    expect(acknowledgement).toMatchObject({ ...nothingNew, topicPartitions: owned(0, 1) })
    expect(did).toEqual([])
    expect(membership.state).toBe('member')
  })

  test('carry the epoch of the last answer', async () => {
    const { coordinator, timers, membership, did, beats } = await joined()
    coordinator.told = { epoch: 7 }
    await timers.advance(2_000)
    expect(beats().map(({ memberEpoch }) => memberEpoch)).toEqual([1, 7])
    expect(membership.generation!.generation).toBe(7)
    expect(did).toEqual([])
  })

  test('tell at once of topics that were added to the subscription', async () => {
    const { consumer, membership, beats } = await joined()
    consumer.topics = ['u', 't']
    membership.rejoin()
    await settle()
    expect(beats().at(-1)).toMatchObject({ subscribedTopicNames: ['t', 'u'], topicPartitions: null })
  })

  test('tell of topics that came to match a pattern, when it was time to look', async () => {
    const { timers, consumer, beats } = await joined()
    consumer.topics = ['t', 'u']
    await timers.advance(99_500)
    expect(beats().filter(({ subscribedTopicNames }) => subscribedTopicNames !== null)).toEqual([])
    await timers.advance(1_000)
    await settle()
    const said = beats().filter(({ subscribedTopicNames }) => subscribedTopicNames !== null)
    expect(said.map(({ subscribedTopicNames }) => subscribedTopicNames)).toEqual([['t', 'u']])
  })
})

describe('an assignment that is told', () => {
  test('what is gone is given up and that is said; then what is new is taken up and that is said', async () => {
    const { coordinator, timers, did, beats } = await joined()
    coordinator.told = { epoch: 2, partitions: [1, 2] }
    await timers.advance(1_000)
    await settle()
    expect(did).toEqual(['rebalance: the group gives this member other partitions', 'give up t0', 'take up t2'])
    expect(beats().map(({ topicPartitions }) => topicPartitions)).toEqual([null, owned(1), owned(1, 2)])
  })

  test('equal to what it has: acknowledged, and nothing else', async () => {
    const { coordinator, timers, did, beats } = await joined()
    coordinator.told = { epoch: 2, partitions: [0, 1] }
    await timers.advance(1_000)
    await settle()
    expect(did).toEqual([])
    expect(beats().map(({ topicPartitions }) => topicPartitions)).toEqual([null, owned(0, 1)])
  })

  test('heartbeats go on while it gives up, and say that it still has it', async () => {
    const { coordinator, timers, consumer, did, beats } = await joined()
    const givingUp = held<void>()
    consumer.givingUp = () => givingUp.promise
    coordinator.told = { partitions: [1] }
    await timers.advance(3_500)
    expect(beats().map(({ topicPartitions }) => topicPartitions)).toEqual([null, null, null])
    givingUp.done()
    await settle()
    expect(beats().at(-1)!.topicPartitions).toEqual(owned(1))
    expect(did.at(-1)).toBe('take up')
  })

  test('another one while the last is taken up: that ends early, and the other is', async () => {
    const { coordinator, timers, consumer, did, beats } = await joined()
    consumer.takingUp = async (takingUp) => {
      await takingUp.ended.happened
      return false
    }
    coordinator.told = { epoch: 2, partitions: [0, 1, 2] }
    await timers.advance(1_000)
    await settle()
    expect(did.at(-1)).toBe('take up t2')
    consumer.takingUp = async () => true
    coordinator.told = { epoch: 3, partitions: [0, 1, 3] }
    await timers.advance(1_000)
    await settle()
    expect(did.slice(1)).toEqual([
      'take up t2',
      'rebalance: the group gives this member other partitions',
      'take up t3',
    ])
    expect(beats().at(-1)!.topicPartitions).toEqual(owned(0, 1, 3))
  })

  test('the same one again while it is taken up changes nothing', async () => {
    const { coordinator, timers, consumer, did } = await joined()
    const takingUp = held<boolean>()
    consumer.takingUp = () => takingUp.promise
    coordinator.told = { partitions: [0, 1, 2] }
    await timers.advance(1_000)
    coordinator.told = { partitions: [0, 1, 2] }
    await timers.advance(1_000)
    takingUp.done(true)
    await settle()
    expect(did.slice(1)).toEqual(['take up t2'])
    expect(consumer.held).toHaveLength(3)
  })

  test('of a topic that brokers have not heard of yet: the rest is taken up, that one as soon as it is known', async () => {
    const { coordinator, timers, did, beats } = await joined()
    const other = 'uuuuuuuuuuuuuuuuuuuuuu'
    coordinator.told = { partitions: [5], topicId: other }
    await timers.advance(1_000)
    await settle()
    expect(did.slice(1)).toEqual(['give up t0 t1', 'take up'])
    expect(beats().at(-1)!.topicPartitions).toEqual([])
    coordinator.topics.set(other, 'u')
    await timers.advance(150)
    await settle()
    expect(did.slice(3)).toEqual(['take up u5'])
    expect(beats().at(-1)!.topicPartitions).toEqual([{ topicId: other, partitions: [5] }])
  })

  test('of a topic that was made anew under its name: the old one is given up, the new one taken up', async () => {
    const { coordinator, timers, did } = await joined()
    const anew = 'nnnnnnnnnnnnnnnnnnnnnn'
    coordinator.topics.set(anew, 't')
    coordinator.told = { partitions: [0, 1], topicId: anew }
    await timers.advance(1_000)
    await settle()
    expect(did.slice(1)).toEqual(['give up t0 t1', 'take up t0 t1'])
  })

  test('that a member lost a part of is taken up again', async () => {
    const { timers, consumer, did, membership, beats } = await joined()
    consumer.held = consumer.held.slice(1)
    membership.rejoin()
    await timers.advance(200)
    await settle()
    expect(did).toEqual(['take up t0'])
    expect(beats().at(-1)!.topicPartitions).toEqual(owned(0, 1))
  })

  test('that cannot be taken up because of what does not pass: the end, after a goodbye', async () => {
    const { coordinator, timers, consumer, did, membership, beats } = await joined()
    consumer.takingUp = async () => {
      throw protocolError('TOPIC_AUTHORIZATION_FAILED')
    }
    coordinator.told = { partitions: [0, 1, 2] }
    await timers.advance(1_000)
    await settle()
    expect(did.slice(1)).toEqual([
      ...['take up t2', 'lose t0 t1: TOPIC_AUTHORIZATION_FAILED', 'fail TOPIC_AUTHORIZATION_FAILED'],
    ])
    expect(beats().at(-1)!.memberEpoch).toBe(-1)
    expect(membership.state).toBe('out')
  })
})

describe('exclusion', () => {
  test.each(['UNKNOWN_MEMBER_ID', 'FENCED_MEMBER_EPOCH'] as const)(
    '%s: all is lost, and the same member joins anew',
    async (error) => {
      const { coordinator, timers, did, membership, beats } = await joined()
      const { memberId } = membership.generation!
      coordinator.script('beat', error)
      await timers.advance(1_000)
      await settle()
      expect(did).toEqual([`lose t0 t1: ${error}`])
      await timers.advance(200)
      await settle()
      expect(beats()[1]).toMatchObject({ memberId, memberEpoch: 0, topicPartitions: [], subscribedTopicNames: ['t'] })
      expect(did.slice(1)).toEqual([`rebalance: this member was told ${error}`, 'take up t0 t1'])
      expect(membership.generation!.generation).toBe(2)
    },
  )

  test('found by a commit', async () => {
    const { did, membership } = await joined()
    membership.generation!.report(protocolError('STALE_MEMBER_EPOCH'))
    await settle()
    expect(did).toEqual([])
    membership.generation!.report(protocolError('UNKNOWN_MEMBER_ID'))
    await settle()
    expect(did).toEqual(['lose t0 t1: UNKNOWN_MEMBER_ID'])
  })

  test('found while partitions are given up', async () => {
    const { coordinator, timers, did, consumer, membership } = await joined()
    const givingUp = held<void>()
    consumer.givingUp = () => givingUp.promise
    coordinator.told = { partitions: [] }
    await timers.advance(1_000)
    await settle()
    coordinator.script('beat', 'FENCED_MEMBER_EPOCH')
    await timers.advance(1_000)
    expect(membership.generation!.lost.isSet).toBe(true)
    givingUp.done()
    await settle()
    expect(did.slice(1)).toEqual(['give up t0 t1', 'lose t0 t1: FENCED_MEMBER_EPOCH'])
  })

  test('the group is gone: it is joined anew', async () => {
    const { coordinator, timers, did, membership } = await joined()
    coordinator.script('beat', 'GROUP_ID_NOT_FOUND')
    await timers.advance(1_200)
    await settle()
    expect(did[0]).toBe('lose t0 t1: GROUP_ID_NOT_FOUND')
    expect(membership.state).toBe('member')
  })

  test('another process took its lasting name: the end', async () => {
    const { coordinator, timers, did, membership } = await joined({ instanceId: 'i' })
    coordinator.script('beat', 'FENCED_INSTANCE_ID')
    await timers.advance(1_000)
    await settle()
    expect(did).toEqual(['lose t0 t1: FENCED_INSTANCE_ID', 'fail FENCED_INSTANCE_ID'])
    expect(coordinator.count('beat')).toBe(1)
    expect(membership.state).toBe('out')
  })
})

describe('a lasting name', () => {
  test('is said in every heartbeat', async () => {
    const { timers, beats } = await joined({ instanceId: 'i' })
    await timers.advance(2_000)
    expect(beats().map(({ instanceId }) => instanceId)).toEqual(['i', 'i'])
  })

  test('that another process holds: the end', async () => {
    const { coordinator, did, membership, beats } = setUp({ instanceId: 'i' })
    coordinator.script('beat', 'UNRELEASED_INSTANCE_ID', 'FENCED_INSTANCE_ID')
    membership.start()
    await settle()
    expect(beats().map(({ memberEpoch }) => memberEpoch)).toEqual([0, -2])
    expect(did.at(-1)).toBe('fail UNRELEASED_INSTANCE_ID')
    expect(membership.state).toBe('out')
  })

  test('that another process held until just now, it takes', async () => {
    const { coordinator, timers, membership, beats } = setUp({ instanceId: 'i' })
    coordinator.script('beat', 'UNRELEASED_INSTANCE_ID', 'UNKNOWN_MEMBER_ID')
    membership.start()
    await settle()
    await timers.advance(200)
    await settle()
    expect(beats().map(({ memberEpoch }) => memberEpoch)).toEqual([0, -2, 0, membership.generation!.generation])
    expect(membership.state).toBe('member')
  })

  test('that it holds itself, by a join of which the answer was lost, it lets go of and joins', async () => {
    const { coordinator, timers, membership, beats } = setUp({ instanceId: 'i' })
    coordinator.script('beat', { throws: protocolError('NETWORK_EXCEPTION') }, 'UNRELEASED_INSTANCE_ID')
    membership.start()
    await settle()
    await timers.advance(200)
    await settle()
    await timers.advance(400)
    await settle()
    expect(beats().map(({ memberEpoch }) => memberEpoch)).toEqual([0, 0, -2, 0, membership.generation!.generation])
    expect(new Set(beats().map(({ memberId }) => memberId)).size).toBe(1)
    expect(membership.state).toBe('member')
  })
})

describe('leaving', () => {
  test('gives up everything and says so; heartbeats go on until then', async () => {
    const { timers, consumer, did, membership, beats } = await joined()
    const givingUp = held<void>()
    consumer.givingUp = () => givingUp.promise
    const leaving = membership.leave('enough')
    await timers.advance(2_000)
    expect(beats().map(({ memberEpoch }) => memberEpoch)).toEqual([1, 1])
    givingUp.done()
    await leaving
    expect(did).toEqual(['yield t0 t1'])
    expect(beats().at(-1)).toMatchObject({ ...nothingNew, memberEpoch: -1, topicPartitions: null })
    expect(membership.state).toBe('out')
    await membership.leave('twice')
    await timers.advance(5_000)
    expect(beats()).toHaveLength(3)
  })

  test('a static member says that it will be back', async () => {
    const { membership, beats } = await joined({ instanceId: 'i' })
    await membership.leave('enough')
    expect(beats().at(-1)).toMatchObject({ memberEpoch: -2, instanceId: 'i' })
  })

  test('amid a join: what the join comes to is undone', async () => {
    const { coordinator, did, membership, beats } = setUp()
    coordinator.script('beat', 'never')
    membership.start()
    await settle()
    await membership.leave('enough')
    expect(beats().map(({ memberEpoch }) => memberEpoch)).toEqual([0, -1])
    coordinator.release({ errorCode: 0, memberEpoch: 1, heartbeatIntervalMs: 1, assignment: { topicPartitions: [] } })
    await settle()
    expect(beats()).toHaveLength(2)
    expect(did).toEqual(['rebalance: a consumer begins to read'])
    expect(membership.state).toBe('out')
  })

  test('before it has joined: nobody needs to be told', async () => {
    const { coordinator, membership } = setUp()
    coordinator.script('find', { throws: protocolError('NETWORK_EXCEPTION') })
    membership.start()
    await settle()
    await membership.leave('enough')
    expect(coordinator.calls).toEqual(['find'])
  })

  test('a coordinator that does not answer it is left alone', async () => {
    const { coordinator, membership } = await joined()
    coordinator.script('beat', { throws: protocolError('NETWORK_EXCEPTION') })
    await membership.leave('enough')
    expect(membership.state).toBe('out')
  })

  test('loses all where it is found out to be no member while it gives up', async () => {
    const { coordinator, timers, consumer, did, membership } = await joined()
    const givingUp = held<void>()
    consumer.givingUp = () => givingUp.promise
    const leaving = membership.leave('enough')
    coordinator.script('beat', 'UNKNOWN_MEMBER_ID')
    await timers.advance(1_000)
    givingUp.done()
    await leaving
    expect(did).toEqual(['yield t0 t1', 'lose: UNKNOWN_MEMBER_ID'])
  })
})
