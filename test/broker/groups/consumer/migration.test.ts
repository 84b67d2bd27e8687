import { describe, expect, it } from 'vitest'
import { apiKey } from '../../../../ts/protocol/apis.js'
import { readPayload, writePayload } from '../../../../ts/protocol/codec/payloads.js'
import { errorName } from '../../../../ts/protocol/errors.js'
import {
  consumerProtocolAssignment,
  consumerProtocolSubscription,
} from '../../../../ts/protocol/payloads/consumer-protocol.js'
import { temporaryDirectory } from '../../harness.js'
import { errorOf, isParked, type TestGroups } from '../test-groups.js'
import { TestConsumers } from './test-consumers.js'

type Owned = readonly { topic: string; partitions: readonly number[] }[]

/** What a classic consumer joins with: it says what it has, as cooperative ones do. */
function protocols(owned: Owned, topics: readonly string[] = ['t']) {
  const fields = { topics, userData: null, ownedPartitions: owned, generationId: -1, rackId: null }
  return [{ name: 'cooperative-sticky', metadata: writePayload(consumerProtocolSubscription, 1, fields) }]
}

const assignmentOf = (partitions: readonly number[]) =>
  Buffer.from(
    writePayload(consumerProtocolAssignment, 1, { assignedPartitions: [{ topic: 't', partitions }], userData: null }),
  ).toString('latin1')

/** A consumer of the classic protocol: joins and syncs as it is told to. */
class ClassicConsumer {
  readonly groups: TestGroups
  readonly instanceId: string | null
  id = ''
  generation = -1
  owned: number[] = []

  constructor(groups: TestGroups, instanceId: string | null = null) {
    this.groups = groups
    this.instanceId = instanceId
  }

  join() {
    const owned = this.owned.length === 0 ? [] : [{ topic: 't', partitions: this.owned }]
    return this.groups.join({ memberId: this.id, instanceId: this.instanceId, protocols: protocols(owned) })
  }

  /** Joins, twice where it needs an id first, and syncs. The error of what failed, or NONE. */
  async rejoin(): Promise<string> {
    let joined = await this.join()
    if (errorName(joined.errorCode) === 'MEMBER_ID_REQUIRED') {
      this.id = joined.memberId
      joined = await this.join()
    }
    if (joined.errorCode !== 0) return errorName(joined.errorCode)
    this.id = joined.memberId
    this.generation = joined.generationId
    const synced = await this.sync()
    if (synced.errorCode !== 0) return errorName(synced.errorCode)
    // A leader that assigns nothing has nothing.
    const read = synced.assignment.length > 0 ? readPayload(consumerProtocolAssignment, synced.assignment) : null
    this.owned = [...(read?.assignedPartitions[0]?.partitions ?? [])]
    return 'NONE'
  }

  sync(assignments: Record<string, string> = {}) {
    const { id, generation, instanceId } = this
    return this.groups.sync(id, generation, assignments, { instanceId, protocolName: 'cooperative-sticky' })
  }

  /** The error; joins again if it is to. */
  async beat(): Promise<string> {
    const error = await this.groups.heartbeat(this.id, this.generation, this.instanceId)
    return error === 'REBALANCE_IN_PROGRESS' ? this.rejoin() : error
  }

  get places(): string[] {
    return this.owned.map((partition) => `t-${partition}`)
  }
}

async function open(config: Record<string, string | number> = {}, target = 'memory:') {
  const it = await TestConsumers.open(target, { config })
  await it.createTopic('t', 4)
  return it
}

/** Two classic consumers in one stable generation of a classic group, two partitions each. */
async function classicPair(it: TestConsumers) {
  const { groups } = it
  const [a, b] = [new ClassicConsumer(groups), new ClassicConsumer(groups)]
  for (const consumer of [a, b]) consumer.id = (await consumer.join()).memberId
  const joins = [a, b].map((consumer) => consumer.join())
  await it.timers.advance(0)
  const answers = await Promise.all(joins)
  for (const consumer of [a, b]) consumer.generation = answers[0].generationId
  a.owned = [0, 1]
  b.owned = [2, 3]
  const assignments = { [a.id]: assignmentOf([0, 1]), [b.id]: assignmentOf([2, 3]) }
  const syncs = [a, b].map((consumer) =>
    binarySync(groups, consumer, answers[0].leader === consumer.id ? assignments : {}),
  )
  for (const { errorCode } of await Promise.all(syncs)) expect(errorCode).toBe(0)
  return [a, b] as const
}

function binarySync(groups: TestGroups, { id, generation }: ClassicConsumer, assignments: Record<string, string>) {
  return groups.it.ask(apiKey.syncGroup, {
    groupId: 'g',
    memberId: id,
    generationId: generation,
    protocolType: 'consumer',
    protocolName: 'cooperative-sticky',
    assignments: Object.entries(assignments).map(([memberId, text]) => ({
      memberId,
      assignment: Buffer.from(text, 'latin1'),
    })),
  })
}

