import { describe, expect, it } from 'vitest'
import { errorName } from '../../../ts/protocol/errors.js'
import {
  errorOf,
  isParked,
  rebalanceTimeoutMs,
  sessionTimeoutMs,
  subscription,
  TestGroups,
  textOf,
} from './test-groups.js'

const range = { name: 'range', metadata: subscription('t') }
const sticky = { name: 'sticky', metadata: subscription('t') }
const cooperative = { name: 'cooperative-sticky', metadata: subscription('t') }

describe('a first member', () => {
  it('is given an id and comes back with it, then leads generation 1', async () => {
    const g = await TestGroups.open()
    const id = await g.memberId({ clientId: 'app' })
    expect(id).toMatch(/^app-[0-9a-f-]{36}$/)
    const joined = g.join({ memberId: id })
    expect(await isParked(joined)).toBe(true)
    await g.timers.advance(0)
    expect(await joined).toMatchObject({
      errorCode: 0,
      generationId: 1,
      protocolType: 'consumer',
      protocolName: 'range',
      leader: id,
      memberId: id,
      skipAssignment: false,
      members: [{ memberId: id, groupInstanceId: null, metadata: range.metadata }],
    })
    expect(await g.state()).toBe('CompletingRebalance')
    const synced = await g.sync(id, 1, { [id]: 'all' })
    expect(synced).toMatchObject({ errorCode: 0, protocolType: 'consumer', protocolName: 'range' })
    expect(textOf(synced.assignment)).toBe('all')
    expect(await g.state()).toBe('Stable')
    expect(await g.heartbeat(id, 1)).toBe('NONE')
  })

  it('of an old client joins at once, and its answer names the protocol always', async () => {
    const g = await TestGroups.open()
    const joined = g.join({ version: 3 })
    await g.timers.advance(0)
    const answer = await joined
    expect(answer).toMatchObject({ errorCode: 0, generationId: 1, leader: answer.memberId })
    const refused = await g.join({ version: 3, memberId: 'nobody' })
    expect(refused).toMatchObject({ errorCode: expect.any(Number), protocolName: '' })
    expect(errorName(refused.errorCode)).toBe('UNKNOWN_MEMBER_ID')
  })

  it('is refused for what it asks', async () => {
    const g = await TestGroups.open()
    expect(await errorOf(g.group('').join())).toBe('INVALID_GROUP_ID')
    for (const sessionTimeoutMs of [5999, 1_800_001, -1]) {
      expect(await errorOf(g.join({ sessionTimeoutMs }))).toBe('INVALID_SESSION_TIMEOUT')
    }
    expect(await errorOf(g.join({ protocols: [] }))).toBe('INCONSISTENT_GROUP_PROTOCOL')
    expect(await errorOf(g.join({ protocolType: '' }))).toBe('INCONSISTENT_GROUP_PROTOCOL')
    expect(await errorOf(g.join({ memberId: 'never-given' }))).toBe('UNKNOWN_MEMBER_ID')
    expect(await g.list()).toEqual([])
  })

  it('that does not come back is forgotten after its session', async () => {
    const g = await TestGroups.open()
    const id = await g.memberId()
    await g.timers.advance(sessionTimeoutMs - 1)
    expect(await g.state()).toBe('Empty')
    await g.timers.advance(1)
    expect(await errorOf(g.join({ memberId: id }))).toBe('UNKNOWN_MEMBER_ID')
    expect(await g.list()).toEqual([])
    expect(await g.leave(await g.memberId())).toEqual(['NONE'])
    expect(await g.list()).toEqual([])
  })
})

