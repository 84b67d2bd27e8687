import { apiKey, type ResponseOf } from '../protocol/apis.js'
import { type AdminCalls, only } from './admin-calls.js'
import type { GroupDescription } from './admin-group-options.js'
import { inOrder } from './partition-ends.js'
import { throwErrorOf } from './response-error.js'

type DescribedGroup = ResponseOf<typeof apiKey.consumerGroupDescribe>['groups'][number]
type Assignment = DescribedGroup['members'][number]['assignment']

/** A group of the consumer protocol. Rejects with GROUP_ID_NOT_FOUND, UNSUPPORTED_VERSION of a broker without such groups. */
export async function describeConsumerGroup(calls: AdminCalls, groupId: string): Promise<GroupDescription> {
  const request = { groupIds: [groupId], includeAuthorizedOperations: false }
  const group = only((await calls.request(apiKey.consumerGroupDescribe, request)).groups)
  throwErrorOf(group)
  return {
    groupId,
    state: group.groupState,
    protocolType: 'consumer',
    assignor: group.members.length === 0 ? null : group.assignorName,
    members: group.members.map(({ memberId, instanceId, clientId, clientHost, subscribedTopicNames, assignment }) => ({
      ...{ memberId, groupInstanceId: instanceId, clientId, clientHost },
      topics: [...subscribedTopicNames],
      assignment: inOrder(placesOf(assignment)),
    })),
  }
}

function placesOf({ topicPartitions }: Assignment) {
  return topicPartitions.flatMap(({ topicName: topic, partitions }) =>
    partitions.map((partition) => ({ topic, partition })),
  )
}
