import { randomUUID } from 'node:crypto'
import { isPromise, type MaybePromise } from '../../log/maybe-promise.js'
import type { JoinGroupRequest, JoinGroupResponse } from '../../protocol/messages/11-join-group.js'
import { asSeglogError } from '../error-codes.js'
import type { RequestContext } from '../request-context.js'
import type { Group } from './group.js'
import { joinFailure, syncFailure } from './group-answers.js'
import type { GroupHost } from './group-host.js'
import { memberErrorOf } from './log-failures.js'
import { watchJoin } from './lost-requests.js'
import type { Member, MemberFacts } from './member.js'
import { expectMember, joined, newMember, prepareRebalance, rebalance } from './rebalance.js'

/** From here on a new member is first given its id: one whose answer was lost leaves no member behind (KIP-394). */
const memberIdRequiredSince = 4
/** From here on a leader can be told that the assignment it made before holds (KIP-814). */
const skipAssignmentSince = 9
/**
 * How long the join of a new member is parked: it has no id to heartbeat with, so nothing else tells whether its client
 * is there.
 */
const newMemberMs = 300_000

/** A JoinGroup whose group exists or was just made. Answers at once or when the group's next generation begins. */
export function joinGroup(
  host: GroupHost,
  group: Group,
  request: JoinGroupRequest,
  context: RequestContext,
): MaybePromise<JoinGroupResponse> {
  const { memberId, groupInstanceId, protocolType, protocols } = request
  if (!hasRoom(host, group, memberId)) {
    group.remove(memberId)
    return joinFailure('', 'GROUP_MAX_SIZE_REACHED')
  }
  if (!group.supports(protocolType, protocols)) return joinFailure(memberId, 'INCONSISTENT_GROUP_PROTOCOL')
  if (memberId === '') return joinAsNew(host, group, request, context)
  if (group.pendingJoins.has(memberId) && groupInstanceId === null) {
    return addMember(host, group, request, context, memberId)
  }
  return joinAgain(host, group, request, context, group.memberOf(memberId, groupInstanceId))
}

/**
 * While members join, those count who have: so the last to come of a group that is too large are turned away. Later
 * everybody in it counts.
 */
function hasRoom({ limits }: GroupHost, group: Group, memberId: string): boolean {
  const member = group.members.get(memberId)
  if (group.isIn('Empty')) return true
  if (group.isIn('PreparingRebalance')) return (member?.awaitingJoin ?? null) !== null || group.joined < limits.maxSize
  return member !== undefined || group.members.size < limits.maxSize
}

function joinAsNew(
  host: GroupHost,
  group: Group,
  request: JoinGroupRequest,
  context: RequestContext,
): MaybePromise<JoinGroupResponse> {
  const { groupInstanceId } = request
  const id = `${groupInstanceId ?? context.clientId ?? 'client'}-${randomUUID()}`
  if (groupInstanceId !== null) {
    const old = group.staticMember(groupInstanceId)
    if (old === undefined) return addMember(host, group, request, context, id)
    return replaceStatic(host, group, request, context, old, id)
  }
  if (context.apiVersion < memberIdRequiredSince) return addMember(host, group, request, context, id)
  expectMember(host, group, id, request.sessionTimeoutMs)
  return joinFailure(id, 'MEMBER_ID_REQUIRED')
}

function addMember(
  host: GroupHost,
  group: Group,
  request: JoinGroupRequest,
  context: RequestContext,
  id: string,
): Promise<JoinGroupResponse> {
  const member = newMember(host, group, factsOf(request, context, id))
  member.isNew = true
  if (group.isIn('PreparingRebalance') && group.previousState === 'Empty') group.newMemberAdded = true
  group.add(member, request.protocolType)
  const answer = group.parkJoin(member)
  member.session.set(newMemberMs)
  rebalance(host, group, because(`member ${id} joins`, request))
  return watchJoin(host, group, member, answer, context.signal)
}

