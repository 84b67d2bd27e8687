import { isPromise, type MaybePromise } from '../../log/maybe-promise.js'
import { apiKey } from '../../protocol/apis.js'
import { protocolErrors } from '../../protocol/errors.js'
import { operationsNotAsked } from '../../protocol/messages/03-metadata.js'
import type { DescribeGroupsResponse } from '../../protocol/messages/15-describe-groups.js'
import { authorizedOperations } from '../authorized-operations.js'
import type { BrokerState } from '../broker-state.js'
import type { Group } from '../groups/group.js'
import { noAssignment } from '../groups/member.js'
import { answering } from './answering.js'
import { apiHandler } from './api-handler.js'
import { inTurns } from './in-turns.js'

type DescribedGroup = DescribeGroupsResponse['groups'][number]

/** From here on a group that does not exist is an error; before, it is a Dead one. */
const notFoundSince = 6

/**
 * Versions 0-6. Members' metadata and the protocol are given while the group is Stable. Each group is answered once. A group
 * of the consumer protocol is none here.
 */
export const describeGroups = apiHandler(
  apiKey.describeGroups,
  '0-6',
  (broker, request, context): MaybePromise<DescribeGroupsResponse> => {
    const operations = authorizedOperations('group', request.includeAuthorizedOperations)
    const respond = (groups: DescribedGroup[]) => ({ throttleTimeMs: 0, groups })
    const groups = inTurns([...new Set(request.groups)], context.pace, (id) =>
      describe(broker, id, context.apiVersion, operations),
    )
    return isPromise(groups) ? groups.then(respond) : respond(groups)
  },
)

function describe(broker: BrokerState, id: string, version: number, operations: number): MaybePromise<DescribedGroup> {
  return answering<DescribedGroup>(
    () => {
      const group = broker.groups.find(id)
      if (group?.type === 'classic') return { ...described(group), authorizedOperations: operations }
      const dead = { ...empty(id), groupState: 'Dead', authorizedOperations: operations }
      if (version < notFoundSince) return dead
      const errorCode = protocolErrors.GROUP_ID_NOT_FOUND.code
      return { ...dead, errorCode, errorMessage: `Group ${id} not found.`, authorizedOperations: operationsNotAsked }
    },
    (errorCode, { message }) => ({
      ...empty(id),
      errorCode,
      errorMessage: version < notFoundSince ? null : message,
    }),
  )
}

function described(group: Group): DescribedGroup {
  const stable = group.isIn('Stable')
  return {
    ...empty(group.id),
    groupState: group.state,
    protocolType: group.protocolType ?? '',
    protocolData: stable ? (group.protocolName ?? '') : '',
    members: Array.from(group.members.values(), (member) => ({
      memberId: member.id,
      groupInstanceId: member.instanceId,
      clientId: member.clientId,
      clientHost: member.clientHost,
      memberMetadata: stable ? member.metadata(group.protocolName) : noAssignment,
      memberAssignment: member.assignment,
    })),
  }
}

function empty(groupId: string): DescribedGroup {
  return {
    errorCode: 0,
    errorMessage: null,
    groupId,
    groupState: '',
    protocolType: '',
    protocolData: '',
    members: [],
    authorizedOperations: operationsNotAsked,
  }
}
