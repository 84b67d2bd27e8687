import { protocolError } from '../../protocol/errors.js'
import type { HeartbeatRequest } from '../../protocol/messages/12-heartbeat.js'
import type { Group } from './group.js'

/**
 * A sign of life to a group that exists. Throws UNKNOWN_MEMBER_ID, FENCED_INSTANCE_ID, ILLEGAL_GENERATION, and
 * REBALANCE_IN_PROGRESS, which tells the member to join again and counts as a sign of life all the same.
 */
export function heartbeat(group: Group, request: HeartbeatRequest): void {
  const member = group.memberOf(request.memberId, request.groupInstanceId)
  group.checkGeneration(request.generationId)
  member.session.set(member.sessionTimeoutMs)
  if (group.isIn('PreparingRebalance')) throw protocolError('REBALANCE_IN_PROGRESS')
}
