import type { SeglogError } from '../errors/seglog-error.js'
import { apiKey, type ResponseOf } from '../protocol/apis.js'
import { protocolError } from '../protocol/errors.js'
import { type AdminCalls, checkCall, defaultTimeoutMs, only, throwFirst } from './admin-calls.js'
import type {
  GroupDescription,
  GroupListing,
  GroupMemberDescription,
  GroupOutcome,
  OffsetReset,
  PartitionLag,
  ResetTarget,
  TopicPart,
} from './admin-group-options.js'
import * as rules from './admin-group-options.js'
import { describeConsumerGroup } from './consumer-group-description.js'
import { type CommittedOffset, checkCommit, type OffsetToCommit, type TopicPartition } from './consumer-options.js'
import { decodeAssignment, decodeSubscription } from './group/consumer-protocol.js'
import { GroupCalls, type OffsetOf } from './group/group-calls.js'
import { outsider } from './group/member-identity.js'
import { lagOf } from './group-lag.js'
import { checkTarget, planReset } from './offset-reset.js'
import { inOrder, placeName } from './partition-ends.js'
import { topicsOf } from './partition-lists.js'
import { patiently } from './patiently.js'
import { errorOf, throwErrorOf } from './response-error.js'
import { partitionCounts } from './subscription.js'

type DescribedGroup = ResponseOf<typeof apiKey.describeGroups>['groups'][number]
type DescribedMember = DescribedGroup['members'][number]

/** What an admin does with groups of consumers and their offsets. */
export class AdminGroups {
  constructor(protected readonly calls: AdminCalls) {}

  /** Every group of the cluster, by name; only of some states or types where they are given. */
  async listGroups(options: { states?: readonly string[]; types?: readonly string[] } = {}): Promise<GroupListing[]> {
    checkCall('admin.listGroups()', options, rules.listGroupsRules)
    const { states = [], types = [] } = options
    const groups = await this.patiently(async () => {
      const response = await this.calls.request(apiKey.listGroups, { statesFilter: states, typesFilter: types })
      throwErrorOf(response)
      return response.groups
    })
    return groups
      .map(({ groupId, protocolType, groupState, groupType }) => {
        return { groupId, state: groupState, protocolType, type: groupType }
      })
      .sort((a, b) => (a.groupId < b.groupId ? -1 : 1))
  }

  /** A group's state and members, with what each has. Rejects with GROUP_ID_NOT_FOUND. */
  async describeGroup(groupId: string): Promise<GroupDescription> {
    checkCall('admin.describeGroup()', { groupId }, rules.groupRules, 'groupId')
    return only(await this.describeGroups({ groupIds: [groupId] }))
  }

  /** As `describeGroup`, for several, or for all. */
  async describeGroups(options: { groupIds?: readonly string[] } = {}): Promise<GroupDescription[]> {
    checkCall('admin.describeGroups()', options, rules.describeGroupsRules)
    const groupIds = options.groupIds ?? (await this.listGroups()).map((one) => one.groupId)
    const outcomes = await Promise.all(groupIds.map((groupId) => this.describe(groupId)))
    throwFirst(outcomes)
    return outcomes
  }

  /** Deletes a group and its offsets. Rejects with NON_EMPTY_GROUP, and GROUP_ID_NOT_FOUND unless `ifExists`. */
  async deleteGroup(options: { groupId: string; ifExists?: boolean }): Promise<void> {
    checkCall('admin.deleteGroup()', options, rules.deleteGroupRules, 'groupId')
    const { groupId, ifExists } = options
    await this.deleteGroups({ groupIds: [groupId], ifExists })
  }

  /** As `deleteGroup`, for several. */
  async deleteGroups(options: { groupIds: readonly string[]; ifExists?: boolean }): Promise<void> {
    checkCall('admin.deleteGroups()', options, rules.deleteGroupsRules, 'groupIds')
    const { groupIds, ifExists = false } = options
    const outcomes = await Promise.all(groupIds.map((groupId) => this.delete(groupId, ifExists)))
    throwFirst(outcomes)
  }

  /** The offsets a group has committed, of some topics or of all; null where it has none of a partition that is named. */
  async fetchOffsets(options: { groupId: string; topics?: readonly TopicPart[] }): Promise<CommittedOffset[]> {
    checkCall('admin.fetchOffsets()', options, rules.fetchOffsetsRules, 'groupId')
    const { groupId, topics } = options
    const places = topics && (await this.placesOf('admin.fetchOffsets()', topics))
    const found = await this.offsetsOf(groupId, places ?? null)
    if (places === undefined) return inOrder(found)
    const byName = new Map(found.map((one) => [placeName(one), one]))
    return places.map((place) => byName.get(placeName(place)) ?? noOffset(place))
  }

  /** Sets offsets of a group without members. Rejects with NON_EMPTY_GROUP, UNKNOWN_TOPIC_OR_PARTITION. */
  async setOffsets(options: { groupId: string; offsets: readonly OffsetToCommit[] }): Promise<void> {
    checkCall('admin.setOffsets()', options, rules.setOffsetsRules, 'groupId', 'offsets')
    const { groupId, offsets } = options
    checkCommit(offsets, 'admin.setOffsets()')
    await this.commit(
      groupId,
      offsets.map(({ topic, partition, offset, leaderEpoch = -1, metadata = '' }) => {
        return { topic, partition, offset: BigInt(offset), leaderEpoch, metadata }
      }),
    )
  }