describe('a group that rebalances', () => {
  it('waits for every member, and for one that has an id but has not joined', async () => {
    const g = await TestGroups.open()
    const { ids } = await g.stable(2)
    const late = await g.memberId()
    const third = await g.joinNew()
    expect(await g.state()).toBe('PreparingRebalance')
    for (const id of ids) expect(await g.heartbeat(id, 1)).toBe('REBALANCE_IN_PROGRESS')
    const again = ids.map((memberId) => g.join({ memberId }))
    expect(await isParked(third.joined)).toBe(true)
    const last = g.join({ memberId: late })
    const answers = await Promise.all([third.joined, ...again, last])
    expect(answers.map(({ generationId }) => generationId)).toEqual([2, 2, 2, 2])
    const leaders = answers.filter(({ members }) => members.length > 0)
    expect(leaders).toHaveLength(1)
    expect(leaders[0]).toMatchObject({ leader: ids[0], memberId: ids[0] })
    expect(leaders[0].members).toHaveLength(4)
  })

  it('goes on without those who do not come in time, and elects another leader', async () => {
    const g = await TestGroups.open()
    const { ids } = await g.stable(3)
    const rejoined = [g.join({ memberId: ids[1], protocols: [range, sticky] }), g.join({ memberId: ids[2] })]
    // The leader is alive, but does not join.
    for (let ms = 0; ms < rebalanceTimeoutMs; ms += 5000) {
      expect(await g.heartbeat(ids[0], 1)).toBe('REBALANCE_IN_PROGRESS')
      await g.timers.advance(5000)
    }
    const answers = await Promise.all(rejoined)
    expect(answers[0]).toMatchObject({ generationId: 2, leader: ids[1], protocolName: 'range' })
    expect(answers[0].members).toHaveLength(2)
    expect(answers[1].members).toHaveLength(0)
    expect(await g.heartbeat(ids[0], 1)).toBe('UNKNOWN_MEMBER_ID')
  })

  it('sends those back who wait for an assignment', async () => {
    const g = await TestGroups.open()
    const [a, b] = [await g.memberId(), await g.memberId()]
    const joins = [g.join({ memberId: a }), g.join({ memberId: b })]
    await g.timers.advance(0)
    await Promise.all(joins)
    const waiting = g.sync(b, 1)
    expect(await isParked(waiting)).toBe(true)
    const third = await g.joinNew()
    expect(await errorOf(waiting)).toBe('REBALANCE_IN_PROGRESS')
    expect(await errorOf(g.sync(a, 1, { [a]: 'x' }))).toBe('REBALANCE_IN_PROGRESS')
    const again = [g.join({ memberId: a }), g.join({ memberId: b })]
    expect((await third.joined).generationId).toBe(2)
    await Promise.all(again)
  })

  it('removes members that never ask for their assignment', async () => {
    const g = await TestGroups.open()
    const { ids } = await g.stable(1)
    const second = await g.joinNew()
    const first = g.join({ memberId: ids[0] })
    await second.joined
    await first
    expect(await errorOf(g.sync(ids[0], 2, {}))).toBe('NONE')
    for (let ms = 0; ms < rebalanceTimeoutMs; ms += 5000) {
      expect(await g.heartbeat(ids[0], 2)).toBe('NONE')
      expect(await g.heartbeat(second.id, 2)).toBe('NONE')
      await g.timers.advance(5000)
    }
    expect(await g.heartbeat(second.id, 2)).toBe('UNKNOWN_MEMBER_ID')
    expect(await g.heartbeat(ids[0], 2)).toBe('REBALANCE_IN_PROGRESS')
  })

  it('waits at first for more members, if told to', async () => {
    const g = await TestGroups.open('memory:', { config: { 'group.initial.rebalance.delay.ms': 3000 } })
    const first = await g.joinNew()
    await g.timers.advance(2000)
    const second = await g.joinNew()
    await g.timers.advance(2000)
    expect(await isParked(first.joined)).toBe(true)
    await g.timers.advance(2000)
    const answers = await Promise.all([first.joined, second.joined])
    expect(answers.map(({ generationId }) => generationId)).toEqual([1, 1])
  })

  it('answers a join that its client sent again, to both', async () => {
    const g = await TestGroups.open()
    const { ids } = await g.stable(2)
    const lost = g.join({ memberId: ids[0] })
    const repeated = g.join({ memberId: ids[0] })
    expect(await errorOf(lost)).toBe('REBALANCE_IN_PROGRESS')
    const other = g.join({ memberId: ids[1] })
    expect(await errorOf(repeated)).toBe('NONE')
    await other
  })
})

describe('a connection that ends while its member joins', () => {
  it('takes a new member with it', async () => {
    const g = await TestGroups.open()
    const { ids } = await g.stable(1)
    const connection = new AbortController()
    const gone = await g.joinNew({ signal: connection.signal })
    const first = g.join({ memberId: ids[0] })
    expect((await first).generationId).toBe(2)
    const late = await g.joinNew({ signal: connection.signal })
    connection.abort()
    expect(await errorOf(late.joined)).toBe('UNKNOWN_MEMBER_ID')
    expect((await gone.joined).generationId).toBe(2)
    const again = [g.join({ memberId: gone.id }), g.join({ memberId: ids[0] })]
    const [, leader] = await Promise.all(again)
    expect(leader.members.map(({ memberId }) => memberId)).toEqual([ids[0], gone.id])
  })

  it('leaves a member its session to come again', async () => {
    const g = await TestGroups.open()
    const { ids } = await g.stable(3)
    const connection = new AbortController()
    const cut = [0, 1].map((i) => g.join({ memberId: ids[i], signal: connection.signal }))
    connection.abort()
    await Promise.all(cut)
    const last = g.join({ memberId: ids[2] })
    expect(await isParked(last)).toBe(true)
    await g.timers.advance(sessionTimeoutMs / 2)
    const again = g.join({ memberId: ids[0] })
    await g.timers.advance(sessionTimeoutMs)
    expect((await again).members.map(({ memberId }) => memberId)).toEqual([ids[0], ids[2]])
    expect((await last).generationId).toBe(2)
  })

  it('that ended before is noticed too', async () => {
    const g = await TestGroups.open()
    const id = await g.memberId()
    expect(await errorOf(g.join({ memberId: id, signal: AbortSignal.abort() }))).toBe('UNKNOWN_MEMBER_ID')
    expect(await g.list()).toEqual(['g'])
    expect(await g.state()).toBe('Empty')
  })
})

