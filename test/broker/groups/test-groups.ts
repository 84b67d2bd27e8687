import type { BrokerOptions } from '../../../ts/broker/broker.js'
import { apiKey, type RequestOf } from '../../../ts/protocol/apis.js'
import { errorName } from '../../../ts/protocol/errors.js'
import type { JoinGroupResponse } from '../../../ts/protocol/messages/11-join-group.js'
import type { SyncGroupResponse } from '../../../ts/protocol/messages/14-sync-group.js'
import { zeroUuid } from '../../../ts/protocol/uuid.js'
import { TestBroker } from '../harness.js'
import { ManualTimers } from '../manual-timers.js'

/** The wall clock of the tests when their driven time is 0. */
export const startMs = Date.now()
export const sessionTimeoutMs = 10_000
export const rebalanceTimeoutMs = 60_000

/** A subscription of the consumer protocol, version 0. */
export function subscription(...topics: string[]): Uint8Array {
  const parts = topics.flatMap((topic) => {
    const length = Buffer.alloc(2)
    length.writeInt16BE(topic.length)
    return [length, Buffer.from(topic)]
  })
  const head = Buffer.alloc(6)
  head.writeInt32BE(topics.length, 2)
  return Buffer.concat([head, ...parts, Buffer.from([0xff, 0xff, 0xff, 0xff])])
}

export interface JoinOptions {
  memberId?: string
  instanceId?: string | null
  protocolType?: string
  protocols?: RequestOf<11>['protocols']
  sessionTimeoutMs?: number
  rebalanceTimeoutMs?: number
  version?: number
  clientId?: string
  signal?: AbortSignal
}

/** A broker whose groups live in driven time, with the requests of groups in few words. */
export class TestGroups {
  readonly it: TestBroker
  readonly timers: ManualTimers
  readonly groupId: string

  private constructor(it: TestBroker, timers: ManualTimers, groupId: string) {
    this.it = it
    this.timers = timers
    this.groupId = groupId
  }

  static async open(target = 'memory:', options: BrokerOptions = {}, groupId = 'g'): Promise<TestGroups> {
    const timers = new ManualTimers()
    const clock = () => startMs + timers.now()
    const it = await TestBroker.open(target, { timers, clock, ...options })
    // As clients do; it makes the topic, so that what follows is answered without waiting for the disk.
    await it.ask(apiKey.findCoordinator, { keyType: 0, coordinatorKeys: [groupId] })
    return new TestGroups(it, timers, groupId)
  }

  /** The same broker, another group. */
  group(groupId: string): TestGroups {
    return new TestGroups(this.it, this.timers, groupId)
  }

  join(options: JoinOptions = {}): Promise<JoinGroupResponse> {
    const request = {
      groupId: this.groupId,
      memberId: options.memberId ?? '',
      groupInstanceId: options.instanceId ?? null,
      protocolType: options.protocolType ?? 'consumer',
      protocols: options.protocols ?? [{ name: 'range', metadata: subscription('t') }],
      sessionTimeoutMs: options.sessionTimeoutMs ?? sessionTimeoutMs,
      rebalanceTimeoutMs: options.rebalanceTimeoutMs ?? rebalanceTimeoutMs,
    }
    const { version = 9, clientId = 'client', signal } = options
    return this.it.ask(apiKey.joinGroup, request, { apiVersion: version, clientId, signal })
  }

  /** A dynamic member's id, by the round trip that gives it one. */
  async memberId(options: JoinOptions = {}): Promise<string> {
    const answer = await this.join({ ...options, memberId: '' })
    if (errorName(answer.errorCode) !== 'MEMBER_ID_REQUIRED') throw new Error(`join: ${errorName(answer.errorCode)}`)
    return answer.memberId
  }

  /** Joins with a new id; the promise settles with the generation. */
  async joinNew(options: JoinOptions = {}): Promise<{ id: string; joined: Promise<JoinGroupResponse> }> {
    const id = await this.memberId(options)
    return { id, joined: this.join({ ...options, memberId: id }) }
  }

  sync(
    memberId: string,
    generationId: number,
    assignments: Record<string, string> = {},
    options: { instanceId?: string | null; protocolType?: string; protocolName?: string; version?: number } = {},
  ): Promise<SyncGroupResponse> {
    const { instanceId = null, protocolType = 'consumer', protocolName = 'range', version = 5 } = options
    const request = {
      groupId: this.groupId,
      memberId,
      generationId,
      groupInstanceId: instanceId,
      protocolType,
      protocolName,
      assignments: Object.entries(assignments).map(([id, text]) => ({ memberId: id, assignment: Buffer.from(text) })),
    }
    return this.it.ask(apiKey.syncGroup, request, { apiVersion: version })
  }

  /** The name of the error, NONE for none. */
  async heartbeat(memberId: string, generationId: number, instanceId: string | null = null): Promise<string> {
    const request = { groupId: this.groupId, memberId, generationId, groupInstanceId: instanceId }
    return errorName((await this.it.ask(apiKey.heartbeat, request)).errorCode)
  }

