import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { asSeglogError, errorCodeOf } from '../../../ts/broker/error-codes.js'
import { checkCommitter } from '../../../ts/broker/groups/committer.js'
import type { Group } from '../../../ts/broker/groups/group.js'
import type { GroupHost } from '../../../ts/broker/groups/group-host.js'
import { type GroupState, transitions } from '../../../ts/broker/groups/group-state.js'
import { heartbeat } from '../../../ts/broker/groups/heartbeat.js'
import { joinGroup } from '../../../ts/broker/groups/join-group.js'
import { leaveGroup } from '../../../ts/broker/groups/leave-group.js'
import { Parking } from '../../../ts/broker/groups/parking.js'
import { newGroup } from '../../../ts/broker/groups/rebalance.js'
import { syncGroup } from '../../../ts/broker/groups/sync-group.js'
import type { RequestContext } from '../../../ts/broker/request-context.js'
import { silentLogger } from '../../../ts/log/logger.js'
import type { MaybePromise } from '../../../ts/log/maybe-promise.js'
import { errorName, protocolError } from '../../../ts/protocol/errors.js'
import { contextFor } from '../harness.js'
import { ManualTimers, turnOfPromises } from '../manual-timers.js'
import { subscription } from './test-groups.js'

const sessionTimeoutMs = 10_000
const rebalanceTimeoutMs = 30_000
const newMemberMs = 300_000
const clientCount = 4

type ClientStep =
  | { do: 'next' | 'join' | 'sync' | 'heartbeat' | 'commit' | 'leave' | 'crash' | 'cut'; who: number }
  | { do: 'change'; who: number; protocols: number }
type Disk = 'now' | 'later' | 'full'
type Step = ClientStep | { do: 'all' } | { do: 'wait'; ms: number } | { do: 'disk'; how: Disk }

/** A client, as far as it knows. */
interface Client {
  readonly instanceId: string | null
  /** What it waits for, or should do next. */
  doing: 'join' | 'joining' | 'sync' | 'syncing' | 'heartbeat'
  connection: AbortController
  memberId: string
  generation: number
  leader: boolean
  members: readonly string[]
  protocols: { name: string; metadata: Uint8Array }[]
}

const protocolLists = [['range'], ['range', 'sticky'], ['sticky', 'range'], ['range', 'sticky', 'cooperative']]

/** One group under random requests, with what must hold after each of them. */
class Model {
  readonly timers = new ManualTimers(turnOfPromises)
  readonly parking = new Parking()
  readonly group: Group
  readonly clients: Client[]
  /** Requests that are not answered. */
  readonly open = new Set<Promise<unknown>>()
  disk: Disk = 'now'
  stored = 0
  generation = 0
  /** Who was told by its join that it leads a generation. */
  readonly leaders = new Map<number, string>()
  readonly states: string[] = ['Empty']
  readonly #host: GroupHost
  readonly #late: (() => void)[] = []

  constructor(staticClients: number) {
    this.#host = {
      timers: this.timers,
      parking: this.parking,
      logger: silentLogger,
      clock: () => 1_700_000_000_000 + this.timers.now(),
      limits: { minSessionTimeoutMs: 1, maxSessionTimeoutMs: 1e9, initialRebalanceDelayMs: 0, maxSize: 4 },
      store: () => this.#store(),
      tidy: () => {},
    }
    this.group = newGroup(this.#host, 'g')
    const transitionTo = this.group.transitionTo.bind(this.group)
    this.group.transitionTo = (state, now) => {
      transitionTo(state, now)
      this.states.push(state)
    }
    this.clients = Array.from({ length: clientCount }, (_, i) => ({
      instanceId: i < staticClients ? `i${i}` : null,
      doing: 'join',
      connection: new AbortController(),
      memberId: '',
      generation: -1,
      leader: false,
      members: [],
      protocols: listOf(1),
    }))
  }

