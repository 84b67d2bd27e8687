import { stackless } from '../../errors/stackless.js'
import { protocolError } from '../../protocol/errors.js'
import type { LeaveGroupRequest, LeaveGroupResponse } from '../../protocol/messages/13-leave-group.js'
import { asSeglogError } from '../error-codes.js'
import type { Group } from './group.js'
import { failed } from './group-answers.js'
import type { GroupHost } from './group-host.js'
import { rebalance } from './rebalance.js'

type Leaving = LeaveGroupRequest['members'][number]
type Left = LeaveGroupResponse['members'][number]

/** Members leave a group that exists, each with an error of its own; then the rest shares what they had. */
export function leaveGroup(host: GroupHost, group: Group, members: readonly Leaving[]): Left[] {
  const gone: string[] = []
  const answers = members.map((leaving): Left => {
    const { memberId, groupInstanceId } = leaving
    try {
      const id = stackless(() => idOf(group, leaving))
      group.remove(id)
      gone.push(id)
      const reason = leaving.reason?.slice(0, 255) ?? 'not said'
      host.logger.info({ group: group.id, member: id, reason }, 'a member leaves its group')
      return { memberId, groupInstanceId, errorCode: 0 }
    } catch (error) {
      return failed(asSeglogError(error), (errorCode) => ({ memberId, groupInstanceId, errorCode }))
    }
  })
  if (gone.length > 0 && !group.isIn('Empty')) rebalance(host, group, `${gone.join(', ')} left`)
  host.tidy(group)
  return answers
}

/** Administrators remove static members by their instance id alone. */
function idOf(group: Group, { memberId, groupInstanceId }: Leaving): string {
  if (memberId === '') {
    const member = groupInstanceId === null ? undefined : group.staticMember(groupInstanceId)
    if (member !== undefined) return member.id
    throw protocolError('UNKNOWN_MEMBER_ID', `group ${group.id} has no static member ${groupInstanceId}`)
  }
  if (group.pendingJoins.has(memberId)) return memberId
  return group.memberOf(memberId, groupInstanceId).id
}