type Both = { readonly places: readonly string[] }
const all = (...consumers: Both[]) => consumers.flatMap(({ places }) => places).sort()
const four = ['t-0', 't-1', 't-2', 't-3']

describe('a classic group that somebody joins by the consumer protocol', () => {
  it('becomes a consumer group whose members go on as they are', async () => {
    const it = await open()
    const [a, b] = await classicPair(it)
    await it.groups.commit({ 't/0': 7 }, { memberId: a.id, generationId: a.generation })
    const c = it.consumer()
    await c.step()
    expect(c.places).toEqual([])
    const group = await it.describe()
    expect(group.members.map(({ memberType }) => memberType).sort()).toEqual([0, 0, 1])
    expect(await it.groups.fetch(['t/0'])).toEqual({ 't/0': 7 })
    for (let round = 0; round < 6; round++) {
      for (const classic of [a, b]) expect(await classic.beat()).toBe('NONE')
      await c.step()
      expect(new Set(all(a, b, c)).size).toBe(all(a, b, c).length)
    }
    expect(all(a, b, c)).toEqual(four)
    expect(c.places.length).toBeGreaterThan(0)
    expect((await it.describe()).groupState).toBe('Stable')
    expect(await it.groups.commit({ 't/0': 8 }, { memberId: a.id, generationId: a.generation })).toEqual(['NONE'])
    expect(await it.groups.commit({ 't/0': 8 }, { memberId: a.id, generationId: a.generation + 1 })).toEqual([
      'ILLEGAL_GENERATION',
    ])
  })

  it('goes on after a restart', async () => {
    const it = await open({}, temporaryDirectory())
    const [a] = await classicPair(it)
    const c = it.consumer()
    await c.step()
    const before = await it.describe()
    await it.restart()
    expect(await it.describe()).toEqual(before)
    const again = new ClassicConsumer(it.groups)
    Object.assign(again, { id: a.id, generation: a.generation, owned: a.owned })
    expect(await again.beat()).toBe('NONE')
    expect(again.generation).toBe((await it.describe()).groupEpoch)
  })

  it('sends those who wait for others back to join', async () => {
    const it = await open()
    const [a] = await classicPair(it)
    const joining = a.join()
    expect(await isParked(joining)).toBe(true)
    await it.consumer().beat()
    expect(await errorOf(joining)).toBe('REBALANCE_IN_PROGRESS')
    expect(await a.rejoin()).toBe('NONE')
  })

  it('stays what it is where the policy says so, or its members are no consumers', async () => {
    const it = await open({ 'group.consumer.migration.policy': 'downgrade' })
    const [a] = await classicPair(it)
    expect(await it.consumer().beat()).toBe('GROUP_ID_NOT_FOUND')
    expect(await a.beat()).toBe('NONE')
    const other = it.groups.group('connect')
    await other.stable(1, { protocolType: 'connect', protocols: [{ name: 'range', metadata: Buffer.alloc(1) }] })
    expect(await it.consumer({ groupId: 'connect' }).beat()).toBe('GROUP_ID_NOT_FOUND')
  })

  it('without members just becomes one, with its offsets', async () => {
    const it = await open({ 'group.consumer.migration.policy': 'disabled' })
    await it.groups.commit({ 't/0': 7 })
    const a = it.consumer()
    await it.settle([a])
    expect(await it.groups.fetch(['t/0'])).toEqual({ 't/0': 7 })
    expect(await it.groups.list([], ['classic'])).toEqual([])
  })
})

