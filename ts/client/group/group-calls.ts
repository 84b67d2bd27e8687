import type { SeglogError } from '../../errors/seglog-error.js'
import type { MaybePromise } from '../../log/maybe-promise.js'
import { type ApiKey, apiKey, type RequestOf, type ResponseOf } from '../../protocol/apis.js'
import { protocolError } from '../../protocol/errors.js'
import { coordinatorType } from '../../protocol/messages/10-find-coordinator.js'
import type { JoinGroupResponse } from '../../protocol/messages/11-join-group.js'
import type { SyncGroupRequest } from '../../protocol/messages/14-sync-group.js'
import { zeroUuid } from '../../protocol/uuid.js'
import type { TopicPartition } from '../consumer-options.js'
import { byTopic, topicsOf } from '../partition-lists.js'
import { errorOf, throwErrorOf } from '../response-error.js'
import type { Transport } from '../transport.js'
import type { MemberIdentity } from './member-identity.js'

/** An offset to be committed, or that was. */
export interface OffsetOf extends TopicPartition {
  /** Of the next record to read. */
  readonly offset: bigint
  /** Of the last record that was read; -1 for unknown. */
  readonly leaderEpoch: number
  readonly metadata: string
}

export interface JoinRequest {
  readonly memberId: string
  readonly protocols: RequestOf<typeof apiKey.joinGroup>['protocols']
  readonly reason: string
}

export interface GroupNames {
  readonly groupId: string
  readonly groupInstanceId: string | null
  readonly clientId: string | null
  readonly sessionTimeoutMs: number
  readonly rebalanceTimeoutMs: number
}

const protocolType = 'consumer'
const heartbeatMsMin = 1_000
/** Epochs that say that a member of the consumer protocol goes. */
const leaveEpoch = { forGood: -1, forAWhile: -2 } as const

/**
 * The requests of one group's member, each once: what to do about an error is the caller's business. Errors reject with
 * Kafka's code, those of JoinGroup stand in its answer, which says more beside them.
 */
export class GroupCalls {
  private found = false

  constructor(
    private readonly transport: Transport,
    readonly names: GroupNames,
  ) {}

  /** Before the first of the others: the broker makes the topic of offsets in it. */
  async find(): Promise<void> {
    if (this.found) return
    const coordinatorKeys = [this.names.groupId]
    const keys = { key: '', keyType: coordinatorType.group, coordinatorKeys }
    const { coordinators } = await this.request(apiKey.findCoordinator, keys)
    if (coordinators[0] !== undefined) throwErrorOf(coordinators[0])
    this.found = true
  }

  join({ memberId, protocols, reason }: JoinRequest): MaybePromise<JoinGroupResponse> {
    const { groupId, groupInstanceId, sessionTimeoutMs, rebalanceTimeoutMs } = this.names
    return this.request(apiKey.joinGroup, {
      groupId,
      sessionTimeoutMs,
      rebalanceTimeoutMs,
      memberId,
      groupInstanceId,
      protocolType,
      protocols,
      reason,
    })
  }

  /** The member's assignment; `assignments` are everybody's, from the leader. */
  async sync(
    { memberId, generation }: MemberIdentity,
    protocolName: string,
    assignments: SyncGroupRequest['assignments'],
  ): Promise<Uint8Array> {
    const { groupId, groupInstanceId } = this.names
    const who = { groupId, generationId: generation, memberId, groupInstanceId }
    const response = await this.request(apiKey.syncGroup, { ...who, protocolType, protocolName, assignments })
    throwErrorOf(response)
    return response.assignment
  }

  /** Given up in time for others within the session. */
  async heartbeat({ memberId, generation }: MemberIdentity): Promise<void> {
    const { groupId, groupInstanceId, sessionTimeoutMs } = this.names
    const request = { groupId, generationId: generation, memberId, groupInstanceId }
    const timeoutMs = Math.max(heartbeatMsMin, Math.floor(sessionTimeoutMs / 3))
    throwErrorOf(await this.request(apiKey.heartbeat, request, timeoutMs))
  }

