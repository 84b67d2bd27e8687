import { isPromise, type MaybePromise } from '../../log/maybe-promise.js'
import { protocolError } from '../../protocol/errors.js'
import type { SyncGroupRequest, SyncGroupResponse } from '../../protocol/messages/14-sync-group.js'
import { asSeglogError } from '../error-codes.js'
import type { Group } from './group.js'
import { syncFailure } from './group-answers.js'
import type { GroupHost } from './group-host.js'
import { memberErrorOf } from './log-failures.js'
import { watchSync } from './lost-requests.js'
import { noAssignment } from './member.js'
import { assign, assigned, dropAssignments, rebalance } from './rebalance.js'

/**
 * A SyncGroup to a group that exists: parked until the leader's came, whose assignments are stored before anybody gets
 * them. Throws UNKNOWN_MEMBER_ID, FENCED_INSTANCE_ID, ILLEGAL_GENERATION, INCONSISTENT_GROUP_PROTOCOL.
 */
export function syncGroup(
  host: GroupHost,
  group: Group,
  request: SyncGroupRequest,
  signal?: AbortSignal,
): MaybePromise<SyncGroupResponse> {
  const member = group.memberOf(request.memberId, request.groupInstanceId)
  group.checkGeneration(request.generationId)
  checkProtocol(group, request)
  if (group.isIn('PreparingRebalance')) return syncFailure('REBALANCE_IN_PROGRESS')
  group.pendingSyncs.delete(member.id)
  if (group.pendingSyncs.size === 0) group.deadlines.sync.clear()
  if (group.isIn('Stable')) return assigned(group, member)
  const answer = watchSync(group, member, group.parkSync(member), signal)
  if (group.leaderId === member.id) storeAssignments(host, group, request)
  return answer
}

function checkProtocol(group: Group, { protocolType, protocolName }: SyncGroupRequest): void {
  const differs = (asked: string | null, own: string | null) => asked !== null && own !== null && asked !== own
  if (!differs(protocolType, group.protocolType) && !differs(protocolName, group.protocolName)) return
  const own = `${group.protocolType}/${group.protocolName}`
  const message = `group ${group.id} goes by ${own}, not ${protocolType}/${protocolName}`
  throw protocolError('INCONSISTENT_GROUP_PROTOCOL', message)
}

function storeAssignments(host: GroupHost, group: Group, request: SyncGroupRequest): void {
  const given = new Map(request.assignments.map(({ memberId, assignment }) => [memberId, assignment]))
  const assignments = new Map(Array.from(group.members.keys(), (id) => [id, given.get(id) ?? noAssignment]))
  // Until it is stored others may join, and this generation end.
  const isCurrent = () => group.isIn('CompletingRebalance') && group.generation === request.generationId
  const done = () => {
    if (isCurrent()) assign(host, group, assignments)
  }
  const failed = (thrown: unknown) => {
    const err = asSeglogError(thrown)
    host.logger.warn({ group: group.id, err }, 'the assignment of a group could not be stored')
    if (!isCurrent()) return
    dropAssignments(group, memberErrorOf(err))
    rebalance(host, group, 'the assignment could not be stored')
  }
  try {
    const stored = host.store(group, assignments)
    if (isPromise(stored)) stored.then(done, failed)
    else done()
  } catch (error) {
    failed(error)
  }
}