function joinAgain(
  host: GroupHost,
  group: Group,
  request: JoinGroupRequest,
  context: RequestContext,
  member: Member,
): MaybePromise<JoinGroupResponse> {
  const same = member.matches(request.protocols)
  // The answer to its first join may have been lost; a leader that is Stable asks for a rebalance by joining again.
  const isRepeat = group.isIn('CompletingRebalance') || (group.isIn('Stable') && group.leaderId !== member.id)
  if (same && isRepeat) return joined(group, member)
  group.update(member, { protocols: request.protocols, ...timeoutsOf(request) })
  const answer = group.parkJoin(member)
  rebalance(host, group, because(`member ${member.id} joins again`, request))
  return watchJoin(host, group, member, answer, context.signal)
}

/** A static member came back, as a process that does not know the id it had: it takes its old place. */
function replaceStatic(
  host: GroupHost,
  group: Group,
  request: JoinGroupRequest,
  context: RequestContext,
  old: Member,
  id: string,
): Promise<JoinGroupResponse> {
  host.logger.info({ group: group.id, member: old.id, by: id }, 'a static member is replaced by its next process')
  const leaderBefore = group.leaderId ?? ''
  const member = newMember(host, group, factsOf(request, context, id))
  member.assignment = old.assignment
  group.answerJoin(old, joinFailure(old.id, 'FENCED_INSTANCE_ID'))
  group.answerSync(old, syncFailure('FENCED_INSTANCE_ID'))
  group.replace(old, member)
  member.session.set(member.sessionTimeoutMs)
  const answer = group.parkJoin(member)
  if (group.isIn('Stable') && group.selectProtocol() === group.protocolName) {
    keepAssignment(host, group, old, member, leaderBefore, context)
  } else if (group.isIn('CompletingRebalance')) {
    // The leader may be assigning to the old id.
    prepareRebalance(host, group, because(`static member ${id} replaces ${old.id}`, request))
  } else rebalance(host, group, because(`static member ${id} replaces ${old.id}`, request))
  return watchJoin(host, group, member, answer, context.signal)
}

/** The group goes on as it is; only its record names the new id. */
function keepAssignment(
  host: GroupHost,
  group: Group,
  old: Member,
  member: Member,
  leaderBefore: string,
  context: RequestContext,
): void {
  const done = () => {
    const answer = joined(group, member)
    if (context.apiVersion >= skipAssignmentSince) {
      answer.skipAssignment = group.leaderId === member.id
      group.answerJoin(member, answer)
    } else {
      // One that thought itself the leader would assign anew, which nobody would hear of.
      group.answerJoin(member, { ...answer, leader: leaderBefore, members: [] })
    }
  }
  const failed = (thrown: unknown) => {
    const error = asSeglogError(thrown)
    host.logger.warn({ group: group.id, member: member.id, err: error }, 'a static member could not be stored')
    if (member.awaitingJoin === null || group.members.get(member.id) !== member) return
    group.answerJoin(member, joinFailure('', memberErrorOf(error)))
    const back = newMember(host, group, old)
    back.assignment = old.assignment
    group.replace(member, back)
    back.session.set(back.sessionTimeoutMs)
  }
  try {
    const assignments = new Map(Array.from(group.members.values(), ({ id, assignment }) => [id, assignment]))
    const stored = host.store(group, assignments)
    if (isPromise(stored)) stored.then(done, failed)
    else done()
  } catch (error) {
    failed(error)
  }
}

function factsOf(request: JoinGroupRequest, context: RequestContext, id: string): MemberFacts {
  return {
    id,
    instanceId: request.groupInstanceId,
    clientId: context.clientId ?? '',
    clientHost: `/${context.clientHost}`,
    protocols: request.protocols,
    ...timeoutsOf(request),
  }
}

/** Before version 1 one time served for both. */
function timeoutsOf({ sessionTimeoutMs, rebalanceTimeoutMs }: JoinGroupRequest) {
  return { sessionTimeoutMs, rebalanceTimeoutMs: rebalanceTimeoutMs < 0 ? sessionTimeoutMs : rebalanceTimeoutMs }
}

const reasonMax = 255

function because(what: string, { reason }: JoinGroupRequest): string {
  return reason === null || reason === '' ? what : `${what}: ${reason.slice(0, reasonMax)}`
}
