import { protocolError } from '../../../protocol/errors.js'
import type { JoinGroupRequest, JoinGroupResponse } from '../../../protocol/messages/11-join-group.js'
import type { HeartbeatRequest } from '../../../protocol/messages/12-heartbeat.js'
import type { SyncGroupRequest, SyncGroupResponse } from '../../../protocol/messages/14-sync-group.js'
import { randomUuid } from '../../../protocol/uuid.js'
import type { RequestContext } from '../../request-context.js'
import { consumerProtocolType } from '../group.js'
import { joinFailure } from '../group-answers.js'
import type { Protocols } from '../member.js'
import { advance } from './advance.js'
import type { ConsumerGroup } from './consumer-group.js'
import type { ConsumerHost } from './consumer-host.js'
import { type ConsumerMember, newConsumerMember } from './consumer-member.js'
import { ownedBy, readSubscription, writeAssignment } from './embedded-protocol.js'
import { timersOf } from './expect.js'
import type { GroupChange } from './group-change.js'
import { checkInstance, checkRoom, successor } from './heartbeat.js'

// Members of a consumer group that speak the classic protocol, while a group changes from one to the other: a join takes
// such a member as far as a heartbeat takes others, its generation is its epoch, and it is told by its heartbeats to join
// again where there is a next step for it. The broker leads.

const memberIdRequiredSince = 4

/** Throws GROUP_MAX_SIZE_REACHED, INCONSISTENT_GROUP_PROTOCOL, UNKNOWN_MEMBER_ID, FENCED_INSTANCE_ID. */
export function joinAsClassic(
  host: ConsumerHost,
  group: ConsumerGroup,
  request: JoinGroupRequest,
  context: RequestContext,
  change: GroupChange,
): JoinGroupResponse {
  const { groupInstanceId: instanceId, protocols, protocolType, sessionTimeoutMs } = request
  const isNew = request.memberId === ''
  const memberId = isNew ? randomUuid() : request.memberId
  checkRoom(host, group, memberId)
  checkProtocols(group, protocolType, protocols)
  if (isNew && instanceId === null && context.apiVersion >= memberIdRequiredSince) {
    return joinFailure(memberId, 'MEMBER_ID_REQUIRED')
  }
  const { before, replaced } = whoIsIt(host, group, memberId, instanceId, isNew, change)
  const subscription = subscriptionOf(protocols)
  const rebalanceTimeoutMs = request.rebalanceTimeoutMs < 0 ? sessionTimeoutMs : request.rebalanceTimeoutMs
  const said: ConsumerMember = {
    ...before,
    instanceId: instanceId ?? before.instanceId,
    rackId: subscription.rackId ?? before.rackId,
    clientId: context.clientId ?? '',
    clientHost: `/${context.clientHost}`,
    topics: [...new Set(subscription.topics)].sort(),
    regex: null,
    rebalanceTimeoutMs,
    serverAssignor: null,
    classic: { sessionTimeoutMs, protocols },
  }
  const owned = ownedBy(subscription, host.topics)
  const member = advance(host, group, { before, said, owned, replaced }, change)
  change.whenWritten(() => {
    const timers = timersOf(host, group, member.id)
    timers.came('join')
    timers.came('revocation')
    timers.expect('session', sessionTimeoutMs)
    timers.expect('sync', rebalanceTimeoutMs)
  })
  return {
    throttleTimeMs: 0,
    errorCode: 0,
    generationId: member.epoch,
    protocolType: consumerProtocolType,
    protocolName: protocols[0].name,
    leader: '',
    skipAssignment: false,
    memberId: member.id,
    members: [],
  }
}

/** Throws UNKNOWN_MEMBER_ID, FENCED_INSTANCE_ID, ILLEGAL_GENERATION, INCONSISTENT_GROUP_PROTOCOL, REBALANCE_IN_PROGRESS. */
export function syncAsClassic(host: ConsumerHost, group: ConsumerGroup, request: SyncGroupRequest): SyncGroupResponse {
  const member = classicMember(group, request)
  const { sessionTimeoutMs, protocols } = member.classic!
  const [{ name, metadata }] = protocols
  const { protocolType, protocolName } = request
  if ((protocolType ?? consumerProtocolType) !== consumerProtocolType || (protocolName ?? name) !== name) {
    const message = `member ${member.id} goes by ${consumerProtocolType}/${name}, not ${protocolType}/${protocolName}`
    throw protocolError('INCONSISTENT_GROUP_PROTOCOL', message)
  }
  const timers = timersOf(host, group, member.id)
  // One that has partitions to give up has joined already, and joins again when it gave them up.
  if (group.epoch > member.epoch && member.state !== 'unrevoked') {
    timers.keepExpecting('join', member.rebalanceTimeoutMs)
    throw protocolError('REBALANCE_IN_PROGRESS')
  }
  timers.came('sync')
  timers.expect('session', sessionTimeoutMs)
  const assignment = writeAssignment(member.assigned, metadata, host.topics)
  return { throttleTimeMs: 0, errorCode: 0, protocolType: consumerProtocolType, protocolName: name, assignment }
}

