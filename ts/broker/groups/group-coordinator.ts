import { SeglogError } from '../../errors/seglog-error.js'
import { isPromise, type MaybePromise } from '../../log/maybe-promise.js'
import { protocolError } from '../../protocol/errors.js'
import type { JoinGroupRequest, JoinGroupResponse } from '../../protocol/messages/11-join-group.js'
import type { HeartbeatRequest } from '../../protocol/messages/12-heartbeat.js'
import type { LeaveGroupRequest, LeaveGroupResponse } from '../../protocol/messages/13-leave-group.js'
import type { SyncGroupRequest, SyncGroupResponse } from '../../protocol/messages/14-sync-group.js'
import type {
  ConsumerGroupHeartbeatRequest,
  ConsumerGroupHeartbeatResponse,
} from '../../protocol/messages/68-consumer-group-heartbeat.js'
import { Deadline } from '../deadline.js'
import { asSeglogError } from '../error-codes.js'
import type { TopicRecord } from '../metadata-store.js'
import type { RequestContext } from '../request-context.js'
import type { Timers } from '../timers.js'
import type { AnyGroup } from './any-group.js'
import { type Commit, commitOffsets } from './commit-offsets.js'
import { type Committer, checkCommitter } from './committer.js'
import { heartbeatAsClassic, syncAsClassic } from './consumer/classic-members.js'
import { ConfiguredConsumerSettings } from './consumer/configured-settings.js'
import { ConsumerGroups } from './consumer/consumer-groups.js'
import type { ConsumerHost } from './consumer/consumer-host.js'
import { takenCommits } from './consumer/member-commits.js'
import { TopicPatterns } from './consumer/topic-patterns.js'
import type { Group } from './group.js'
import type { GroupHost, GroupLimits } from './group-host.js'
import type { GroupPartition } from './group-partition.js'
import { type GroupGround, GroupPartitions } from './group-partitions.js'
import { groupRecord } from './group-records.js'
import { heartbeat } from './heartbeat.js'
import { joinGroup } from './join-group.js'
import { leaveGroup } from './leave-group.js'
import { Parking } from './parking.js'
import { abandonGroup, newGroup } from './rebalance.js'
import { type OffsetPlace, removeInTurn, removeOffsets } from './remove-offsets.js'
import { Replay } from './replay.js'
import { expireOffsets, forgetTopic } from './sweeps.js'
import { syncGroup } from './sync-group.js'

/**
 * The coordinator of every group on this broker: finds a group's partition of `__consumer_offsets`, loads it, and hands
 * the request to the group. Errors of a group as a whole are thrown or rejected as SeglogErrors with Kafka's codes; any
 * call may say COORDINATOR_LOAD_IN_PROGRESS, or COORDINATOR_NOT_AVAILABLE after a failure or close.
 */
export class GroupCoordinator {
  readonly #ground: GroupGround
  readonly #host: GroupHost
  readonly #consumers: ConsumerGroups
  readonly #consumerHost: ConsumerHost
  readonly #partitions: GroupPartitions
  readonly #nextExpiry: Deadline
  #closed = false

