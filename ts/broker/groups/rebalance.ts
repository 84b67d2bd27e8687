import { isPromise } from '../../log/maybe-promise.js'
import type { JoinGroupResponse } from '../../protocol/messages/11-join-group.js'
import type { SyncGroupResponse } from '../../protocol/messages/14-sync-group.js'
import { Deadline } from '../deadline.js'
import { Group } from './group.js'
import { type Failure, joinFailure, syncFailure } from './group-answers.js'
import type { GroupHost } from './group-host.js'
import { Member, type MemberFacts, noAssignment } from './member.js'
import { subscribedTopics } from './subscribed-topics.js'

/** An empty group, whose deadlines drive its rebalances. */
export function newGroup(host: GroupHost, id: string): Group {
  return new Group(id, host.clock(), host.parking, (group) => ({
    join: new Deadline(host.timers, () => joinDue(host, group)),
    sync: new Deadline(host.timers, () => syncDue(host, group)),
  }))
}

export function newMember(host: GroupHost, group: Group, facts: MemberFacts): Member {
  const member: Member = new Member(facts, new Deadline(host.timers, () => sessionDue(host, group, member)))
  return member
}

/** A member with this id is expected to join within its session timeout. */
export function expectMember(host: GroupHost, group: Group, memberId: string, sessionTimeoutMs: number): void {
  const deadline = new Deadline(host.timers, () => {
    host.logger.info({ group: group.id, member: memberId }, 'a new member did not come back to join with its id')
    group.remove(memberId)
    completeJoinIfAll(host, group)
    host.tidy(group)
  })
  group.pendingJoins.set(memberId, deadline)
  deadline.set(sessionTimeoutMs)
}

/** Begins a rebalance where none is under way; else ends its joining phase if nobody is missing. */
export function rebalance(host: GroupHost, group: Group, reason: string): void {
  if (group.isIn('Empty', 'CompletingRebalance', 'Stable')) prepareRebalance(host, group, reason)
  else if (group.previousState !== 'Empty' || group.members.size === 0) completeJoinIfAll(host, group)
}

/** The joining phase ends early when every member has come. */
export function completeJoinIfAll(host: GroupHost, group: Group): void {
  if (group.isIn('PreparingRebalance') && group.allJoined) completeJoin(host, group)
}

/** Whatever of the group is parked is told to find its coordinator again, and nothing more happens to it here. */
export function abandonGroup(group: Group): void {
  stopDeadlines(group)
  for (const member of group.members.values()) {
    group.answerJoin(member, joinFailure(member.isNew ? '' : member.id, 'NOT_COORDINATOR'))
    group.answerSync(member, syncFailure('NOT_COORDINATOR'))
  }
}

function stopDeadlines(group: Group): void {
  group.deadlines.join.clear()
  group.deadlines.sync.clear()
  for (const deadline of group.pendingJoins.values()) deadline.clear()
  for (const member of group.members.values()) member.session.clear()
}

/** The group is of another protocol from now on: whoever waits joins again, and nothing more happens to it here. */
export function retireGroup(group: Group): void {
  stopDeadlines(group)
  for (const member of group.members.values()) {
    group.answerJoin(member, joinFailure(member.isNew ? '' : member.id, 'REBALANCE_IN_PROGRESS'))
    group.answerSync(member, syncFailure('REBALANCE_IN_PROGRESS'))
  }
  group.transitionTo('Dead', group.stateSince)
}

/** Whoever waits for an assignment is sent back to join; then all members are waited for. */
export function prepareRebalance(host: GroupHost, group: Group, reason: string): void {
  if (group.isIn('CompletingRebalance')) dropAssignments(group, 'REBALANCE_IN_PROGRESS')
  group.pendingSyncs.clear()
  group.deadlines.sync.clear()
  const first = group.isIn('Empty')
  group.transitionTo('PreparingRebalance', host.clock())
  host.logger.info({ group: group.id, generation: group.generation, reason }, 'the group rebalances')
  if (first) {
    const delayMs = host.limits.initialRebalanceDelayMs
    group.newMemberAdded = false
    group.delayLeftMs = Math.max(group.rebalanceTimeoutMs - delayMs, 0)
    group.deadlines.join.set(delayMs)
  } else if (group.allJoined) completeJoin(host, group)
  else group.deadlines.join.set(group.rebalanceTimeoutMs)
}

function joinDue(host: GroupHost, group: Group): void {
  if (!group.isIn('PreparingRebalance')) return
  const delayMs = Math.min(host.limits.initialRebalanceDelayMs, group.delayLeftMs)
  if (group.previousState === 'Empty' && group.newMemberAdded && delayMs > 0) {
    group.newMemberAdded = false
    group.delayLeftMs -= delayMs
    group.deadlines.join.set(delayMs)
  } else completeJoin(host, group)
}