  #store(): MaybePromise<void> {
    this.stored++
    if (this.disk === 'now') return
    const outcome = this.disk
    return new Promise((resolve, reject) => {
      this.#late.push(() => (outcome === 'full' ? reject(protocolError('KAFKA_STORAGE_ERROR')) : resolve()))
    })
  }

  async step(step: Step): Promise<void> {
    if (step.do === 'wait') {
      for (const finish of this.#late.splice(0)) finish()
      await this.timers.advance(step.ms)
    } else if (step.do === 'disk') this.disk = step.how
    else if (step.do === 'all') {
      for (const who of this.clients.keys()) await this.step({ do: 'next', who })
    } else this.#client(step, this.clients[step.who])
    await turnOfPromises()
    this.check()
  }

  #client(step: ClientStep, client: Client): void {
    switch (step.do) {
      case 'next':
        if (client.doing === 'join') this.#join(client)
        else if (client.doing === 'sync') this.#sync(client)
        else if (client.doing === 'heartbeat')
          this.#believe(client, () => heartbeat(this.group, this.#identity(client)))
        break
      case 'join':
        this.#join(client)
        break
      case 'sync':
        this.#sync(client)
        break
      case 'change':
        client.protocols = listOf(step.protocols)
        this.#join(client)
        break
      case 'heartbeat':
        this.#believe(client, () => heartbeat(this.group, this.#identity(client)))
        break
      case 'commit':
        this.#believe(client, () => checkCommitter(this.group, this.#identity(client), 9))
        break
      case 'leave':
        this.#leave(client)
        break
      // Its connection ends; it knows what it knew.
      case 'cut':
        client.connection.abort()
        client.connection = new AbortController()
        if (client.doing === 'joining') client.doing = 'join'
        if (client.doing === 'syncing') client.doing = 'sync'
        break
      // The process is gone without a word; the next one knows nothing.
      case 'crash':
        client.connection.abort()
        client.connection = new AbortController()
        Object.assign(client, { memberId: '', generation: -1, doing: 'join' })
    }
  }

  #leave(client: Client): void {
    const leaving = { memberId: client.memberId, groupInstanceId: client.instanceId, reason: null }
    if (!this.group.isIn('Empty')) leaveGroup(this.#host, this.group, [leaving])
    Object.assign(client, { memberId: '', generation: -1, doing: 'join' })
  }

  #identity({ memberId, generation, instanceId }: Client) {
    return { groupId: 'g', memberId, generationId: generation, groupInstanceId: instanceId }
  }

  /** Whoever is taken for a member in a generation is in the one there is. */
  #believe(client: Client, act: () => void): void {
    if (client.generation < 0) return
    try {
      act()
      expect(client.generation).toBe(this.group.generation)
      expect(this.group.members.has(client.memberId)).toBe(true)
    } catch (error) {
      this.#failed(client, errorName(errorCodeOf(asSeglogError(error))))
    }
  }

  #failed(client: Client, error: string): void {
    if (error === 'UNKNOWN_MEMBER_ID' || error === 'FENCED_INSTANCE_ID') Object.assign(client, { memberId: '' })
    client.generation = -1
    client.doing = 'join'
    const expected = ['UNKNOWN_MEMBER_ID', 'FENCED_INSTANCE_ID', 'REBALANCE_IN_PROGRESS', 'ILLEGAL_GENERATION']
    const also = ['NOT_COORDINATOR', 'GROUP_MAX_SIZE_REACHED', 'INCONSISTENT_GROUP_PROTOCOL']
    expect([...expected, ...also]).toContain(error)
  }

  #join(client: Client): void {
    const { memberId } = client
    client.doing = 'joining'
    const request = {
      ...{ groupId: 'g', memberId, groupInstanceId: client.instanceId, sessionTimeoutMs, rebalanceTimeoutMs },
      ...{ protocolType: 'consumer', protocols: client.protocols, reason: null },
    }
    const context: RequestContext = contextFor(11, { signal: client.connection.signal })
    this.#track(
      () => joinGroup(this.#host, this.group, request, context),
      (answer) => {
        // An answer to an earlier life of the client is not read.
        if (client.memberId !== memberId) return
        const error = errorName(answer.errorCode)
        if (error === 'MEMBER_ID_REQUIRED') Object.assign(client, { memberId: answer.memberId, doing: 'join' })
        else if (error !== 'NONE') this.#failed(client, error)
        else {
          client.doing = 'sync'
          client.memberId = answer.memberId
          client.generation = answer.generationId
          client.leader = answer.leader === answer.memberId && !answer.skipAssignment
          client.members = answer.members.map((member) => member.memberId)
          expect(answer.generationId).toBeLessThanOrEqual(this.group.generation)
          if (client.leader) this.#leads(answer.generationId, answer.memberId)
          if (client.leader) expect(client.members).toContain(client.memberId)
          else if (!answer.skipAssignment) expect(client.members).toEqual([])
        }
      },
      (error) => this.#failed(client, error),
    )
  }

  #leads(generation: number, memberId: string): void {
    const known = this.leaders.get(generation)
    const isStatic = /^i\d/.test(memberId)
    if (known !== undefined && !isStatic) expect(memberId).toBe(known)
    this.leaders.set(generation, memberId)
  }

  #sync(client: Client): void {
    if (client.generation < 0) return
    const { memberId, generation } = client
    client.doing = 'syncing'
    const assignments = client.leader
      ? client.members.map((id) => ({ memberId: id, assignment: Buffer.from(`${generation}:${id}`) }))
      : []
    const request = { ...this.#identity(client), protocolType: 'consumer', protocolName: null, assignments }
    this.#track(
      () => syncGroup(this.#host, this.group, request, client.connection.signal),
      (answer) => {
        if (answer.errorCode !== 0) {
          if (client.memberId === memberId) this.#failed(client, errorName(answer.errorCode))
          return
        }
        if (client.memberId === memberId && client.generation === generation) client.doing = 'heartbeat'
        // What it gets was made for its generation, if not for its process.
        const text = Buffer.from(answer.assignment).toString()
        if (text !== '') expect(text.split(':')[0]).toBe(String(generation))
        if (text !== '' && client.instanceId === null) expect(text).toBe(`${generation}:${memberId}`)
      },
      (error) => {
        if (client.memberId === memberId) this.#failed(client, error)
      },
    )
  }

  #track<T>(act: () => MaybePromise<T>, answered: (answer: T) => void, failed: (error: string) => void): void {
    const failure = (error: unknown) => failed(errorName(errorCodeOf(asSeglogError(error))))
    let answer: MaybePromise<T>
    try {
      answer = act()
    } catch (error) {
      failure(error)
      return
    }
    if (!(answer instanceof Promise)) {
      answered(answer)
      return
    }
    const waiting: Promise<unknown> = answer.then(answered).finally(() => this.open.delete(waiting))
    this.open.add(waiting)
    waiting.catch((error) => {
      this.broken = error
    })
  }

  broken: unknown = null

  /** Without `expect`, which would take most of the time. */
  check(): void {
    if (this.broken !== null) throw this.broken
    const { group } = this
    const members = [...group.members.values()]
    must(group.generation >= this.generation, 'the generation only grows')
    this.generation = group.generation
    const { leaderId, protocolName } = group
    must(leaderId === null ? members.length === 0 : group.members.has(leaderId), 'a member leads')
    must(group.joined === members.filter(({ awaitingJoin }) => awaitingJoin !== null).length, 'joins are counted')
    const syncing = members.filter(({ awaitingSync }) => awaitingSync !== null).length
    must(this.parking.count === group.joined + syncing, 'parked requests are counted')
    must(this.open.size === group.joined + syncing, 'what is not parked is answered')
    for (const { id, instanceId } of members) {
      must(instanceId === null || group.staticMember(instanceId)?.id === id, 'static members are known')
    }
    if (group.isIn('Empty')) must(members.length === 0, 'nobody is in an empty group')
    else must(members.length + group.pendingJoins.size > 0, 'a group in use has members')
    if (group.isIn('CompletingRebalance', 'Stable')) {
      const known = members.every(({ protocols }) => protocols.some(({ name }) => name === protocolName))
      must(protocolName !== null && known, 'every member has the protocol')
    }
    must(syncing === 0 || group.isIn('CompletingRebalance'), 'assignments are waited for when they are made')
    for (const id of group.pendingSyncs) must(group.members.has(id), 'members are waited for')
    const [before, now] = this.states.slice(-2)
    must(now === undefined || transitions[before as GroupState].includes(now as GroupState), 'the table has the step')
  }

  /** Everybody behaves: before long all are in one generation, whatever happened before. */
  async converge(): Promise<void> {
    await this.step({ do: 'disk', how: 'now' })
    const isDone = () =>
      this.group.isIn('Stable') &&
      this.group.members.size === clientCount &&
      this.clients.every(({ doing, generation }) => doing === 'heartbeat' && generation === this.group.generation)
    const rounds = (newMemberMs + 4 * rebalanceTimeoutMs) / 3000
    for (let round = 0; round < rounds && !isDone(); round++) {
      await this.step({ do: 'all' })
      await this.step({ do: 'wait', ms: 3000 })
    }
    expect(isDone()).toBe(true)
    expect(this.clients.filter(({ leader }) => leader).length).toBeLessThanOrEqual(1)
  }

  /** Everybody falls silent: whatever is parked is answered, and nothing is left of the members. */
  async silence(): Promise<void> {
    this.disk = 'now'
    const bound = newMemberMs + 2 * rebalanceTimeoutMs + 2 * sessionTimeoutMs
    for (let passed = 0; passed < bound; passed += sessionTimeoutMs)
      await this.step({ do: 'wait', ms: sessionTimeoutMs })
    expect(this.open.size).toBe(0)
    expect(this.group.state).toBe('Empty')
    expect(this.timers.size).toBe(0)
  }
}