describe('a consumer group with members of the classic protocol', () => {
  it('becomes a classic group when the last other member leaves', async () => {
    const it = await open()
    const c = it.consumer()
    await it.settle([c])
    const a = new ClassicConsumer(it.groups)
    expect(await a.rejoin()).toBe('NONE')
    expect(a.places).toEqual([])
    await it.settleWith(c, a)
    expect(a.places.length).toBe(2)
    await it.groups.commit({ 't/0': 7 }, { memberId: a.id, generationId: a.generation })
    expect(await c.leave()).toBe('NONE')
    expect(await it.groups.list([], ['classic'])).toEqual(['g'])
    expect(await it.groups.state()).toBe('PreparingRebalance')
    expect(await it.groups.heartbeat(a.id, a.generation)).toBe('REBALANCE_IN_PROGRESS')
    const joined = await a.join()
    expect(joined).toMatchObject({ errorCode: 0, leader: a.id })
    expect(await it.groups.fetch(['t/0'])).toEqual({ 't/0': 7 })
  })

  it('does so when the last other member is silent, and goes on after a restart', async () => {
    const it = await open({}, temporaryDirectory())
    const c = it.consumer()
    await it.settle([c])
    const a = new ClassicConsumer(it.groups)
    expect(await a.rejoin()).toBe('NONE')
    for (let passed = 0; passed < 50_000; passed += 5000) {
      await it.timers.advance(5000)
      await a.beat()
    }
    await it.groups.commit({ 't/0': 7 }, { memberId: a.id, generationId: a.generation })
    expect(await it.groups.list([], ['classic'])).toEqual(['g'])
    await it.restart()
    expect((await it.groups.describe()).members.map(({ memberId }) => memberId)).toEqual([a.id])
  })

  it('stays one where the policy says so', async () => {
    const it = await open({ 'group.consumer.migration.policy': 'upgrade' })
    const c = it.consumer()
    await it.settle([c])
    const a = new ClassicConsumer(it.groups)
    await a.rejoin()
    await c.leave()
    expect(await it.groups.list([], ['consumer'])).toEqual(['g'])
    await a.beat()
    expect(a.places).toEqual(four)
  })

  it('without members becomes a classic one for whoever joins so', async () => {
    const it = await open()
    const c = it.consumer()
    await it.settle([c])
    await c.commit({ 't/0': 7 })
    await c.leave()
    const a = new ClassicConsumer(it.groups)
    a.id = (await a.join()).memberId
    const joining = a.join()
    await it.timers.advance(0)
    expect(await joining).toMatchObject({ errorCode: 0, leader: a.id })
    expect(await it.groups.list([], ['classic'])).toEqual(['g'])
    expect(await it.groups.fetch(['t/0'])).toEqual({ 't/0': 7 })
  })

  it('lets go of classic members that leave, are silent, or do not join again in time', async () => {
    const it = await open()
    const c = it.consumer()
    await it.settle([c])
    const [a, b, d] = [new ClassicConsumer(it.groups), new ClassicConsumer(it.groups), new ClassicConsumer(it.groups)]
    for (const classic of [a, b, d]) await classic.rejoin()
    expect(await it.groups.leave(a.id, 'nobody', c.id)).toEqual(['NONE', 'UNKNOWN_MEMBER_ID', 'UNKNOWN_MEMBER_ID'])
    // Heard, but it never joins again.
    for (let passed = 0; passed < 65_000; passed += 5000) {
      await it.timers.advance(5000)
      await it.groups.heartbeat(d.id, d.generation)
      await c.step()
    }
    expect((await it.describe()).members.map(({ memberId }) => memberId)).toEqual([c.id])
    await it.settle([c])
    expect(c.places).toEqual(four)
  })

  it('refuses members that have no protocol in common with the others, or send what cannot be read', async () => {
    const it = await open()
    await it.settle([it.consumer()])
    const a = new ClassicConsumer(it.groups)
    await a.rejoin()
    const metadata = protocols([])[0].metadata
    const join = (options: object) => errorOf(it.groups.join({ memberId: 'x', ...options }))
    expect(await join({ protocols: [{ name: 'other', metadata }] })).toBe('INCONSISTENT_GROUP_PROTOCOL')
    expect(await join({ protocolType: 'connect', protocols: protocols([]) })).toBe('INCONSISTENT_GROUP_PROTOCOL')
    const broken = [{ name: 'cooperative-sticky', metadata: Buffer.alloc(3) }]
    expect(await join({ protocols: broken })).toBe('INCONSISTENT_GROUP_PROTOCOL')
  })

  it('hands a static member from one protocol to the other', async () => {
    const it = await open()
    const old = new ClassicConsumer(it.groups, 'i')
    const other = it.consumer()
    await it.settle([other])
    await old.rejoin()
    await it.settleWith(other, old)
    const { places } = old
    const next = it.consumer({ instanceId: 'i' })
    expect(await next.step()).toBe('NONE')
    expect(next.places).toEqual(places)
    const back = new ClassicConsumer(it.groups, 'i')
    await other.step()
    expect(await back.rejoin()).toBe('NONE')
    expect(back.places).toEqual(places)
  })

  it('becomes a classic one when a static member comes back as the last that was of the other protocol', async () => {
    const it = await open()
    const c = it.consumer({ instanceId: 'i' })
    await it.settle([c])
    const a = new ClassicConsumer(it.groups)
    await a.rejoin()
    const back = new ClassicConsumer(it.groups, 'i')
    const joining = back.join()
    const again = a.join()
    await it.timers.advance(0)
    expect((await joining).errorCode).toBe(0)
    expect((await again).errorCode).toBe(0)
    expect(await it.groups.list([], ['classic'])).toEqual(['g'])
    expect((await it.groups.describe()).members.length).toBe(2)
  })
})
