import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { temporaryDirectory } from '../../harness.js'
import { rebalanceTimeoutMs, type TestConsumer, TestConsumers } from './test-consumers.js'

const clientCount = 5

type Step =
  | { do: 'step' | 'beat' | 'reconcile' | 'lost' | 'leave' | 'crash' | 'join'; who: number }
  | { do: 'away'; who: number }
  | { do: 'subscribe'; who: number; to: number }
  | { do: 'all' }
  | { do: 'wait'; ms: number }
  | { do: 'grow' | 'drop' | 'create' | 'restart' }

const subscriptions: readonly { topics: readonly string[] | null; regex: string | null }[] = [
  { topics: ['t'], regex: null },
  { topics: ['t', 'u'], regex: null },
  { topics: ['u'], regex: null },
  { topics: [], regex: '[tv]' },
  { topics: ['u'], regex: 'v|t' },
]

/** Consumers of one group, and what must hold after whatever they do: no partition is had by two. */
class Model {
  it: TestConsumers
  readonly assignor: string
  readonly consumers: TestConsumer[]
  readonly partitions = new Map([
    ['t', 5],
    ['u', 3],
  ])

  private constructor(it: TestConsumers, assignor: string, staticCount: number) {
    this.it = it
    this.assignor = assignor
    this.consumers = Array.from({ length: clientCount }, (_, i) =>
      it.consumer({ instanceId: i < staticCount ? `i${i}` : null, assignor, topics: ['t', 'u'] }),
    )
  }

  static async open(target: string, assignor: string, staticCount: number): Promise<Model> {
    const it = await TestConsumers.open(target)
    const model = new Model(it, assignor, staticCount)
    for (const [name, count] of model.partitions) await it.createTopic(name, count)
    return model
  }

  async run(step: Step): Promise<void> {
    await this.#act(step)
    await this.check()
  }

  async #act(step: Step): Promise<void> {
    if (step.do === 'all') for (const consumer of this.consumers) await consumer.step()
    else if (step.do === 'wait') await this.it.timers.advance(step.ms)
    else if (step.do === 'grow') {
      const count = this.partitions.get('t')! + 1
      this.partitions.set('t', count)
      await this.it.addPartitions('t', count)
    } else if (step.do === 'create' && !this.partitions.has('v')) {
      this.partitions.set('v', 2)
      await this.it.createTopic('v', 2)
    } else if (step.do === 'drop' && this.partitions.delete('v')) await this.it.deleteTopic('v')
    else if (step.do === 'restart') await this.#restart()
    else if ('who' in step) await this.#one(step, this.consumers[step.who])
  }

  async #one(step: Step & { who: number }, consumer: TestConsumer): Promise<void> {
    switch (step.do) {
      case 'step':
      case 'join':
        expect(benign).toContain(await consumer.step())
        break
      case 'beat':
        expect(benign).toContain(await consumer.beat())
        break
      case 'lost':
        expect(benign).toContain(await consumer.beat(true))
        break
      case 'reconcile':
        consumer.reconcile()
        break
      case 'leave':
        await consumer.leave()
        this.#next(step.who)
        break
      case 'away':
        if (consumer.instanceId !== null) await consumer.leave(-2)
        this.#next(step.who)
        break
      // The process is gone without a word.
      case 'crash':
        consumer.abandon()
        this.#next(step.who)
        break
      case 'subscribe': {
        const { topics, regex } = subscriptions[step.to]
        consumer.subscribe(topics, regex ?? '')
        break
      }
    }
  }

  /** Another process in the same place. */
  #next(who: number): void {
    const { instanceId, topics, regex } = this.consumers[who]
    this.consumers[who] = this.it.consumer({ instanceId, topics, regex, assignor: this.assignor })
  }

  async #restart(): Promise<void> {
    // It has its turn after what is being written.
    await this.it.consumer().send({ groupId: 'g', memberId: 'nobody', memberEpoch: 1 })
    const before = await this.it.describe()
    await this.it.restart()
    const after = await this.it.describe()
    expect(sorted(after)).toEqual(sorted(before))
  }

  /** Of those who are in the group; who is not knows it with its next heartbeat. */
  async check(): Promise<void> {
    const { members } = await this.it.describe()
    const given = new Map<string, string>()
    for (const { memberId, assignment } of members) {
      for (const place of this.it.placesOf(assignment.topicPartitions)) {
        expect(given.get(place), `${place} is given to two`).toBeUndefined()
        given.set(place, memberId)
      }
    }
    const owners = new Map<string, string>()
    const inGroup = new Map(members.map((member) => [member.memberId, member]))
    for (const { id, epoch, owned } of this.consumers) {
      if (!inGroup.has(id) || epoch === 0) continue
      for (const place of owned) {
        expect(owners.get(place), `${place} is had by two`).toBeUndefined()
        owners.set(place, id)
      }
    }
  }

  /** In the end everybody has its share, and every partition that somebody wants is had. */
  async converge(): Promise<void> {
    // Those who were there in an earlier life are no more.
    for (let i = 0; i < 4; i++) {
      await this.it.timers.advance(rebalanceTimeoutMs / 4)
      for (const consumer of this.consumers) await consumer.step()
      await this.check()
    }
    await this.it.settle(this.consumers)
    const wanted = new Map<string, number>()
    for (const [name, count] of this.partitions) {
      const subscribers = this.consumers.filter(({ topics, regex }) => topics?.includes(name) || matches(regex, name))
      if (subscribers.length === 0) continue
      for (let i = 0; i < count; i++) wanted.set(`${name}-${i}`, subscribers.length)
    }
    expect(this.consumers.flatMap(({ places }) => places).sort()).toEqual([...wanted.keys()].sort())
    for (const { places, topics, regex } of this.consumers) {
      for (const place of places) {
        const name = place.slice(0, place.lastIndexOf('-'))
        expect(topics?.includes(name) || matches(regex, name)).toBe(true)
      }
    }
    const same = new Set(this.consumers.map(({ topics, regex }) => JSON.stringify([topics, regex || null]))).size === 1
    if (!same || this.assignor !== 'uniform') return
    const counts = this.consumers.map(({ places }) => places.length)
    expect(Math.max(...counts) - Math.min(...counts)).toBeLessThanOrEqual(1)
  }
}