  /**
   * Where the offsets of a group would go, of some topics or of all it has offsets of; changes nothing unless `execute`.
   * Rejects with NON_EMPTY_GROUP when it is to be done and the group has members, and INVALID_ARGUMENT for the shift of
   * an offset that is not there.
   */
  async resetOffsets(
    options: { groupId: string; topics?: readonly TopicPart[]; execute?: boolean } & ResetTarget,
  ): Promise<OffsetReset[]> {
    checkCall('admin.resetOffsets()', options, rules.resetOffsetsRules, 'groupId', 'to')
    checkTarget(options)
    const { groupId, topics, execute = false } = options
    const found = await this.offsetsOf(groupId, null)
    const places = topics === undefined ? inOrder(found) : await this.placesOf('admin.resetOffsets()', topics)
    const committed = new Map(found.map((one) => [placeName(one), one.offset]))
    const plan = await planReset(this.calls, places, committed, options)
    if (execute) {
      const changed = plan.filter(({ committed: before, offset }) => before !== offset)
      await this.commit(
        groupId,
        changed.map(({ topic, partition, offset }) => ({ topic, partition, offset, leaderEpoch: -1, metadata: '' })),
      )
    }
    return plan
  }

  /**
   * Forgets offsets of a group. Rejects with GROUP_SUBSCRIBED_TO_TOPIC for a topic that members read,
   * GROUP_ID_NOT_FOUND, UNKNOWN_TOPIC_OR_PARTITION.
   */
  async deleteOffsets(options: { groupId: string; topics: readonly TopicPart[] }): Promise<void> {
    const of = 'admin.deleteOffsets()'
    checkCall(of, options, rules.deleteOffsetsRules, 'groupId', 'topics')
    const { groupId } = options
    const places = await this.placesOf(of, options.topics)
    if (places.length === 0) return
    const topics = topicsOf(places).map(({ topic: name, partitions }) => {
      return { name, partitions: partitions.map((partitionIndex) => ({ partitionIndex })) }
    })
    const response = await this.patiently(async () => {
      const answer = await this.calls.request(apiKey.offsetDelete, { groupId, topics })
      throwErrorOf(answer)
      return answer
    })
    throwFirst(
      response.topics.flatMap(({ name: topic, partitions }) =>
        partitions.map((part) => {
          const { partitionIndex: partition } = part
          const error = errorOf(part, { topic, partition })
          return error === null ? { topic, partition } : { topic, partition, error }
        }),
      ),
    )
  }

  /**
   * How far a group, or every group, is behind: in every partition it has committed an offset for or that a member has.
   * Never negative. Rejects with GROUP_ID_NOT_FOUND.
   */
  async lag(groupId?: string): Promise<PartitionLag[]> {
    checkCall('admin.lag()', { groupId }, rules.lagRules)
    const { checkOpen, transport } = this.calls.parts
    checkOpen()
    if (transport.groupLag === undefined) return this.lagByRequests(groupId)
    if (groupId !== undefined) return transport.groupLag(groupId)
    const lags = (await this.listGroups()).map(async (one) => {
      return transport.groupLag!(one.groupId).catch((error: SeglogError) => {
        // Deleted since it was listed.
        if (error.code === 'GROUP_ID_NOT_FOUND') return []
        throw error
      })
    })
    return (await Promise.all(lags)).flat()
  }

  /** Over a network commits and ends come one after the other. */
  private async lagByRequests(groupId: string | undefined): Promise<PartitionLag[]> {
    const groups = groupId === undefined ? await this.allThatAreThere() : [await this.describeGroup(groupId)]
    const offsets = await Promise.all(groups.map((group) => this.offsetsOf(group.groupId, null)))
    return lagOf(
      this.calls,
      groups.map((group, index) => ({ group, offsets: offsets[index] })),
    )
  }

  /** Those that can be described: others may be deleted, or be groups of another protocol. */
  private async allThatAreThere(): Promise<GroupDescription[]> {
    const listed = await this.listGroups()
    const described = await Promise.all(listed.map(({ groupId }) => this.describe(groupId)))
    throwFirst(described.filter(({ error }) => error?.code !== 'GROUP_ID_NOT_FOUND'))
    return described.filter(({ error }) => error === undefined)
  }

  private async describe(groupId: string): Promise<GroupDescription & GroupOutcome> {
    try {
      return await this.patiently(async () => {
        const request = { groups: [groupId], includeAuthorizedOperations: false }
        const group = only((await this.calls.request(apiKey.describeGroups, request)).groups)
        throwErrorOf(group)
        // So do brokers call a group that they do not know, unless they speak the newest version.
        if (group.groupState === 'Dead') throw protocolError('GROUP_ID_NOT_FOUND', `there is no group ${groupId}`)
        return descriptionOf(group)
      })
    } catch (error) {
      return this.describeOther(groupId, error as SeglogError)
    }
  }