/** The next generation: of those who joined, and of static members, whose place is kept until their session ends. */
function completeJoin(host: GroupHost, group: Group): void {
  group.deadlines.join.clear()
  for (const member of [...group.members.values()]) {
    if (member.awaitingJoin !== null || member.isStatic) continue
    host.logger.info({ group: group.id, member: member.id }, 'a member did not join the rebalance and is removed')
    group.remove(member.id)
  }
  if (!group.electJoined() && group.members.size > 0) {
    group.deadlines.join.set(group.rebalanceTimeoutMs)
    return
  }
  group.generation++
  group.pendingSyncs.clear()
  group.protocolName = group.members.size === 0 ? null : group.selectProtocol()
  group.subscribedTopics = subscribedTopics(group)
  if (group.members.size === 0) becomeEmpty(host, group)
  else beginGeneration(host, group)
}

function becomeEmpty(host: GroupHost, group: Group): void {
  group.transitionTo('Empty', host.clock())
  // A generation that nobody is in: if the record is lost, the members of the one before time out again.
  const failed = (err: unknown) => host.logger.warn({ group: group.id, err }, 'the emptied group could not be stored')
  try {
    const stored = host.store(group, new Map())
    if (isPromise(stored)) stored.catch(failed)
  } catch (error) {
    failed(error)
  }
}

function beginGeneration(host: GroupHost, group: Group): void {
  group.transitionTo('CompletingRebalance', host.clock())
  const { id, generation, members } = group
  host.logger.info({ group: id, generation, members: members.size }, 'the group has a new generation')
  for (const member of members.values()) {
    group.answerJoin(member, joined(group, member))
    member.session.set(member.sessionTimeoutMs)
    member.isNew = false
    group.pendingSyncs.add(member.id)
  }
  group.deadlines.sync.set(group.rebalanceTimeoutMs)
}

/** The answer to a member's join of the present generation. Only the leader is told who else is there. */
export function joined(group: Group, member: Member): JoinGroupResponse {
  const leads = group.leaderId === member.id
  return {
    throttleTimeMs: 0,
    errorCode: 0,
    generationId: group.generation,
    protocolType: group.protocolType,
    protocolName: group.protocolName,
    leader: group.leaderId ?? '',
    skipAssignment: false,
    memberId: member.id,
    members: leads ? membersFor(group) : [],
  }
}

function membersFor(group: Group): JoinGroupResponse['members'] {
  return Array.from(group.members.values(), (member) => ({
    memberId: member.id,
    groupInstanceId: member.instanceId,
    metadata: member.metadata(group.protocolName),
  }))
}

/** Members of this generation who have not asked for their assignment in time are gone. */
function syncDue(host: GroupHost, group: Group): void {
  if (!group.isIn('CompletingRebalance', 'Stable') || group.pendingSyncs.size === 0) return
  const silent = [...group.pendingSyncs]
  for (const memberId of silent) group.remove(memberId)
  prepareRebalance(host, group, `${silent.length} members did not ask for their assignment in time`)
}

function sessionDue(host: GroupHost, group: Group, member: Member): void {
  // Its session begins again when what it has parked is answered.
  if (group.members.get(member.id) !== member || member.isHeard) return
  host.logger.info({ group: group.id, member: member.id }, 'a member was silent for its session timeout and is removed')
  group.remove(member.id)
  afterRemoval(host, group, `member ${member.id} was silent for its session timeout`)
}

/** Members were removed: the rest shares what they had. */
export function afterRemoval(host: GroupHost, group: Group, reason: string): void {
  if (group.isIn('CompletingRebalance', 'Stable')) prepareRebalance(host, group, reason)
  else completeJoinIfAll(host, group)
}

/** Everybody gets what the leader gave them. The group is Stable. */
export function assign(host: GroupHost, group: Group, assignments: ReadonlyMap<string, Uint8Array>): void {
  group.transitionTo('Stable', host.clock())
  for (const member of group.members.values()) {
    member.assignment = assignments.get(member.id) ?? noAssignment
    if (member.awaitingSync === null) continue
    group.answerSync(member, assigned(group, member))
    // A session that ended while the request was parked was not counted, so it begins here.
    member.session.set(member.sessionTimeoutMs)
  }
}

/** Nobody has an assignment; who waits for one is told why. */
export function dropAssignments(group: Group, failure: Failure): void {
  for (const member of group.members.values()) {
    member.assignment = noAssignment
    if (member.awaitingSync === null) continue
    group.answerSync(member, syncFailure(failure))
    member.session.set(member.sessionTimeoutMs)
  }
}

/** The answer to a member's sync in the present generation. */
export function assigned(group: Group, member: Member): SyncGroupResponse {
  const { protocolType, protocolName } = group
  return { throttleTimeMs: 0, errorCode: 0, protocolType, protocolName, assignment: member.assignment }
}
