import { protocolError } from '../../../protocol/errors.js'
import type {
  ConsumerGroupHeartbeatRequest,
  ConsumerGroupHeartbeatResponse,
} from '../../../protocol/messages/68-consumer-group-heartbeat.js'
import { randomUuid } from '../../../protocol/uuid.js'
import type { RequestContext } from '../../request-context.js'
import { advance } from './advance.js'
import { areAmong, samePartitions, toTopicPartitions } from './assignment.js'
import type { ConsumerGroup } from './consumer-group.js'
import type { ConsumerHost } from './consumer-host.js'
import { awayEpoch, type ConsumerMember, newConsumerMember } from './consumer-member.js'
import { expectHeartbeat } from './expect.js'
import type { GroupChange } from './group-change.js'

/**
 * A member joins or goes on, and is told its epoch and, where it is not what it was, its assignment. Throws
 * GROUP_MAX_SIZE_REACHED, UNKNOWN_MEMBER_ID, FENCED_MEMBER_EPOCH, FENCED_INSTANCE_ID, UNRELEASED_INSTANCE_ID,
 * INVALID_REGULAR_EXPRESSION.
 */
export function heartbeat(
  host: ConsumerHost,
  group: ConsumerGroup,
  request: ConsumerGroupHeartbeatRequest,
  context: RequestContext,
  change: GroupChange,
): ConsumerGroupHeartbeatResponse {
  checkRoom(host, group, request.memberId)
  const { before, replaced } = whoIsIt(host, group, request, change)
  const owned = request.topicPartitions
  const member = advance(host, group, { before, said: said(before, request, context), owned, replaced }, change)
  change.whenWritten(() => expectHeartbeat(host, group, before, member))
  const isFull =
    request.memberEpoch === 0 ||
    (request.rebalanceTimeoutMs !== -1 &&
      (request.subscribedTopicNames !== null || request.subscribedTopicRegex !== null) &&
      owned !== null)
  const isTold = isFull || !samePartitions(before.assigned, member.assigned)
  return answer(member.id, member.epoch, {
    heartbeatIntervalMs: host.settings.heartbeatIntervalMs(group.id),
    assignment: isTold ? { topicPartitions: toTopicPartitions(member.assigned) } : null,
  })
}

export function answer(
  memberId: string | null,
  memberEpoch: number,
  fields: Partial<ConsumerGroupHeartbeatResponse> = {},
): ConsumerGroupHeartbeatResponse {
  return {
    throttleTimeMs: 0,
    errorCode: 0,
    errorMessage: null,
    memberId,
    memberEpoch,
    heartbeatIntervalMs: 0,
    assignment: null,
    ...fields,
  }
}

/** Those who are in it may stay. */
export function checkRoom({ settings }: ConsumerHost, group: ConsumerGroup, memberId: string): void {
  if (group.members.size < settings.maxSize || group.members.has(memberId)) return
  throw protocolError('GROUP_MAX_SIZE_REACHED', `group ${group.id} has as many members as it may: ${settings.maxSize}`)
}

interface Who {
  readonly before: ConsumerMember
  readonly replaced: ConsumerMember | null
}

function whoIsIt(
  host: ConsumerHost,
  group: ConsumerGroup,
  request: ConsumerGroupHeartbeatRequest,
  change: GroupChange,
): Who {
  const { memberEpoch, instanceId } = request
  const joins = memberEpoch === 0
  // Before version 1 the broker makes the id.
  const memberId = request.memberId === '' ? randomUuid() : request.memberId
  if (instanceId === null) {
    const before = joins ? (group.members.get(memberId) ?? newConsumerMember(memberId)) : group.member(memberId)
    checkEpoch(before, request)
    return { before, replaced: null }
  }
  const current = group.staticMember(instanceId)
  if (!joins) {
    const before = checkInstance(group, instanceId, memberId)
    checkEpoch(before, request)
    return { before, replaced: null }
  }
  if (current === undefined) return { before: newConsumerMember(memberId), replaced: null }
  if (current.classic === null && current.epoch !== awayEpoch) {
    const message = `group.instance.id ${instanceId} of group ${group.id} is held by ${current.id}, which has not left`
    throw protocolError('UNRELEASED_INSTANCE_ID', message)
  }
  const before = successor(current, memberId)
  change.replace(group, current, before)
  host.logger.info(
    { group: group.id, member: current.id, by: memberId },
    'a static member is replaced by its next process',
  )
  return { before, replaced: current }
}

/** The next process of a static member: it has what the one before had. */
export function successor(old: ConsumerMember, id: string): ConsumerMember {
  return { ...old, id, epoch: 0, previousEpoch: 0 }
}

/** The static member, which must be this one. Throws UNKNOWN_MEMBER_ID, FENCED_INSTANCE_ID. */
export function checkInstance(group: ConsumerGroup, instanceId: string, memberId: string): ConsumerMember {
  const current = group.staticMember(instanceId)
  if (current === undefined) {
    throw protocolError('UNKNOWN_MEMBER_ID', `group ${group.id} has no member with the instance id ${instanceId}`)
  }
  if (current.id !== memberId) {
    const message = `group.instance.id ${instanceId} of group ${group.id} has been taken over by ${current.id}`
    throw protocolError('FENCED_INSTANCE_ID', message)
  }
  return current
}

/**
 * A member may come in its epoch, and in the one before with no more than it has: the answer that told it of the new one
 * may have been lost. In epoch 0 it begins anew. Throws FENCED_MEMBER_EPOCH.
 */
function checkEpoch(member: ConsumerMember, { memberEpoch, topicPartitions }: ConsumerGroupHeartbeatRequest): void {
  if (memberEpoch === 0 || memberEpoch === member.epoch) return
  const isPrevious = memberEpoch < member.epoch && memberEpoch === member.previousEpoch
  if (isPrevious && topicPartitions !== null && areAmong(topicPartitions, member.assigned)) return
  const message = `member ${member.id} is in epoch ${member.epoch}, not ${memberEpoch}: give up all partitions and join again`
  throw protocolError('FENCED_MEMBER_EPOCH', message)
}

/** The member with what the request says of it; what it leaves out is as before. */
function said(member: ConsumerMember, request: ConsumerGroupHeartbeatRequest, context: RequestContext): ConsumerMember {
  const { subscribedTopicNames: names, subscribedTopicRegex: regex, rebalanceTimeoutMs } = request
  return {
    ...member,
    instanceId: request.instanceId ?? member.instanceId,
    rackId: request.rackId ?? member.rackId,
    clientId: context.clientId ?? '',
    clientHost: `/${context.clientHost}`,
    topics: names === null ? member.topics : [...new Set(names)].sort(),
    regex: regex === null ? member.regex : regex === '' ? null : regex,
    rebalanceTimeoutMs: rebalanceTimeoutMs === -1 ? member.rebalanceTimeoutMs : rebalanceTimeoutMs,
    serverAssignor: request.serverAssignor ?? member.serverAssignor,
    classic: null,
  }
}