describe('joining again', () => {
  it('with the same protocols tells a follower the present generation', async () => {
    const g = await TestGroups.open()
    const { ids } = await g.stable(2)
    const answer = await g.join({ memberId: ids[1] })
    expect(answer).toMatchObject({ errorCode: 0, generationId: 1, leader: ids[0], members: [] })
    expect(await g.state()).toBe('Stable')
  })

  it('with others, or as the leader, rebalances', async () => {
    const g = await TestGroups.open()
    const { ids } = await g.stable(2)
    const follower = g.join({ memberId: ids[1], protocols: [{ name: 'range', metadata: subscription('u') }] })
    expect(await g.state()).toBe('PreparingRebalance')
    const leader = g.join({ memberId: ids[0] })
    expect((await leader).generationId).toBe(2)
    expect((await follower).generationId).toBe(2)
    await g.sync(ids[0], 2)
    await g.sync(ids[1], 2)
    g.join({ memberId: ids[0] }).catch(() => {})
    expect(await g.state()).toBe('PreparingRebalance')
  })

  it('after the answer was lost gives it again, members and all', async () => {
    const g = await TestGroups.open()
    const { id, joined } = await g.joinNew()
    await g.timers.advance(0)
    const first = await joined
    expect(await g.join({ memberId: id })).toEqual(first)
  })
})

describe('the protocol', () => {
  it('is the one most members prefer, of those that all have', async () => {
    const g = await TestGroups.open()
    const preferences = [
      [range, sticky, cooperative],
      [sticky, range],
      [sticky, cooperative, range],
    ]
    const joins = []
    for (const protocols of preferences) joins.push((await g.joinNew({ protocols })).joined)
    await g.timers.advance(0)
    for (const { protocolName } of await Promise.all(joins)) expect(protocolName).toBe('sticky')
  })

  it('must be one that all have, of the type that the group has', async () => {
    const g = await TestGroups.open()
    await g.stable(1, { protocols: [range, sticky] })
    expect(await errorOf(g.join({ protocols: [cooperative] }))).toBe('INCONSISTENT_GROUP_PROTOCOL')
    expect(await errorOf(g.join({ protocolType: 'connect' }))).toBe('INCONSISTENT_GROUP_PROTOCOL')
    expect(await errorOf(g.join({ protocols: [cooperative, sticky] }))).toBe('MEMBER_ID_REQUIRED')
  })

  it('is checked in a sync', async () => {
    const g = await TestGroups.open()
    const { ids } = await g.stable(1)
    const wrong = { protocolName: 'sticky' }
    expect(await errorOf(g.sync(ids[0], 1, {}, wrong))).toBe('INCONSISTENT_GROUP_PROTOCOL')
    expect(await errorOf(g.sync(ids[0], 1, {}, { protocolType: 'connect' }))).toBe('INCONSISTENT_GROUP_PROTOCOL')
    const request = { groupId: 'g', memberId: ids[0], generationId: 1 }
    expect(await errorOf(g.it.ask(14, request))).toBe('INCONSISTENT_GROUP_PROTOCOL')
    expect(await errorOf(g.it.ask(14, request, { apiVersion: 4 }))).toBe('NONE')
  })
})