  /** A group that is none of the classic protocol may be one of the other. */
  private async describeOther(groupId: string, error: SeglogError): Promise<GroupDescription & GroupOutcome> {
    const none = { groupId, state: 'Dead', protocolType: '', assignor: null, members: [] }
    if (error.code !== 'GROUP_ID_NOT_FOUND') return { ...none, error }
    try {
      return await this.patiently(() => describeConsumerGroup(this.calls, groupId))
    } catch (thrown) {
      const other = thrown as SeglogError
      return { ...none, error: other.code === 'UNSUPPORTED_VERSION' ? error : other }
    }
  }

  private async delete(groupId: string, ifExists: boolean): Promise<GroupOutcome> {
    try {
      await this.patiently(async () => {
        throwErrorOf(only((await this.calls.request(apiKey.deleteGroups, { groupsNames: [groupId] })).results))
      })
      return { groupId }
    } catch (thrown) {
      const error = thrown as SeglogError
      return ifExists && error.code === 'GROUP_ID_NOT_FOUND' ? { groupId } : { groupId, error }
    }
  }

  private async commit(groupId: string, offsets: readonly OffsetOf[]): Promise<void> {
    if (offsets.length === 0) return
    const calls = this.groupCalls(groupId)
    const errors = await this.patiently(async () => {
      await calls.find()
      const answers = await calls.commit(outsider, offsets)
      const passing = answers.find((error) => error?.retriable && error.code !== 'UNKNOWN_TOPIC_OR_PARTITION')
      if (passing) throw passing
      return answers
    })
    throwFirst(
      offsets.map((offset, index) => {
        const error = errors[index]
        // To one that names no generation it says so about a group that has some.
        if (error?.code === 'UNKNOWN_MEMBER_ID') throw nonEmpty(groupId)
        const { topic, partition } = offset
        return error === null ? { topic, partition } : { topic, partition, error }
      }),
    )
  }

  private offsetsOf(groupId: string, places: readonly TopicPartition[] | null): Promise<OffsetOf[]> {
    const calls = this.groupCalls(groupId)
    return this.patiently(() => calls.offsets(places))
  }

  private groupCalls(groupId: string): GroupCalls {
    const { clientId, parts } = this.calls
    parts.checkOpen()
    const names = { groupId, groupInstanceId: null, clientId, sessionTimeoutMs: 0, rebalanceTimeoutMs: 0 }
    return new GroupCalls(parts.transport, names)
  }

  /** Rejects with UNKNOWN_TOPIC_OR_PARTITION for a topic that is not there, where all its partitions are meant. */
  private async placesOf(of: string, topics: readonly TopicPart[]): Promise<TopicPartition[]> {
    for (const one of topics) checkCall(of, one, rules.topicPartRules, 'topic')
    const whole = topics.filter(({ partitions }) => partitions === undefined).map(({ topic }) => topic)
    const counts = await partitionCounts(this.calls.parts.transport, whole)
    return topics.flatMap(({ topic, partitions }) => {
      if (partitions !== undefined) return partitions.map((partition) => ({ topic, partition }))
      const count = counts.get(topic)
      if (count === undefined) throw protocolError('UNKNOWN_TOPIC_OR_PARTITION', null, { retriable: false, topic })
      return Array.from({ length: count }, (_, partition) => ({ topic, partition }))
    })
  }

  private patiently<T>(work: () => Promise<T>): Promise<T> {
    return patiently(work, defaultTimeoutMs)
  }
}

function descriptionOf({ groupId, groupState, protocolType, protocolData, members }: DescribedGroup): GroupDescription {
  const isOfConsumers = protocolType === 'consumer'
  return {
    groupId,
    state: groupState,
    protocolType,
    assignor: isOfConsumers && protocolData !== '' ? protocolData : null,
    members: members.map((member) => memberOf(member, isOfConsumers)),
  }
}

function memberOf(member: DescribedMember, isConsumer: boolean): GroupMemberDescription {
  const { memberId, groupInstanceId, clientId, clientHost, memberMetadata, memberAssignment } = member
  const known = { memberId, groupInstanceId, clientId, clientHost }
  if (!isConsumer) return { ...known, topics: [], assignment: [] }
  return {
    ...known,
    topics: memberMetadata.length === 0 ? [] : readable(() => [...decodeSubscription(memberMetadata).topics], []),
    assignment: readable(() => inOrder(decodeAssignment(memberAssignment)), []),
  }
}

/** What a member or leader wrote is its own affair: it must not keep the rest of the group from being seen. */
function readable<T>(read: () => T, otherwise: T): T {
  try {
    return read()
  } catch {
    return otherwise
  }
}

function noOffset({ topic, partition }: TopicPartition): CommittedOffset {
  return { topic, partition, offset: null, leaderEpoch: null, metadata: null }
}

function nonEmpty(groupId: string): SeglogError {
  return protocolError('NON_EMPTY_GROUP', `group ${groupId} has members: its offsets can be set when they have left`)
}
