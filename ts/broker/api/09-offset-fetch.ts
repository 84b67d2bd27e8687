import { apiKey } from '../../protocol/apis.js'
import { protocolErrors } from '../../protocol/errors.js'
import type { OffsetFetchRequest, OffsetFetchResponse } from '../../protocol/messages/09-offset-fetch.js'
import { zeroUuid } from '../../protocol/uuid.js'
import type { BrokerState } from '../broker-state.js'
import type { AnyGroup } from '../groups/any-group.js'
import type { CommittedOffset } from '../groups/committed-offsets.js'
import { checkFetcher } from '../groups/consumer/member-commits.js'
import { answering } from './answering.js'
import { apiHandler } from './api-handler.js'
import { distinct } from './distinct.js'

type AskedGroup = OffsetFetchRequest['groups'][number]
type AskedTopic = NonNullable<AskedGroup['topics']>[number]
type GroupAnswer = OffsetFetchResponse['groups'][number]
type TopicAnswer = GroupAnswer['topics'][number]
type PartitionAnswer = TopicAnswer['partitions'][number]

/** Several groups at once (KIP-709). */
const groupsSince = 8
const topicIdsSince = 10
/** Before this version an error of the group is told with each partition. */
const groupErrorSince = 2

/**
 * Versions 1-10. Null topics ask for all. A partition without an offset answers -1 and no error; so does one whose offset
 * was committed for an earlier topic of its name. With `requireStable` a partition that a transaction may still change
 * answers UNSTABLE_OFFSET_COMMIT. A group, topic or partition that is named again is answered once: metadata may be a
 * thousand times as long as its question. A member of the consumer protocol fetches in its epoch (version 9), anybody who
 * names no member at any time.
 */
export const offsetFetch = apiHandler(apiKey.offsetFetch, '1-10', (broker, request, context): OffsetFetchResponse => {
  const { apiVersion } = context
  const { requireStable } = request
  if (apiVersion >= groupsSince) {
    const groups = merged(request.groups).map((asked) => answerFor(broker, asked, requireStable, apiVersion))
    return { throttleTimeMs: 0, topics: [], errorCode: 0, groups }
  }
  const topics = request.topics?.map((topic) => ({ ...topic, topicId: zeroUuid })) ?? null
  const asked = { groupId: request.groupId, memberId: null, memberEpoch: -1, topics }
  const { errorCode, topics: answers } = answerFor(broker, asked, requireStable, apiVersion)
  return { throttleTimeMs: 0, topics: answers, errorCode, groups: [] }
})

/** Each group once, with all the topics that it was asked for. */
function merged(groups: readonly AskedGroup[]): readonly AskedGroup[] {
  const once = distinct(groups, ({ groupId }) => groupId)
  if (once.length === groups.length) return groups
  const topics = new Map<string, AskedTopic[] | null>()
  for (const { groupId, topics: asked } of groups) {
    const before = topics.get(groupId)
    if (before === null || asked === null) topics.set(groupId, null)
    else if (before === undefined) topics.set(groupId, [...asked])
    else for (const topic of asked) before.push(topic)
  }
  return once.map((group) => ({ ...group, topics: topics.get(group.groupId) ?? null }))
}

/** Each topic once, with each of its partitions once. */
function mergedTopics(asked: readonly AskedTopic[]): readonly AskedTopic[] {
  const keyOf = ({ name, topicId }: AskedTopic) => `${topicId}${name}`
  const indexes = new Map<string, Set<number>>()
  for (const topic of asked) {
    const found = indexes.get(keyOf(topic)) ?? new Set()
    indexes.set(keyOf(topic), found)
    for (const index of topic.partitionIndexes) found.add(index)
  }
  return distinct(asked, keyOf).map((topic) => ({ ...topic, partitionIndexes: [...indexes.get(keyOf(topic))!] }))
}

function answerFor(broker: BrokerState, asked: AskedGroup, requireStable: boolean, version: number): GroupAnswer {
  const { groupId } = asked
  const answer = answering(
    (): GroupAnswer => {
      const group = broker.groups.find(groupId)
      if (group?.type === 'consumer') checkFetcher(group, asked.memberId, asked.memberEpoch)
      const lookUp = new LookUp(broker, groupId, group, requireStable)
      return { groupId, topics: lookUp.topics(asked.topics, version >= topicIdsSince), errorCode: 0 }
    },
    (errorCode): GroupAnswer => {
      const topics = version < groupErrorSince ? (asked.topics ?? []).map((topic) => refused(topic, errorCode)) : []
      return { groupId, topics, errorCode }
    },
  )
  return answer as GroupAnswer
}

/** The offsets of one group, as the topics are now. */
class LookUp {
  readonly #broker: BrokerState
  readonly #groupId: string
  readonly #group: AnyGroup | undefined
  readonly #requireStable: boolean

  constructor(broker: BrokerState, groupId: string, group: AnyGroup | undefined, requireStable: boolean) {
    this.#broker = broker
    this.#groupId = groupId
    this.#group = group
    this.#requireStable = requireStable
  }

  topics(asked: AskedGroup['topics'], byId: boolean): TopicAnswer[] {
    return asked === null ? this.#all(byId) : mergedTopics(asked).map((topic) => this.#asked(topic))
  }

  #asked(asked: AskedTopic): TopicAnswer {
    const topic = this.#broker.topics.find(asked.name, asked.topicId)
    if (topic === undefined && asked.topicId !== zeroUuid) return refused(asked, protocolErrors.UNKNOWN_TOPIC_ID.code)
    const name = topic?.name ?? asked.name
    const topicId = topic?.record.id ?? zeroUuid
    const partitions = asked.partitionIndexes.map((index) => this.#partition(name, topicId, index))
    return { name, topicId, partitions }
  }

  #all(byId: boolean): TopicAnswer[] {
    const answers: TopicAnswer[] = []
    for (const [name, offsets] of this.#group?.offsets.topics ?? []) {
      const topicId = this.#broker.topics.byName(name)?.record.id ?? zeroUuid
      // Without an id a topic cannot be named there.
      if (byId && topicId === zeroUuid) continue
      const partitions = Array.from(offsets.keys(), (index) => this.#partition(name, topicId, index))
      const found = partitions.filter(({ committedOffset, errorCode }) => committedOffset >= 0n || errorCode !== 0)
      if (found.length > 0) answers.push({ name, topicId, partitions: found })
    }
    return answers
  }

  #partition(topic: string, topicId: string, index: number): PartitionAnswer {
    if (this.#requireStable && this.#broker.groups.isPending(this.#groupId, topic, index)) {
      return none(index, protocolErrors.UNSTABLE_OFFSET_COMMIT.code)
    }
    const committed = this.#group?.offsets.get(topic, index)
    if (committed === undefined || isOfOtherTopic(committed, topicId)) return none(index, 0)
    return {
      partitionIndex: index,
      committedOffset: committed.offset,
      committedLeaderEpoch: committed.leaderEpoch,
      metadata: committed.metadata,
      errorCode: 0,
    }
  }
}

/** It was committed for a topic of this name that was deleted since. */
function isOfOtherTopic({ topicId }: CommittedOffset, current: string): boolean {
  return topicId !== zeroUuid && current !== zeroUuid && topicId !== current
}

function refused({ name, topicId, partitionIndexes }: AskedTopic, errorCode: number): TopicAnswer {
  return { name, topicId, partitions: partitionIndexes.map((index) => none(index, errorCode)) }
}

function none(partitionIndex: number, errorCode: number): PartitionAnswer {
  return { partitionIndex, committedOffset: -1n, committedLeaderEpoch: -1, metadata: '', errorCode }
}