/** What a member that did all right may be told: it was silent for too long, or its place is not free yet. */
const benign = ['NONE', 'UNKNOWN_MEMBER_ID', 'UNRELEASED_INSTANCE_ID', 'GROUP_ID_NOT_FOUND', 'FENCED_MEMBER_EPOCH']

function matches(regex: string | null, name: string): boolean {
  return regex !== null && regex !== '' && new RegExp(`^(?:${regex})$`).test(name)
}

function sorted(group: Awaited<ReturnType<TestConsumers['describe']>>) {
  return { ...group, members: [...group.members].sort((a, b) => (a.memberId < b.memberId ? -1 : 1)) }
}

const who = fc.nat(clientCount - 1)
const common: fc.Arbitrary<Step>[] = [
  fc.record({ do: fc.constantFrom('step' as const, 'beat' as const, 'reconcile' as const, 'lost' as const), who }),
  fc.record({ do: fc.constantFrom('step' as const, 'join' as const), who }),
  fc.record({ do: fc.constantFrom('leave' as const, 'crash' as const, 'away' as const), who }),
  fc.record({ do: fc.constant('subscribe' as const), who, to: fc.nat(subscriptions.length - 1) }),
  fc.constant<Step>({ do: 'all' }),
  fc.record({ do: fc.constant('wait' as const), ms: fc.constantFrom(1000, 20_000, 50_000) }),
  fc.record({ do: fc.constantFrom('grow' as const, 'create' as const, 'drop' as const) }),
]
const steps = fc.array(fc.oneof(...common), { minLength: 5, maxLength: 40 })
const stepsWithRestarts = fc.array(fc.oneof(...common, fc.constant<Step>({ do: 'restart' })), { maxLength: 25 })
const assignor = fc.constantFrom('uniform', 'range')

describe('a consumer group', () => {
  it('never gives a partition to two, and gives each to somebody in the end', async () => {
    await fc.assert(
      fc.asyncProperty(assignor, fc.nat(2), steps, async (name, staticCount, list) => {
        const model = await Model.open('memory:', name, staticCount)
        for (const step of list) await model.run(step)
        await model.converge()
        await model.it.close()
      }),
      { numRuns: 60 },
    )
  }, 120_000)

  it('is after a restart what it was', async () => {
    await fc.assert(
      fc.asyncProperty(assignor, fc.nat(2), stepsWithRestarts, async (name, staticCount, list) => {
        const model = await Model.open(temporaryDirectory(), name, staticCount)
        for (const step of list) await model.run(step)
        await model.run({ do: 'restart' })
        await model.converge()
        await model.it.close()
      }),
      { numRuns: 12 },
    )
  }, 120_000)
})