function must(holds: boolean, what: string): void {
  if (!holds) throw new Error(`broken: ${what}`)
}

function listOf(choice: number) {
  return protocolLists[choice].map((name) => ({ name, metadata: subscription(name) }))
}

const who = fc.nat({ max: clientCount - 1 })
const act = (weight: number, name: Exclude<ClientStep['do'], 'change'>) => ({
  weight,
  arbitrary: who.map((index): Step => ({ do: name, who: index })),
})
const step: fc.Arbitrary<Step> = fc.oneof(
  act(12, 'next'),
  { weight: 8, arbitrary: fc.constant<Step>({ do: 'all' }) },
  act(2, 'join'),
  act(1, 'sync'),
  act(1, 'heartbeat'),
  act(2, 'commit'),
  act(1, 'leave'),
  act(1, 'crash'),
  act(1, 'cut'),
  { weight: 1, arbitrary: fc.record({ do: fc.constant('change' as const), who, protocols: fc.nat({ max: 3 }) }) },
  { weight: 6, arbitrary: fc.constantFrom(0, 1, 3000).map((ms): Step => ({ do: 'wait', ms })) },
  { weight: 1, arbitrary: fc.constantFrom(11_000, 31_000).map((ms): Step => ({ do: 'wait', ms })) },
  {
    weight: 1,
    arbitrary: fc.constantFrom<Disk>('now', 'now', 'later', 'full').map((how): Step => ({ do: 'disk', how })),
  },
)

describe('a group under random requests', () => {
  for (const staticClients of [0, 2, clientCount]) {
    it(`with ${staticClients} static clients keeps its promises`, async () => {
      await fc.assert(
        fc.asyncProperty(fc.array(step, { minLength: 20, maxLength: 120 }), async (steps) => {
          const model = new Model(staticClients)
          for (const one of steps) await model.step(one)
          await model.converge()
          await model.silence()
        }),
        { numRuns: 100 },
      )
    })
  }
})
