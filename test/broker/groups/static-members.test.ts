import { describe, expect, it } from 'vitest'
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

/** Two static members `i0` (the leader) and `i1`, stable in generation 1. */
async function twoStatic(options = {}) {
  const g = await TestGroups.open('memory:', options)
  const protocols = [range, sticky]
  const joins = ['i0', 'i1'].map((instanceId) => g.join({ instanceId, protocols }))
  await g.timers.advance(0)
  const answers = await Promise.all(joins)
  const ids = answers.map(({ memberId }) => memberId)
  const assignments = { [ids[0]]: 'a0', [ids[1]]: 'a1' }
  await Promise.all([g.sync(ids[0], 1, assignments, { instanceId: 'i0' }), g.sync(ids[1], 1, {}, { instanceId: 'i1' })])
  return { g, ids, protocols }
}

describe('a static member', () => {
  it('joins without the round trip for an id', async () => {
    const g = await TestGroups.open()
    const joined = g.join({ instanceId: 'i0' })
    await g.timers.advance(0)
    const answer = await joined
    expect(answer).toMatchObject({ errorCode: 0, generationId: 1, leader: answer.memberId })
    expect(answer.memberId).toMatch(/^i0-/)
    expect(answer.members[0].groupInstanceId).toBe('i0')
  })

  it('that comes back takes its place and assignment, and nobody rebalances', async () => {
    const { g, ids, protocols } = await twoStatic()
    const back = await g.join({ instanceId: 'i1', protocols })
    expect(back).toMatchObject({ errorCode: 0, generationId: 1, leader: ids[0], members: [], skipAssignment: false })
    expect(back.memberId).not.toBe(ids[1])
    expect(textOf((await g.sync(back.memberId, 1, {}, { instanceId: 'i1' })).assignment)).toBe('a1')
    expect(await g.state()).toBe('Stable')
    expect(await g.heartbeat(ids[0], 1, 'i0')).toBe('NONE')
    expect(await g.heartbeat(ids[1], 1, 'i1')).toBe('FENCED_INSTANCE_ID')
    expect(await g.heartbeat(ids[1], 1)).toBe('UNKNOWN_MEMBER_ID')
    expect(await errorOf(g.sync(ids[1], 1, {}, { instanceId: 'i1' }))).toBe('FENCED_INSTANCE_ID')
    expect(await errorOf(g.join({ memberId: ids[1], instanceId: 'i1', protocols }))).toBe('FENCED_INSTANCE_ID')
    expect(await g.commit({ t: 1 }, { memberId: ids[1], instanceId: 'i1', generationId: 1 })).toEqual([
      'UNKNOWN_TOPIC_OR_PARTITION',
    ])
  })

  it('that led comes back as the leader whose assignment holds', async () => {
    const { g, ids, protocols } = await twoStatic()
    const back = await g.join({ instanceId: 'i0', protocols })
    expect(back).toMatchObject({ generationId: 1, leader: back.memberId, skipAssignment: true })
    expect(back.members.map(({ memberId }) => memberId).sort()).toEqual([back.memberId, ids[1]].sort())
    expect(textOf((await g.sync(back.memberId, 1, {}, { instanceId: 'i0' })).assignment)).toBe('a0')
  })

  it('that led, of an old client, is told the leader that was, and so assigns nothing', async () => {
    const { g, ids, protocols } = await twoStatic()
    const back = await g.join({ instanceId: 'i0', protocols, version: 8 })
    expect(back).toMatchObject({ generationId: 1, leader: ids[0], members: [], skipAssignment: false })
    expect(back.memberId).not.toBe(ids[0])
  })

  it('that comes back with protocols that change the choice rebalances', async () => {
    const { g, ids, protocols } = await twoStatic()
    const back = g.join({ instanceId: 'i1', protocols: [sticky] })
    expect(await isParked(back)).toBe(true)
    const leader = await g.join({ memberId: ids[0], instanceId: 'i0', protocols })
    expect(leader).toMatchObject({ generationId: 2, protocolName: 'sticky' })
    expect((await back).generationId).toBe(2)
  })

  it('fences whoever is parked under its name', async () => {
    const { g, ids, protocols } = await twoStatic()
    const old = g.join({ memberId: ids[0], instanceId: 'i0', protocols })
    expect(await isParked(old)).toBe(true)
    const next = g.join({ instanceId: 'i0', protocols })
    expect(await old).toMatchObject({ memberId: ids[0] })
    expect(await errorOf(old)).toBe('FENCED_INSTANCE_ID')
    const other = g.join({ memberId: ids[1], instanceId: 'i1', protocols })
    expect((await next).generationId).toBe(2)
    await other
  })

  it('that comes back while the leader assigns begins the rebalance anew', async () => {
    const { g, ids, protocols } = await twoStatic()
    const joins = [0, 1].map((i) => g.join({ memberId: ids[i], instanceId: `i${i}`, protocols }))
    await Promise.all(joins)
    const waiting = g.sync(ids[1], 2, {}, { instanceId: 'i1' })
    const back = g.join({ instanceId: 'i1', protocols })
    expect(await errorOf(waiting)).toBe('FENCED_INSTANCE_ID')
    expect(await errorOf(g.sync(ids[0], 2, {}, { instanceId: 'i0' }))).toBe('REBALANCE_IN_PROGRESS')
    const leader = g.join({ memberId: ids[0], instanceId: 'i0', protocols })
    expect((await back).generationId).toBe(3)
    await leader
  })

  it('keeps its place through a rebalance it misses, until its session ends', async () => {
    const { g, ids, protocols } = await twoStatic()
    const beat = async (ms: number) => {
      for (let passed = 0; passed < ms; passed += 2000) {
        await g.timers.advance(2000)
        await g.heartbeat(ids[1], 1, 'i1')
      }
    }
    const first = g.join({ memberId: ids[0], instanceId: 'i0', protocols })
    await beat(rebalanceTimeoutMs)
    const answer = await first
    expect(answer).toMatchObject({ generationId: 2, leader: ids[0] })
    expect(answer.members.map(({ groupInstanceId }) => groupInstanceId)).toEqual(['i0', 'i1'])
    await g.timers.advance(sessionTimeoutMs)
    expect(await g.heartbeat(ids[1], 2, 'i1')).toBe('UNKNOWN_MEMBER_ID')
  })

  it('all of whom are silent keep nobody waiting for ever', async () => {
    const { g } = await twoStatic()
    await g.timers.advance(sessionTimeoutMs + rebalanceTimeoutMs)
    expect(await g.state()).toBe('Empty')
  })

  it('leaves by its instance id alone, and not by that of another process', async () => {
    const { g, ids } = await twoStatic()
    expect(await g.leave({ memberId: ids[0], instanceId: 'i1' })).toEqual(['FENCED_INSTANCE_ID'])
    expect(await g.leave({ instanceId: 'i9' }, { instanceId: 'i1' })).toEqual(['UNKNOWN_MEMBER_ID', 'NONE'])
    expect(await g.heartbeat(ids[1], 1, 'i1')).toBe('UNKNOWN_MEMBER_ID')
    expect(await g.heartbeat(ids[0], 1, 'i0')).toBe('REBALANCE_IN_PROGRESS')
  })
})