  /** What a member of the consumer protocol says; epoch 0 joins. Given up in that time, where one is given. */
  async consumerHeartbeat(
    request: RequestOf<typeof apiKey.consumerGroupHeartbeat>,
    timeoutMs?: number,
  ): Promise<ResponseOf<typeof apiKey.consumerGroupHeartbeat>> {
    const response = await this.request(apiKey.consumerGroupHeartbeat, request, timeoutMs)
    throwErrorOf(response)
    return response
  }

  /** Leaves as a member of the consumer protocol; a static one keeps its place for as long as its session lasts. */
  async consumerLeave(memberId: string): Promise<void> {
    const { groupId, groupInstanceId: instanceId } = this.names
    await this.consumerHeartbeat({
      ...{ groupId, memberId, instanceId, rackId: null, rebalanceTimeoutMs: -1, serverAssignor: null },
      memberEpoch: instanceId === null ? leaveEpoch.forGood : leaveEpoch.forAWhile,
      ...{ subscribedTopicNames: null, subscribedTopicRegex: null, topicPartitions: null },
    })
  }

  async leave(memberId: string, reason: string): Promise<void> {
    const { groupId, groupInstanceId } = this.names
    const members = [{ memberId, groupInstanceId, reason }]
    throwErrorOf(await this.request(apiKey.leaveGroup, { groupId, memberId: '', members }))
  }

  /** What became of each; in the order given. */
  async commit(
    { memberId, generation }: MemberIdentity,
    offsets: readonly OffsetOf[],
  ): Promise<(SeglogError | null)[]> {
    const { groupId, groupInstanceId } = this.names
    const response = await this.request(apiKey.offsetCommit, {
      groupId,
      generationIdOrMemberEpoch: generation,
      memberId,
      groupInstanceId,
      retentionTimeMs: -1n,
      topics: [...byTopic(offsets)].map(([name, ofTopic]) => ({
        name,
        topicId: zeroUuid,
        partitions: ofTopic.map(({ partition, offset, leaderEpoch, metadata }) => ({
          partitionIndex: partition,
          committedOffset: offset,
          committedLeaderEpoch: leaderEpoch,
          committedMetadata: metadata,
        })),
      })),
    })
    const errors = new Map<string, SeglogError | null>()
    for (const { name: topic, partitions } of response.topics) {
      for (const part of partitions) {
        errors.set(`${topic}-${part.partitionIndex}`, errorOf(part, { topic, partition: part.partitionIndex }))
      }
    }
    return offsets.map(({ topic, partition }) => {
      const error = errors.get(`${topic}-${partition}`)
      return error === undefined ? protocolError('UNKNOWN_SERVER_ERROR', 'the broker left it out of its answer') : error
    })
  }

  /**
   * The group's offsets of these partitions, of all it has if none are named; those without one are left out. As a member
   * of the consumer protocol, or as nobody.
   */
  async offsets(places: readonly TopicPartition[] | null, reader: MemberIdentity | null = null): Promise<OffsetOf[]> {
    const { groupId } = this.names
    const topics = places && topicsOf(places)
    const response = await this.request(apiKey.offsetFetch, {
      groupId: '',
      topics: [],
      groups: [
        {
          groupId,
          memberId: reader?.memberId ?? null,
          memberEpoch: reader?.generation ?? -1,
          topics:
            topics?.map(({ topic: name, partitions }) => ({ name, topicId: zeroUuid, partitionIndexes: partitions })) ??
            null,
        },
      ],
      requireStable: true,
    })
    const [group] = response.groups
    throwErrorOf(group)
    return group.topics.flatMap(({ name: topic, partitions }) => {
      return partitions.flatMap((part) => {
        const { partitionIndex: partition, committedOffset: offset, committedLeaderEpoch: leaderEpoch } = part
        throwErrorOf(part, { topic, partition })
        return offset < 0n ? [] : [{ topic, partition, offset, leaderEpoch, metadata: part.metadata ?? '' }]
      })
    })
  }

  private request<K extends ApiKey>(key: K, request: RequestOf<K>, timeoutMs?: number): MaybePromise<ResponseOf<K>> {
    return this.transport.request(key, request, { clientId: this.names.clientId, timeoutMs })
  }
}
