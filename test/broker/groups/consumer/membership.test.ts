import { describe, expect, it } from 'vitest'
import { apiKey } from '../../../../ts/protocol/apis.js'
import { errorName } from '../../../../ts/protocol/errors.js'
import { rebalanceTimeoutMs, sessionTimeoutMs, type TestConsumer, TestConsumers } from './test-consumers.js'

async function open(partitions = 6, config: Record<string, string | number> = {}) {
  const it = await TestConsumers.open('memory:', { config })
  await it.createTopic('t', partitions)
  return it
}

const ids = (consumers: readonly TestConsumer[]) => consumers.flatMap(({ places }) => places).sort()
const all = (count: number, topic = 't') => Array.from({ length: count }, (_, i) => `${topic}-${i}`)

describe('a member', () => {
  it('that is alone gets everything with its first heartbeat', async () => {
    const it = await open(3)
    const a = it.consumer()
    const answer = await a.send(a.request())
    expect(answer).toMatchObject({ errorCode: 0, memberId: a.id, memberEpoch: 1, heartbeatIntervalMs: 5000 })
    expect(it.placesOf(answer.assignment!.topicPartitions)).toEqual(all(3))
  })

  it('is told its assignment again only when it changed or when it says all of itself', async () => {
    const it = await open()
    const a = it.consumer()
    await a.step()
    await a.step()
    expect((await a.send(a.request())).assignment).toBeNull()
    const full = { ...a.request(), rebalanceTimeoutMs, subscribedTopicNames: ['t'], topicPartitions: [] }
    expect((await a.send(full)).assignment).not.toBeNull()
  })

  it('gives up half to a second, which gets it only when the first has given it up', async () => {
    const it = await open()
    const [a, b] = [it.consumer(), it.consumer()]
    await it.settle([a])
    await b.step()
    expect(b.places).toEqual([])
    expect(await it.describe()).toMatchObject({ groupState: 'Reconciling', groupEpoch: 2, assignmentEpoch: 2 })
    await a.beat()
    // It knows and has not given up.
    await b.step()
    expect(b.places).toEqual([])
    a.reconcile()
    await a.beat()
    await b.step()
    expect(b.places.length).toBe(3)
    expect(ids([a, b])).toEqual(all(6))
    expect([a.epoch, b.epoch]).toEqual([2, 2])
    await it.settle([a, b])
  })

  it('keeps what it had while others come and go', async () => {
    const it = await open(12)
    const [a, b, c] = [it.consumer(), it.consumer(), it.consumer()]
    await it.settle([a])
    await it.settle([a, b])
    const before = new Set(a.places)
    await it.settle([a, b, c])
    expect(a.places.length).toBe(4)
    expect(a.places.every((place) => before.has(place))).toBe(true)
    const of = { a: a.places, b: b.places }
    expect(await c.leave()).toBe('NONE')
    await it.settle([a, b])
    expect(of.a.every((place) => a.owned.has(place))).toBe(true)
    expect(of.b.every((place) => b.owned.has(place))).toBe(true)
  })

  it('whose answer was lost comes again in the epoch before, with no more than it has', async () => {
    const it = await open()
    const [a, b] = [it.consumer(), it.consumer()]
    await it.settle([a])
    await b.beat()
    await a.beat()
    a.reconcile()
    await a.beat(true)
    expect(a.epoch).toBe(1)
    expect(await a.beat()).toBe('NONE')
    expect(a.epoch).toBe(2)
  })

  it('in an epoch that is not its own is fenced, and may begin anew', async () => {
    const it = await open()
    const a = it.consumer()
    await it.settle([a])
    const wrong = (memberEpoch: number) => a.send({ groupId: 'g', memberId: a.id, memberEpoch, topicPartitions: [] })
    expect(errorName((await wrong(7)).errorCode)).toBe('FENCED_MEMBER_EPOCH')
    // Its previous epoch is 0, so there is none between.
    a.abandon()
    expect(await a.step()).toBe('NONE')
    expect(a.places).toEqual(all(6))
  })

  it('that nobody knows is told so', async () => {
    const it = await open()
    const a = it.consumer()
    await it.settle([a])
    const answer = await a.send({ groupId: 'g', memberId: 'who', memberEpoch: 1 })
    expect(errorName(answer.errorCode)).toBe('UNKNOWN_MEMBER_ID')
    const none = await a.send({ groupId: 'none', memberId: 'who', memberEpoch: 1 })
    expect(errorName(none.errorCode)).toBe('GROUP_ID_NOT_FOUND')
    expect(errorName((await a.send({ groupId: 'g', memberId: 'who', memberEpoch: -1 })).errorCode)).toBe(
      'UNKNOWN_MEMBER_ID',
    )
  })

  it('gets an id from the broker before version 1', async () => {
    const it = await open()
    const a = it.consumer({ id: '' })
    const answer = await a.send(a.request(), { apiVersion: 0 })
    expect(answer).toMatchObject({ errorCode: 0, memberEpoch: 1 })
    expect(answer.memberId).toMatch(/^[\w-]{22}$/)
  })

  it('is removed when it is silent for its session, and its partitions go to others', async () => {
    const it = await open()
    const [a, b] = [it.consumer(), it.consumer()]
    await it.settle([a, b])
    await it.timers.advance(sessionTimeoutMs - 1)
    await b.step()
    await it.timers.advance(1)
    expect((await it.describe()).members.map(({ memberId }) => memberId)).toEqual([b.id])
    await it.settle([b])
    expect(b.places).toEqual(all(6))
    expect(await a.beat()).toBe('UNKNOWN_MEMBER_ID')
  })

  it('is removed when it does not give up partitions in its rebalance timeout, however often it is heard', async () => {
    const it = await open()
    const a = it.consumer({ rebalanceTimeoutMs: 20_000 })
    const b = it.consumer()
    await it.settle([a])
    await b.step()
    await a.beat()
    for (let i = 0; i < 4; i++) {
      await it.timers.advance(4999)
      expect(await a.beat()).toBe('NONE')
      await b.step()
    }
    expect(b.places).toEqual([])
    await it.timers.advance(4)
    expect(await a.beat()).toBe('UNKNOWN_MEMBER_ID')
    await it.settle([b])
    expect(b.places).toEqual(all(6))
  })

  it('that gave up in time is not', async () => {
    const it = await open()
    const a = it.consumer({ rebalanceTimeoutMs: 20_000 })
    const b = it.consumer()
    await it.settle([a])
    await b.step()
    await a.beat()
    a.reconcile()
    await a.beat()
    await it.timers.advance(30_000)
    expect(await a.beat()).toBe('NONE')
  })

  it('may not come where there is no room', async () => {
    const it = await open(2, { 'group.consumer.max.size': 1 })
    const [a, b] = [it.consumer(), it.consumer()]
    await it.settle([a])
    expect(await b.beat()).toBe('GROUP_MAX_SIZE_REACHED')
    expect(await a.beat()).toBe('NONE')
  })
})