  constructor(ground: GroupGround, timers: Timers) {
    const { config, clock, logger } = ground
    this.#ground = ground
    this.#host = {
      ...{ timers, logger, clock, parking: new Parking() },
      limits: new ConfiguredLimits(config),
      store: (group, assignments) => this.#store(group, assignments),
      tidy: (group) => this.#tidy(group),
    }
    const consumerHost: ConsumerHost = {
      ...{ timers, logger, clock, classic: this.#host },
      topics: ground.topics,
      patterns: new TopicPatterns(ground.topics),
      settings: new ConfiguredConsumerSettings(config, ground.groupConfigs),
      expired: (group, memberId, expected) => {
        const partition = this.#loadedPartitionOf(group.id)
        if (partition !== null) this.#consumers.expired(partition, group, memberId, expected)
      },
    }
    this.#consumerHost = consumerHost
    this.#consumers = new ConsumerGroups(consumerHost)
    this.#partitions = new GroupPartitions(ground, {
      load: (partition) => new Replay(consumerHost, partition),
      lose: abandonAll,
    })
    this.#nextExpiry = new Deadline(timers, () => this.#expire())
    if (!ground.logs.readOnly) this.#nextExpiry.set(this.#expiryMs)
  }

  /** Makes ready for a group: there is a topic when it is answered, and the group's partition is being loaded. */
  prepare(groupId: string): MaybePromise<void> {
    const load = () => {
      try {
        this.#partitions.of(groupId)
      } catch {
        // Being loaded, or a failure: the calls that come will say which.
      }
    }
    if (this.#partitions.exist || this.#ground.logs.readOnly) return load()
    return this.#partitions.create().then(load)
  }

  /** A new member, or one that takes part in a rebalance. Answered when the group's next generation begins. */
  join(request: JoinGroupRequest, context: RequestContext): MaybePromise<JoinGroupResponse> {
    const { groupId, sessionTimeoutMs } = request
    checkGroupId(groupId)
    const { minSessionTimeoutMs: min, maxSessionTimeoutMs: max } = this.#host.limits
    if (sessionTimeoutMs < min || sessionTimeoutMs > max) {
      const message = `a session timeout may be ${min} to ${max} ms, not ${sessionTimeoutMs}`
      throw protocolError('INVALID_SESSION_TIMEOUT', message)
    }
    return this.#writing(groupId, (partition) => {
      const joined = this.#consumers.join(partition, request, context)
      const asClassic = (answer: JoinGroupResponse | null) => answer ?? this.#joinClassic(partition, request, context)
      return isPromise(joined) ? joined.then(asClassic) : asClassic(joined)
    })
  }

  /** A member asks for its assignment, the leader brings everybody's. Answered when the group is assigned. */
  sync(request: SyncGroupRequest, context: RequestContext): MaybePromise<SyncGroupResponse> {
    const group = this.#memberGroup(request.groupId, request.memberId)
    if (group.type === 'consumer') return syncAsClassic(this.#consumerHost, group, request)
    return syncGroup(this.#host, group, request, context.signal)
  }

  /** Throws REBALANCE_IN_PROGRESS where the member is to join again. */
  heartbeat(request: HeartbeatRequest): void {
    const group = this.#memberGroup(request.groupId, request.memberId)
    if (group.type === 'consumer') heartbeatAsClassic(this.#consumerHost, group, request)
    else heartbeat(group, request)
  }

  /** A member of the consumer protocol joins, goes on or leaves. */
  consumerHeartbeat(
    request: ConsumerGroupHeartbeatRequest,
    context: RequestContext,
  ): MaybePromise<ConsumerGroupHeartbeatResponse> {
    return this.#writing(request.groupId, (partition) => this.#consumers.heartbeat(partition, request, context))
  }

  /** Each member leaves or is told why not; a group that does not exist has none of them. */
  leave(groupId: string, members: LeaveGroupRequest['members']): MaybePromise<LeaveGroupResponse['members']> {
    checkGroupId(groupId)
    const partition = this.#partitionOf(groupId)
    const group = partition?.groups.get(groupId) ?? newGroup(this.#host, groupId)
    if (group.type === 'consumer') return this.#consumers.leaveAsClassic(partition!, groupId, members)
    return leaveGroup(this.#host, group, members)
  }

  /**
   * Commits offsets, which are the group's when it is answered. A retention below zero is the broker's. Those that the
   * member may not commit while it may others are given to `refuse`, and left out.
   */
  commit(
    committer: Committer,
    commits: readonly Commit[],
    retentionMs: number,
    version: number,
    refuse: (commit: Commit, error: SeglogError) => void,
  ): MaybePromise<void> {
    const { groupId } = committer
    return this.#writing(groupId, (partition) => {
      const group = partition.groups.get(groupId)
      const taken = group?.type === 'consumer' ? takenCommits(group, committer, commits, version, refuse) : commits
      if (group?.type !== 'consumer') checkCommitter(group, committer, version)
      if (taken.length === 0) return
      const groupOf = () => this.#groupIn(partition, groupId)
      return commitOffsets(partition, groupId, taken, this.#host.clock(), retentionMs, groupOf)
    })
  }

  /** The group as it is now; undefined for none. */
  find(groupId: string): AnyGroup | undefined {
    return this.#partitionOf(groupId)?.groups.get(groupId)
  }

  /** As `find`, waiting for the group to be loaded. */
  async loaded(groupId: string): Promise<AnyGroup | undefined> {
    this.#checkOpen()
    return (await this.#partitions.loadedOf(groupId))?.groups.get(groupId)
  }

  /** A transaction wrote an offset there that no marker has decided. */
  isPending(groupId: string, topic: string, partition: number): boolean {
    return this.#partitionOf(groupId)?.pending.has(groupId, topic, partition) ?? false
  }

  /** Every group, from all partitions: waits for those that must be loaded. */
  async all(): Promise<AnyGroup[]> {
    this.#checkOpen()
    const partitions = await this.#partitions.all()
    return partitions.flatMap(({ groups }) => [...groups.values()])
  }

  /** Removes a group and its offsets. Rejects with GROUP_ID_NOT_FOUND, NON_EMPTY_GROUP. */
  async delete(groupId: string): Promise<void> {
    const { partition, group } = await this.#settledGroup(groupId)
    await removeInTurn(partition, group, this.#host.clock(), () => {
      if (!group.isEmpty) {
        throw protocolError('NON_EMPTY_GROUP', `group ${groupId} is ${group.state}; it can be deleted without members`)
      }
      return true
    })
  }

  /** Removes offsets of a group, at the given places. Rejects with GROUP_ID_NOT_FOUND. */
  async deleteOffsets(groupId: string, places: readonly OffsetPlace[]): Promise<void> {
    checkGroupId(groupId)
    const { partition, group } = await this.#settledGroup(groupId)
    await removeOffsets(partition, group, places, this.#host.clock())
  }

  /** A topic is gone: no group has offsets of it any longer. */
  async topicDeleted(topic: TopicRecord): Promise<void> {
    if (this.#closed || !this.#partitions.exist) return
    try {
      for (const partition of await this.#partitions.all()) await forgetTopic(partition, topic, this.#host.clock())
    } catch (err) {
      // Offsets know the id of their topic, so a later topic of that name does not take them for its own.
      this.#host.logger.warn({ topic: topic.name, err }, 'offsets of a deleted topic could not be removed')
    }
  }

  /** Removes offsets that are past their time, and groups without any. Happens by itself every so often. */
  async expire(): Promise<void> {
    const retentionMs = this.#ground.config.number('offsets.retention.minutes') * 60_000
    for (const partition of await this.#partitions.all()) {
      if (!this.#closed) await expireOffsets(partition, this.#host.clock(), retentionMs)
    }
  }

  /** Answers whatever is parked, so that clients look elsewhere, and stops all timers. Idempotent. */
  close(): void {
    this.#closed = true
    this.#nextExpiry.clear()
    this.#partitions.giveUp()
    for (const partition of this.#partitions.loaded) abandonAll(partition)
  }

  /** What was being loaded or written has come to its end. */
  async settled(): Promise<void> {
    await this.#partitions.settled()
    // A partition that was being loaded at close has armed its members' sessions.
    if (this.#closed) this.close()
  }

  get #expiryMs(): number {
    return this.#ground.config.number('offsets.retention.check.interval.ms')
  }

  #expire(): void {
    const again = () => {
      if (!this.#closed) this.#nextExpiry.set(this.#expiryMs)
    }
    this.expire()
      .catch((err) => this.#host.logger.error({ err: asSeglogError(err) }, 'old offsets could not be removed'))
      .then(again)
  }

  #partitionOf(groupId: string): GroupPartition | null {
    this.#checkOpen()
    return this.#partitions.of(groupId)
  }

  #checkOpen(): void {
    if (this.#closed) throw protocolError('COORDINATOR_NOT_AVAILABLE', 'the broker is closing; look for another')
  }

  /** Does something to a group that may have to be made, and the topic with it. */
  #writing<R>(groupId: string, act: (partition: GroupPartition) => MaybePromise<R>): MaybePromise<R> {
    const { readOnly, path } = this.#ground.logs
    if (readOnly) {
      throw new SeglogError('READ_ONLY', `${path} is open read-only; open it without readOnly to use groups`, { path })
    }
    const partition = this.#partitionOf(groupId)
    if (partition !== null) return act(partition)
    return this.#partitions.create().then(() => act(this.#partitionOf(groupId)!))
  }

  /** The group of a member that must exist. */
  #memberGroup(groupId: string, memberId: string): AnyGroup {
    checkGroupId(groupId)
    const group = this.find(groupId)
    if (group === undefined || group.isEmpty) throw unknownMember(groupId, memberId)
    return group
  }

  async #settledGroup(groupId: string): Promise<{ partition: GroupPartition; group: AnyGroup }> {
    const partition = this.#partitionOf(groupId)
    // A commit under way is of the group too.
    await partition?.settled()
    const group = partition?.groups.get(groupId)
    if (partition === null || group === undefined) {
      throw protocolError('GROUP_ID_NOT_FOUND', `group ${groupId} does not exist`)
    }
    return { partition, group }
  }

  #joinClassic(
    partition: GroupPartition,
    request: JoinGroupRequest,
    context: RequestContext,
  ): MaybePromise<JoinGroupResponse> {
    const { groupId, memberId } = request
    const known = partition.groups.get(groupId)
    if (known === undefined && memberId !== '') throw unknownMember(groupId, memberId)
    const group = known ?? this.#groupIn(partition, groupId)
    // Others may have made it one of the consumer protocol after it was found to be none.
    if (group.type === 'consumer') throw protocolError('REBALANCE_IN_PROGRESS')
    try {
      return joinGroup(this.#host, group, request, context)
    } finally {
      this.#tidy(group)
    }
  }

  /** Null where the group's partition is not here. */
  #loadedPartitionOf(groupId: string): GroupPartition | null {
    if (this.#closed) return null
    try {
      return this.#partitions.of(groupId)
    } catch {
      return null
    }
  }

  #groupIn(partition: GroupPartition, groupId: string): AnyGroup {
    let group = partition.groups.get(groupId)
    if (group === undefined) {
      group = newGroup(this.#host, groupId)
      partition.groups.set(groupId, group)
    }
    return group
  }

  #tidy(group: Group): void {
    if (this.#closed || !isUnused(group)) return
    const groups = this.#partitionOf(group.id)?.groups
    if (groups?.get(group.id) === group) groups.delete(group.id)
  }

  #store(group: Group, assignments: ReadonlyMap<string, Uint8Array>): MaybePromise<void> {
    const partition = this.#partitionOf(group.id)
    if (partition?.groups.get(group.id) !== group) throw protocolError('NOT_COORDINATOR')
    // Its record would come after those of the consumer group that takes its place.
    if (partition.turns.isUnderWay(group.id)) throw protocolError('COORDINATOR_LOAD_IN_PROGRESS')
    const written = partition.write([groupRecord(group, assignments)], this.#host.clock(), () => {
      group.stored = true
    })
    return isPromise(written) ? written : undefined
  }
}

/** As the configs are now. */
class ConfiguredLimits implements GroupLimits {
  readonly #config: GroupGround['config']

  constructor(config: GroupGround['config']) {
    this.#config = config
  }

  get minSessionTimeoutMs(): number {
    return this.#config.number('group.min.session.timeout.ms')
  }

  get maxSessionTimeoutMs(): number {
    return this.#config.number('group.max.session.timeout.ms')
  }

  get initialRebalanceDelayMs(): number {
    return this.#config.number('group.initial.rebalance.delay.ms')
  }

  get maxSize(): number {
    return this.#config.number('group.max.size')
  }
}

function abandonAll(partition: GroupPartition): void {
  for (const group of partition.groups.values()) {
    if (group.type === 'consumer') group.clearTimers()
    else abandonGroup(group)
  }
}

/** It was made for a request that came to nothing. */
function isUnused(group: Group): boolean {
  const isNew = group.generation === 0 && !group.stored && group.offsets.isEmpty
  return isNew && group.isIn('Empty') && group.pendingJoins.size === 0
}

function checkGroupId(groupId: string): void {
  if (groupId === '') throw protocolError('INVALID_GROUP_ID', 'a group id must not be empty')
}

function unknownMember(groupId: string, memberId: string): SeglogError {
  const message = `group ${groupId} has no member ${JSON.stringify(memberId)}; join it again`
  return protocolError('UNKNOWN_MEMBER_ID', message)
}
