import { isPromise, type MaybePromise } from '../../log/maybe-promise.js'
import { apiKey } from '../../protocol/apis.js'
import type { JoinGroupResponse } from '../../protocol/messages/11-join-group.js'
import { joinFailure } from '../groups/group-answers.js'
import { answering } from './answering.js'
import { apiHandler } from './api-handler.js'

/** Before this version a protocol that is not chosen yet was an empty name. */
const noProtocolSince = 7

/**
 * Versions 0-9. Parked until every member of the group has joined, or the time for it is over. A dynamic member without
 * an id gets one with MEMBER_ID_REQUIRED from version 4 on, and comes again with it.
 */
export const joinGroup = apiHandler(
  apiKey.joinGroup,
  '0-9',
  (broker, request, context): MaybePromise<JoinGroupResponse> => {
    const answer = answering(
      () => broker.groups.join(request, context),
      (_code, error) => joinFailure(request.memberId, error),
    )
    if (context.apiVersion >= noProtocolSince) return answer
    return isPromise(answer) ? answer.then(withProtocolName) : withProtocolName(answer)
  },
)

function withProtocolName(response: JoinGroupResponse): JoinGroupResponse {
  response.protocolName ??= ''
  return response
}