describe('a static member', () => {
  it('that goes away for a while keeps its partitions for its next process', async () => {
    const it = await open()
    const a = it.consumer({ instanceId: 'i' })
    const b = it.consumer()
    await it.settle([a, b])
    const { places } = a
    expect(await a.leave(-2)).toBe('NONE')
    await b.step()
    expect(b.places.length).toBe(3)
    const next = it.consumer({ instanceId: 'i' })
    expect(await next.step()).toBe('NONE')
    expect(next.places).toEqual(places)
    const { groupEpoch, members } = await it.describe()
    expect(groupEpoch).toBe(2)
    expect(members.map(({ memberId }) => memberId).sort()).toEqual([b.id, next.id].sort())
    expect(await a.beat()).toBe('UNRELEASED_INSTANCE_ID')
  })

  it('that does not come back within the session loses them', async () => {
    const it = await open()
    const a = it.consumer({ instanceId: 'i' })
    const b = it.consumer()
    await it.settle([a, b])
    await a.leave(-2)
    await it.timers.advance(sessionTimeoutMs - 1)
    await b.step()
    await it.timers.advance(1)
    await it.settle([b])
    expect(b.places).toEqual(all(6))
  })

  it('cannot be taken over while it is there', async () => {
    const it = await open()
    const a = it.consumer({ instanceId: 'i' })
    await it.settle([a])
    expect(await it.consumer({ instanceId: 'i' }).beat()).toBe('UNRELEASED_INSTANCE_ID')
    const other = { groupId: 'g', memberId: 'other', memberEpoch: 1, instanceId: 'i' }
    expect(errorName((await a.send(other)).errorCode)).toBe('FENCED_INSTANCE_ID')
    expect(errorName((await a.send({ ...other, memberEpoch: -2 })).errorCode)).toBe('FENCED_INSTANCE_ID')
    expect(errorName((await a.send({ ...other, instanceId: 'none' })).errorCode)).toBe('UNKNOWN_MEMBER_ID')
  })

  it('that leaves for good is gone', async () => {
    const it = await open()
    const a = it.consumer({ instanceId: 'i' })
    await it.settle([a])
    expect(await a.leave()).toBe('NONE')
    expect(await it.describe()).toMatchObject({ groupState: 'Empty', members: [] })
    const next = it.consumer({ instanceId: 'i' })
    await it.settle([next])
    expect(next.places).toEqual(all(6))
  })

  it.each([
    ['first', ['member-z', 'member-y', 'member-x']],
    ['last', ['member-x', 'member-y', 'member-z']],
  ])('keeps what it had where the same process comes back, its id the %s', async (_, ids) => {
    const it = await open(6)
    const members = ids.map((id, n) => it.consumer({ id, instanceId: `i${n}` }))
    for (const [n] of members.entries()) await it.settle(members.slice(0, n + 1))
    const [leaver, other, away] = [...members].sort((a, b) => (a.places.join() < b.places.join() ? -1 : 1))
    const had = away.places
    expect(await away.leave(-2)).toBe('NONE')
    expect(await leaver.leave()).toBe('NONE')
    // What the one left is shared out when the other comes back.
    await it.settle([away, other])
    expect(away.places).toEqual(expect.arrayContaining([...had]))
    expect([away, other].map(({ places }) => places.length)).toEqual([3, 3])
  })
})

