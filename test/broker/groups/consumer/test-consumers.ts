import type { BrokerOptions } from '../../../../ts/broker/broker.js'
import type { RequestContext } from '../../../../ts/broker/request-context.js'
import { apiKey, type RequestOf, type ResponseOf } from '../../../../ts/protocol/apis.js'
import { errorName } from '../../../../ts/protocol/errors.js'
import { TestGroups } from '../test-groups.js'

export const sessionTimeoutMs = 45_000
export const rebalanceTimeoutMs = 60_000

export type Heartbeat = Partial<RequestOf<68>>

export interface ConsumerOptions {
  groupId?: string
  instanceId?: string | null
  topics?: readonly string[] | null
  regex?: string | null
  assignor?: string | null
  id?: string
  rebalanceTimeoutMs?: number
}

let made = 0

/** Partitions as `topic-partition`, in order. */
type Places = readonly string[]

/** A client of the consumer protocol, which does one thing at a time, when it is told to. */
export class TestConsumer {
  readonly it: TestConsumers
  readonly groupId: string
  readonly instanceId: string | null
  id: string
  epoch = 0
  topics: readonly string[] | null
  regex: string | null
  readonly assignor: string | null
  readonly rebalanceTimeoutMs: number
  /** What it was told to have. */
  assigned: ReadonlySet<string> = new Set()
  /** What it has. */
  owned: ReadonlySet<string> = new Set()
  /** What it has to say: after a lost answer all of it, as the broker may know none of it. */
  readonly #news = new Set<'all' | 'subscription' | 'partitions'>()
  /** It was told an assignment, which it answers with what it has then, even where that is what it had. */
  #told = false
  #lastError = 'NONE'

  constructor(it: TestConsumers, options: ConsumerOptions) {
    this.it = it
    this.groupId = options.groupId ?? 'g'
    this.instanceId = options.instanceId ?? null
    this.topics = options.topics === undefined ? ['t'] : options.topics
    this.regex = options.regex ?? null
    this.assignor = options.assignor ?? null
    this.rebalanceTimeoutMs = options.rebalanceTimeoutMs ?? rebalanceTimeoutMs
    this.id = options.id ?? `member-${++made}`
  }

  /** The error of the last heartbeat. */
  get lastError(): string {
    return this.#lastError
  }

  get places(): Places {
    return [...this.owned].sort()
  }

  /** Says what it has, and learns what it is to have; with `lost` the answer does not reach it. */
  async beat(lost = false): Promise<string> {
    const answer = await this.send(this.request())
    const error = errorName(answer.errorCode)
    if (lost) {
      this.#news.add('all')
      return error
    }
    this.#lastError = error
    if (error === 'FENCED_MEMBER_EPOCH' || error === 'UNKNOWN_MEMBER_ID' || error === 'GROUP_ID_NOT_FOUND')
      this.abandon()
    if (error !== 'NONE') return error
    this.#news.clear()
    this.epoch = answer.memberEpoch
    if (answer.assignment !== null) {
      this.assigned = new Set(this.it.placesOf(answer.assignment.topicPartitions))
      this.#told = true
    }
    return error
  }

