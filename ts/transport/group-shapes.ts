import { SeglogError } from '../errors/seglog-error.js'
import type { apiKey } from '../protocol/apis.js'
import { zeroUuid } from '../protocol/uuid.js'
import { anyVersion, plainShape, type RequestShape } from './request-shape.js'
import { allKnown, knownId, type TopicIds } from './topic-ids.js'

interface NamedTopic {
  readonly name: string
  readonly topicId: string
}

const nameOf = ({ name }: NamedTopic): string => name

/** From here on offsets are committed and fetched by topic id alone. */
const idsFrom = 10
/** From here on several groups are asked for at once. */
const groupsFrom = 8
const membersFrom = 3
const keysFrom = 4

export const offsetCommitShape: RequestShape<typeof apiKey.offsetCommit> = {
  newest: (request, ids) => (allKnown(request.topics, nameOf, ids) ? anyVersion : idsFrom - 1),
  fold: (request, version, ids) => (version < idsFrom ? request : { ...request, topics: withIds(request.topics, ids) }),
  unfold(response, _request, version, folded) {
    return version < idsFrom ? response : { ...response, topics: withNames(response.topics, folded.topics) }
  },
}

/** One group to a request: what older versions can say, and what one coordinator can answer. */
export const offsetFetchShape: RequestShape<typeof apiKey.offsetFetch> = {
  newest(request, ids) {
    const areKnown = request.groups.every(({ topics }) => topics !== null && allKnown(topics, nameOf, ids))
    return areKnown ? anyVersion : idsFrom - 1
  },
  fold(request, version, ids) {
    const { groups, requireStable } = request
    if (version < groupsFrom) {
      const { groupId, topics } = only(groups, 'OffsetFetch', 'groups')
      const older = topics?.map(({ name, partitionIndexes }) => ({ name, partitionIndexes })) ?? null
      // Before version 7 there was nothing unstable to ask about.
      return { groupId, topics: older, groups: [], requireStable: requireStable && version >= 7 }
    }
    const newer = { groupId: '', topics: [], requireStable }
    if (version < idsFrom) return { ...newer, groups }
    return {
      ...newer,
      groups: groups.map((group) => ({ ...group, topics: group.topics && withIds(group.topics, ids) })),
    }
  },
  unfold(response, request, version, folded) {
    if (version >= idsFrom) {
      const groups = response.groups.map((group, index) => {
        return { ...group, topics: withNames(group.topics, folded.groups[index]?.topics ?? []) }
      })
      return { ...response, groups }
    }
    if (version >= groupsFrom) return response
    const topics = response.topics.map(({ name, partitions }) => ({ name, topicId: zeroUuid, partitions }))
    return { ...response, groups: [{ groupId: request.groups[0].groupId, topics, errorCode: response.errorCode }] }
  },
}

export const findCoordinatorShape: RequestShape<typeof apiKey.findCoordinator> = {
  ...plainShape,
  fold(request, version) {
    const { keyType, coordinatorKeys } = request
    if (version >= keysFrom) return { key: '', keyType, coordinatorKeys }
    return { key: only(coordinatorKeys, 'FindCoordinator', 'keys'), keyType, coordinatorKeys: [] }
  },
  unfold(response, request, version) {
    if (version >= keysFrom) return response
    const { nodeId, host, port, errorCode, errorMessage } = response
    return {
      ...response,
      coordinators: [{ key: request.coordinatorKeys[0], nodeId, host, port, errorCode, errorMessage }],
    }
  },
}

export const leaveGroupShape: RequestShape<typeof apiKey.leaveGroup> = {
  ...plainShape,
  fold(request, version) {
    const { groupId, members } = request
    if (version >= membersFrom) return { groupId, memberId: '', members }
    return { groupId, memberId: only(members, 'LeaveGroup', 'members').memberId, members: [] }
  },
  unfold(response, request, version) {
    if (version >= membersFrom) return response
    const { errorCode } = response
    const members = request.members.map(({ memberId }) => ({ memberId, groupInstanceId: null, errorCode }))
    return { ...response, members }
  },
}

function withIds<T extends NamedTopic>(topics: readonly T[], ids: TopicIds): T[] {
  return topics.map((topic) => ({ ...topic, topicId: knownId(topic, topic.name, ids) }))
}

function withNames<T extends NamedTopic>(found: readonly T[], asked: readonly NamedTopic[]): T[] {
  const names = new Map(asked.map(({ name, topicId }) => [topicId, name]))
  return found.map((topic) => ({ ...topic, name: names.get(topic.topicId) ?? '' }))
}

function only<T>(list: readonly T[], api: string, what: string): T {
  if (list.length === 1) return list[0]
  const message = `${api}: this broker takes one at a time, and the request has ${list.length} ${what}`
  throw new SeglogError('UNSUPPORTED', message)
}
