import { isPromise, type MaybePromise } from '../../log/maybe-promise.js'
import { apiKey } from '../../protocol/apis.js'
import type { LeaveGroupResponse } from '../../protocol/messages/13-leave-group.js'
import { answering } from './answering.js'
import { apiHandler } from './api-handler.js'

/** From here on several members leave at once, each with an error of its own. */
const membersSince = 3

/** Versions 0-5. A static member is removed by its instance id alone, as administrators do. */
export const leaveGroup = apiHandler(
  apiKey.leaveGroup,
  '0-5',
  (broker, request, context): MaybePromise<LeaveGroupResponse> => {
    const { groupId, memberId } = request
    const many = context.apiVersion >= membersSince
    const leaving = many ? request.members : [{ memberId, groupInstanceId: null, reason: null }]
    return answering<LeaveGroupResponse>(
      () => {
        const left = broker.groups.leave(groupId, leaving)
        const respond = (members: LeaveGroupResponse['members']) => {
          if (many) return { throttleTimeMs: 0, errorCode: 0, members }
          return { throttleTimeMs: 0, errorCode: members[0].errorCode, members: [] }
        }
        return isPromise(left) ? left.then(respond) : respond(left)
      },
      (errorCode) => ({ throttleTimeMs: 0, errorCode, members: [] }),
    )
  },
)