describe('requests out of place', () => {
  it('of unknown members and old generations', async () => {
    const g = await TestGroups.open()
    expect(await g.heartbeat('nobody', 1)).toBe('UNKNOWN_MEMBER_ID')
    expect(await errorOf(g.sync('nobody', 1))).toBe('UNKNOWN_MEMBER_ID')
    const { ids } = await g.stable(1)
    expect(await g.heartbeat('nobody', 1)).toBe('UNKNOWN_MEMBER_ID')
    expect(await g.heartbeat(ids[0], 0)).toBe('ILLEGAL_GENERATION')
    expect(await g.heartbeat(ids[0], 2)).toBe('ILLEGAL_GENERATION')
    expect(await errorOf(g.sync(ids[0], 2))).toBe('ILLEGAL_GENERATION')
    for (const empty of [g.group('').heartbeat('x', 1), errorOf(g.group('').sync('x', 1))]) {
      expect(await empty).toBe('INVALID_GROUP_ID')
    }
    expect(await g.group('').leave('x')).toEqual(['INVALID_GROUP_ID'])
  })

  it('a group that is full turns members away', async () => {
    const g = await TestGroups.open('memory:', { config: { 'group.max.size': 2 } })
    const { ids } = await g.stable(2)
    expect(await errorOf(g.join())).toBe('GROUP_MAX_SIZE_REACHED')
    expect(await g.heartbeat(ids[0], 1)).toBe('NONE')
  })
})

describe('sessions', () => {
  it('a silent member is removed, the others share', async () => {
    const g = await TestGroups.open()
    const { ids } = await g.stable(2)
    for (let ms = 0; ms < 2 * sessionTimeoutMs; ms += 2000) {
      await g.timers.advance(2000)
      await g.heartbeat(ids[0], 1)
    }
    expect(await g.heartbeat(ids[1], 1)).toBe('UNKNOWN_MEMBER_ID')
    const again = await g.join({ memberId: ids[0] })
    expect(again).toMatchObject({ generationId: 2, leader: ids[0] })
    expect(again.members).toHaveLength(1)
  })

  it('a parked request keeps a member, but not a new one for ever', async () => {
    const g = await TestGroups.open()
    const { ids } = await g.stable(2, { rebalanceTimeoutMs: 1_000_000, sessionTimeoutMs: 10_000 })
    const parked = g.join({ memberId: ids[0] })
    const fresh = await g.joinNew()
    for (let ms = 0; ms < 300_000; ms += 5000) {
      await g.heartbeat(ids[1], 1)
      await g.timers.advance(5000)
    }
    expect(await errorOf(fresh.joined)).toBe('UNKNOWN_MEMBER_ID')
    expect(await isParked(parked)).toBe(true)
    expect((await g.join({ memberId: ids[1] })).generationId).toBe(2)
    expect((await parked).generationId).toBe(2)
  })

  it('all members gone leave an empty group of the next generation', async () => {
    const g = await TestGroups.open()
    await g.stable(2)
    await g.timers.advance(sessionTimeoutMs + rebalanceTimeoutMs)
    expect(await g.describe()).toMatchObject({ groupState: 'Empty', protocolType: 'consumer', members: [] })
    const { generation } = await g.stable(1)
    expect(generation).toBeGreaterThan(2)
  })
})

describe('leaving', () => {
  it('rebalances the rest at once, and empties the group with the last', async () => {
    const g = await TestGroups.open()
    const { ids } = await g.stable(3)
    expect(await g.leave(ids[0], 'nobody', ids[1])).toEqual(['NONE', 'UNKNOWN_MEMBER_ID', 'NONE'])
    expect(await g.heartbeat(ids[2], 1)).toBe('REBALANCE_IN_PROGRESS')
    const again = await g.join({ memberId: ids[2] })
    expect(again).toMatchObject({ generationId: 2, leader: ids[2] })
    expect(await g.leave(ids[2])).toEqual(['NONE'])
    expect(await g.state()).toBe('Empty')
    expect(await g.leave(ids[2])).toEqual(['UNKNOWN_MEMBER_ID'])
  })

  it('answers in the old way to old clients', async () => {
    const g = await TestGroups.open()
    const { ids } = await g.stable(1)
    const leave = (memberId: string) => g.it.ask(13, { groupId: 'g', memberId }, { apiVersion: 2 })
    expect(await errorOf(leave('nobody'))).toBe('UNKNOWN_MEMBER_ID')
    expect(await leave(ids[0])).toMatchObject({ errorCode: 0, members: [] })
    expect(await g.state()).toBe('Empty')
  })

  it('is possible before joining, and while joining', async () => {
    const g = await TestGroups.open()
    const { ids } = await g.stable(1)
    const pending = await g.memberId()
    const joining = await g.joinNew()
    const first = g.join({ memberId: ids[0] })
    expect(await isParked(first)).toBe(true)
    expect(await g.leave(joining.id)).toEqual(['NONE'])
    expect(await errorOf(joining.joined)).toBe('UNKNOWN_MEMBER_ID')
    expect(await g.leave(pending)).toEqual(['NONE'])
    expect((await first).generationId).toBe(2)
  })
})