describe('a subscription', () => {
  it('follows topics that come, grow and go', async () => {
    const it = await open(2)
    const a = it.consumer({ topics: ['t', 'u'] })
    await it.settle([a])
    expect(a.places).toEqual(all(2))
    await it.createTopic('u', 1)
    await it.settle([a])
    expect(a.places).toEqual([...all(2), 'u-0'])
    await it.addPartitions('t', 4)
    await it.settle([a])
    expect(a.places).toEqual([...all(4), 'u-0'])
    await it.deleteTopic('t')
    await it.settle([a])
    expect(a.places).toEqual(['u-0'])
    await it.createTopic('t', 1)
    await it.settle([a])
    expect(a.places).toEqual(['t-0', 'u-0'])
  })

  it('may change', async () => {
    const it = await open(2)
    await it.createTopic('u', 2)
    const [a, b] = [it.consumer(), it.consumer({ topics: ['t', 'u'] })]
    await it.settle([a, b])
    expect(ids([a, b])).toEqual([...all(2), ...all(2, 'u')])
    b.subscribe(['u'])
    await it.settle([a, b])
    expect([a.places, b.places]).toEqual([all(2), all(2, 'u')])
    expect((await it.describe()).members.find(({ memberId }) => memberId === b.id)!.subscribedTopicNames).toEqual(['u'])
  })

  it('by a regular expression stands for the topics whose whole name it matches', async () => {
    const it = await open(1)
    await it.createTopic('orders.eu', 2)
    const a = it.consumer({ topics: null, regex: 'orders\\..*' })
    await it.settle([a])
    expect(a.places).toEqual(all(2, 'orders.eu'))
    await it.createTopic('orders.us', 1)
    await it.createTopic('my.orders.us', 1)
    await it.settle([a])
    expect(a.places).toEqual([...all(2, 'orders.eu'), 'orders.us-0'])
    expect((await it.describe()).members[0]).toMatchObject({
      subscribedTopicRegex: 'orders\\..*',
      subscribedTopicNames: [],
    })
    a.subscribe(['t'], '')
    await it.settle([a])
    expect(a.places).toEqual(['t-0'])
    expect((await it.describe()).members[0].subscribedTopicRegex).toBe('')
  })

  it('with an expression that RE2 does not take, or that is too long, is refused', async () => {
    const it = await open()
    for (const regex of ['(', '(?=a)', '(a)\\1', 'a'.repeat(1001)]) {
      const a = it.consumer({ topics: null, regex })
      expect(await a.beat()).toBe('INVALID_REGULAR_EXPRESSION')
    }
    expect(errorName((await it.describe()).errorCode)).toBe('GROUP_ID_NOT_FOUND')
    const b = it.consumer()
    await it.settle([b])
    b.subscribe(null, '[')
    expect(await b.beat()).toBe('INVALID_REGULAR_EXPRESSION')
    expect((await it.describe()).members[0]).toMatchObject({ subscribedTopicNames: ['t'], subscribedTopicRegex: '' })
  })

  it('to nothing is possible', async () => {
    const it = await open()
    const a = it.consumer({ topics: [] })
    await it.settle([a])
    expect(a).toMatchObject({ epoch: 1, places: [] })
  })
})