/** Throws UNKNOWN_MEMBER_ID, FENCED_INSTANCE_ID, ILLEGAL_GENERATION; REBALANCE_IN_PROGRESS: heard, join again. */
export function heartbeatAsClassic(host: ConsumerHost, group: ConsumerGroup, request: HeartbeatRequest): void {
  const member = classicMember(group, request)
  const timers = timersOf(host, group, member.id)
  timers.expect('session', member.classic!.sessionTimeoutMs)
  const goesOn =
    member.epoch < group.epoch ||
    member.state === 'unrevoked' ||
    (member.state === 'unreleased' && !waits(group, member))
  if (!goesOn) return
  timers.keepExpecting('join', member.rebalanceTimeoutMs)
  throw protocolError('REBALANCE_IN_PROGRESS')
}

/** The member of the classic protocol that leaves. Throws UNKNOWN_MEMBER_ID, FENCED_INSTANCE_ID. */
export function leavingClassic(group: ConsumerGroup, memberId: string, instanceId: string | null): ConsumerMember {
  // Administrators remove static members by their instance id alone.
  const id = memberId === '' ? (group.staticMember(instanceId)?.id ?? memberId) : memberId
  const member = instanceId === null ? group.member(id) : checkInstance(group, instanceId, id)
  return speaksClassic(group, member)
}

function whoIsIt(
  host: ConsumerHost,
  group: ConsumerGroup,
  memberId: string,
  instanceId: string | null,
  isNew: boolean,
  change: GroupChange,
): { before: ConsumerMember; replaced: ConsumerMember | null } {
  if (instanceId === null) return { before: group.members.get(memberId) ?? newConsumerMember(memberId), replaced: null }
  if (!isNew) return { before: checkInstance(group, instanceId, memberId), replaced: null }
  const current = group.staticMember(instanceId)
  if (current === undefined) return { before: newConsumerMember(memberId), replaced: null }
  const before = successor(current, memberId)
  change.replace(group, current, before)
  host.logger.info(
    { group: group.id, member: current.id, by: memberId },
    'a static member is replaced by its next process',
  )
  return { before, replaced: current }
}

function checkProtocols(group: ConsumerGroup, protocolType: string, protocols: Protocols): void {
  const others = Array.from(group.members.values(), ({ classic }) => classic?.protocols).filter((p) => p !== undefined)
  const isCommon = (name: string) => others.every((known) => known.some((other) => other.name === name))
  if (protocolType === consumerProtocolType && protocols.some(({ name }) => isCommon(name))) return
  throw protocolError(
    'INCONSISTENT_GROUP_PROTOCOL',
    `the members of group ${group.id} have no protocol in common with it`,
  )
}

function subscriptionOf(protocols: Protocols) {
  try {
    return readSubscription(protocols[0].metadata)
  } catch (cause) {
    throw protocolError('INCONSISTENT_GROUP_PROTOCOL', 'what the member joins with cannot be read', { cause })
  }
}

function classicMember(
  group: ConsumerGroup,
  { memberId, groupInstanceId, generationId }: HeartbeatRequest | SyncGroupRequest,
): ConsumerMember {
  const member = groupInstanceId === null ? group.member(memberId) : checkInstance(group, groupInstanceId, memberId)
  speaksClassic(group, member)
  if (member.epoch === generationId) return member
  throw protocolError('ILLEGAL_GENERATION', `member ${member.id} is in generation ${member.epoch}, not ${generationId}`)
}

function speaksClassic(group: ConsumerGroup, member: ConsumerMember): ConsumerMember {
  if (member.classic !== null) return member
  const message = `member ${member.id} of group ${group.id} does not speak the classic protocol`
  throw protocolError('UNKNOWN_MEMBER_ID', message)
}

/** Others have partitions that it is to have. */
function waits(group: ConsumerGroup, member: ConsumerMember): boolean {
  for (const [topicId, partitions] of group.targets.get(member.id) ?? []) {
    for (const partition of partitions) {
      if (member.assigned.get(topicId)?.has(partition) === true) continue
      if (group.ownerOf(topicId, partition) !== undefined) return true
    }
  }
  return false
}