  /** Gives up what it is no longer to have, and takes what it is to have. */
  reconcile(): void {
    if (!this.#told) return
    this.#told = false
    this.owned = this.assigned
    this.#news.add('partitions')
  }

  subscribe(topics: readonly string[] | null, regex: string | null = null): void {
    this.topics = topics
    this.regex = regex
    this.#news.add('subscription')
  }

  async step(): Promise<string> {
    const error = await this.beat()
    this.reconcile()
    return error
  }

  /** It begins anew. */
  abandon(): void {
    this.epoch = 0
    this.owned = new Set()
    this.assigned = new Set()
    this.#told = false
    this.#news.add('all')
  }

  async leave(epoch: -1 | -2 = -1): Promise<string> {
    const { groupId, id: memberId, instanceId } = this
    const answer = await this.send({ groupId, memberId, memberEpoch: epoch, instanceId })
    this.abandon()
    return errorName(answer.errorCode)
  }

  request(): Heartbeat {
    const { groupId, id: memberId, epoch: memberEpoch, instanceId } = this
    const always = { groupId, memberId, memberEpoch, instanceId }
    const says = (what: 'subscription' | 'partitions') => {
      return memberEpoch === 0 || this.#news.has('all') || this.#news.has(what)
    }
    const subscription = { subscribedTopicNames: this.topics, subscribedTopicRegex: this.regex }
    const { rebalanceTimeoutMs: timeout, assignor: serverAssignor } = this
    return {
      ...always,
      ...(memberEpoch === 0 || this.#news.has('all') ? { rebalanceTimeoutMs: timeout, serverAssignor } : {}),
      ...(says('subscription') ? subscription : {}),
      ...(says('partitions') ? { topicPartitions: this.it.partitionsOf(this.places) } : {}),
    }
  }

  send(request: Heartbeat, context?: Partial<RequestContext>): Promise<ResponseOf<68>> {
    return this.it.groups.it.ask(apiKey.consumerGroupHeartbeat, request, { clientId: 'client', ...context })
  }

  commit(offsets: Record<string, number>, epoch = this.epoch, version = 10): Promise<string[]> {
    return this.it.groups.group(this.groupId).commit(offsets, { memberId: this.id, generationId: epoch, version })
  }
}

/** A broker in driven time, and consumers of it. */
export class TestConsumers {
  groups: TestGroups
  readonly #names = new Map<string, string>()
  readonly #ids = new Map<string, string>()

  private constructor(groups: TestGroups) {
    this.groups = groups
  }

  static async open(target = 'memory:', options: BrokerOptions = {}, groupId = 'g'): Promise<TestConsumers> {
    return new TestConsumers(await TestGroups.open(target, options, groupId))
  }

  get timers() {
    return this.groups.timers
  }

  close(): Promise<void> {
    return this.groups.it.broker.close()
  }

  /** The same directory, opened anew; its groups are loaded when it is answered. */
  async restart(): Promise<void> {
    const { path } = this.groups.it.broker
    await this.close()
    this.groups = await TestGroups.open(path, {}, this.groups.groupId)
    for (;;) {
      const { errorCode } = await this.describe()
      if (errorName(errorCode) !== 'COORDINATOR_LOAD_IN_PROGRESS') return
      await new Promise((resolve) => setImmediate(resolve))
    }
  }

  consumer(options: ConsumerOptions = {}): TestConsumer {
    return new TestConsumer(this, options)
  }

  async createTopic(name: string, partitions: number): Promise<void> {
    await this.groups.it.createTopic(name, partitions)
    await this.learn(name)
  }

  async learn(name: string): Promise<void> {
    const { topics } = await this.groups.it.ask(apiKey.metadata, { topics: [{ name, topicId: zero }] })
    this.#names.set(topics[0].topicId, name)
    this.#ids.set(name, topics[0].topicId)
  }

  async deleteTopic(name: string): Promise<void> {
    await this.groups.it.ask(apiKey.deleteTopics, { topics: [{ name, topicId: zero }], timeoutMs: 1000 })
  }

  async addPartitions(name: string, count: number): Promise<void> {
    await this.groups.it.ask(apiKey.createPartitions, { topics: [{ name, count, assignments: null }] })
  }

  placesOf(topicPartitions: readonly { topicId: string; partitions: readonly number[] }[]): string[] {
    return topicPartitions.flatMap(({ topicId, partitions }) =>
      partitions.map((partition) => `${this.#names.get(topicId)}-${partition}`),
    )
  }

  partitionsOf(places: Places): { topicId: string; partitions: number[] }[] {
    const byTopic = new Map<string, number[]>()
    for (const place of places) {
      const at = place.lastIndexOf('-')
      const name = place.slice(0, at)
      byTopic.set(name, [...(byTopic.get(name) ?? []), Number(place.slice(at + 1))])
    }
    return Array.from(byTopic, ([name, partitions]) => ({ topicId: this.#ids.get(name)!, partitions }))
  }

  async describe(groupId = 'g') {
    const answer = await this.groups.it.ask(apiKey.consumerGroupDescribe, { groupIds: [groupId] })
    return answer.groups[0]
  }

  /** As `settle`, with one that speaks the classic protocol. */
  async settleWith(consumer: TestConsumer, classic: { beat(): Promise<string> }, groupId = 'g'): Promise<void> {
    for (let round = 0; round < 10; round++) {
      await consumer.step()
      await classic.beat()
    }
    await consumer.step()
    const { groupState } = await this.describe(groupId)
    if (groupState !== 'Stable') throw new Error(`not settled: ${JSON.stringify(await this.describe(groupId))}`)
  }

  /** Everybody does what there is to do until nothing changes any more; throws if that takes too long. */
  async settle(consumers: readonly TestConsumer[], groupId = 'g'): Promise<void> {
    for (let round = 0; round < 30; round++) {
      for (const consumer of consumers) await consumer.step()
      const { groupState } = await this.describe(groupId)
      const done = consumers.every(({ assigned, places }) => [...assigned].sort().join() === places.join())
      if (groupState === 'Stable' && done) return
    }
    throw new Error(`not settled: ${JSON.stringify(await this.describe(groupId))}`)
  }
}

const zero = 'AAAAAAAAAAAAAAAAAAAAAA'