describe('assignors', () => {
  it('are what most members ask for, the first configured where nobody does', async () => {
    const it = await open(4)
    await it.createTopic('u', 4)
    const options = { topics: ['t', 'u'], assignor: 'range' }
    const [a, b] = [it.consumer({ ...options, id: 'a' }), it.consumer({ ...options, id: 'b' })]
    await it.settle([a, b])
    expect(a.places).toEqual(['t-0', 't-1', 'u-0', 'u-1'])
    expect((await it.describe()).assignorName).toBe('range')
    const c = it.consumer({ groupId: 'h' })
    await it.settle([c], 'h')
    expect((await it.describe('h')).assignorName).toBe('uniform')
  })

  it('that are not there, or not configured, are refused', async () => {
    const it = await open(1, { 'group.consumer.assignors': 'range' })
    expect(await it.consumer({ assignor: 'sticky' }).beat()).toBe('UNSUPPORTED_ASSIGNOR')
    expect(await it.consumer({ assignor: 'uniform' }).beat()).toBe('UNSUPPORTED_ASSIGNOR')
    expect(await it.consumer({ assignor: 'range' }).beat()).toBe('NONE')
  })
})

describe('a heartbeat that says what it may not', () => {
  const join = {
    ...{ groupId: 'g', memberId: 'm', memberEpoch: 0, rebalanceTimeoutMs: 1000 },
    ...{ subscribedTopicNames: ['t'], topicPartitions: [] },
  }
  it.each([
    ['no group', { ...join, groupId: '' }],
    ['no member', { ...join, memberId: '' }],
    ['an empty instance', { ...join, instanceId: '' }],
    ['an empty rack', { ...join, rackId: '' }],
    ['no rebalance timeout', { ...join, rebalanceTimeoutMs: -1 }],
    [
      'partitions before it joined',
      { ...join, topicPartitions: [{ topicId: 'AAAAAAAAAAAAAAAAAAAAAQ', partitions: [0] }] },
    ],
    ['no word about partitions', { ...join, topicPartitions: null }],
    ['no subscription', { ...join, subscribedTopicNames: null }],
    ['going away as a dynamic member', { ...join, memberEpoch: -2 }],
    ['an impossible epoch', { ...join, memberEpoch: -3 }],
  ])('%s', async (_, request) => {
    const { groups } = await open()
    const answer = await groups.it.ask(apiKey.consumerGroupHeartbeat, request)
    expect(errorName(answer.errorCode)).toBe('INVALID_REQUEST')
    expect(answer.errorMessage).not.toBeNull()
  })
})