  async leave(...members: (string | { memberId?: string; instanceId: string })[]): Promise<string[]> {
    const list = members.map((member) =>
      typeof member === 'string'
        ? { memberId: member, groupInstanceId: null, reason: 'test' }
        : { memberId: member.memberId ?? '', groupInstanceId: member.instanceId, reason: null },
    )
    const answer = await this.it.ask(apiKey.leaveGroup, { groupId: this.groupId, members: list })
    if (answer.errorCode !== 0) return [errorName(answer.errorCode)]
    return answer.members.map(({ errorCode }) => errorName(errorCode))
  }

  async commit(
    offsets: Record<string, number>,
    options: {
      generationId?: number
      memberId?: string
      instanceId?: string | null
      metadata?: string | null
      version?: number
      retentionMs?: number
    } = {},
  ): Promise<string[]> {
    const topics = Object.entries(offsets).map(([place, offset]) => {
      const [name, partition = '0'] = place.split('/')
      const committed = { committedOffset: BigInt(offset), committedLeaderEpoch: 3 }
      const metadata = options.metadata === undefined ? 'm' : options.metadata
      const partitions = [{ partitionIndex: Number(partition), ...committed, committedMetadata: metadata }]
      return { name, topicId: zeroUuid, partitions }
    })
    const answer = await this.it.ask(
      apiKey.offsetCommit,
      {
        groupId: this.groupId,
        generationIdOrMemberEpoch: options.generationId ?? -1,
        memberId: options.memberId ?? '',
        groupInstanceId: options.instanceId ?? null,
        retentionTimeMs: BigInt(options.retentionMs ?? -1),
        topics,
      },
      { apiVersion: options.version ?? 10 },
    )
    return answer.topics.flatMap(({ partitions }) => partitions.map(({ errorCode }) => errorName(errorCode)))
  }

  /** Committed offsets as `topic/partition: offset`; null asks for all. An error of the group is its name. */
  async fetch(
    places: readonly string[] | null,
    options: { version?: number; requireStable?: boolean } = {},
  ): Promise<Record<string, number> | string> {
    const topics =
      places?.map((place) => {
        const [name, partition = '0'] = place.split('/')
        return { name, topicId: zeroUuid, partitionIndexes: [Number(partition)] }
      }) ?? null
    const groups = [{ groupId: this.groupId, memberId: null, memberEpoch: -1, topics }]
    const request = { groups, requireStable: options.requireStable ?? false }
    const answer = await this.it.ask(apiKey.offsetFetch, request, { apiVersion: options.version ?? 10 })
    const [group] = answer.groups
    if (group.errorCode !== 0) return errorName(group.errorCode)
    const found: Record<string, number> = {}
    for (const topic of group.topics) {
      for (const part of topic.partitions) found[`${topic.name}/${part.partitionIndex}`] = Number(part.committedOffset)
    }
    return found
  }

  async describe(version = 6) {
    const answer = await this.it.ask(apiKey.describeGroups, { groups: [this.groupId] }, { apiVersion: version })
    return answer.groups[0]
  }

  async state(): Promise<string> {
    const group = await this.describe()
    return group.errorCode === 0 ? group.groupState : errorName(group.errorCode)
  }

  async list(statesFilter: string[] = [], typesFilter: string[] = []): Promise<string[]> {
    const answer = await this.it.ask(apiKey.listGroups, { statesFilter, typesFilter })
    if (answer.errorCode !== 0) return [errorName(answer.errorCode)]
    return answer.groups.map(({ groupId }) => groupId).sort()
  }

  async delete(...groupsNames: string[]): Promise<string[]> {
    const answer = await this.it.ask(apiKey.deleteGroups, { groupsNames })
    return answer.results.map(({ errorCode }) => errorName(errorCode))
  }

  /** `count` members in one stable generation, the first of them the leader. */
  async stable(count: number, options: JoinOptions = {}): Promise<{ ids: string[]; generation: number }> {
    const ids = await Promise.all(Array.from({ length: count }, () => this.memberId(options)))
    const joins = ids.map((memberId) => this.join({ ...options, memberId }))
    await this.timers.advance(0)
    const answers = await Promise.all(joins)
    const generation = answers[0].generationId
    const protocolName = answers[0].protocolName ?? ''
    const assignments = Object.fromEntries(ids.map((id, i) => [id, `a${i}`]))
    const how = { protocolName, protocolType: options.protocolType ?? 'consumer' }
    const syncs = ids.map((id) => this.sync(id, generation, id === answers[0].leader ? assignments : {}, how))
    for (const { errorCode } of await Promise.all(syncs)) {
      if (errorCode !== 0) throw new Error(`sync: ${errorName(errorCode)}`)
    }
    return { ids, generation }
  }
}

/** Bytes as the text they are. */
export function textOf(bytes: Uint8Array): string {
  return Buffer.from(bytes).toString()
}

/** The error's name; for answers that are awaited. */
export async function errorOf(answer: Promise<{ errorCode: number }>): Promise<string> {
  return errorName((await answer).errorCode)
}

/** A promise has not settled when everything that waits for nothing has. */
export async function isParked(promise: Promise<unknown>): Promise<boolean> {
  let settled = false
  promise.then(
    () => {
      settled = true
    },
    () => {
      settled = true
    },
  )
  await new Promise((resolve) => setTimeout(resolve, 5))
  return !settled
}
