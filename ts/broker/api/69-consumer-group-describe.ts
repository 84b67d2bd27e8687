import { isPromise, type MaybePromise } from '../../log/maybe-promise.js'
import { apiKey } from '../../protocol/apis.js'
import { protocolError } from '../../protocol/errors.js'
import { operationsNotAsked } from '../../protocol/messages/03-metadata.js'
import type { ConsumerGroupDescribeResponse } from '../../protocol/messages/69-consumer-group-describe.js'
import { authorizedOperations } from '../authorized-operations.js'
import type { BrokerState } from '../broker-state.js'
import { toTopicPartitions } from '../groups/consumer/assignment.js'
import type { ConsumerGroup } from '../groups/consumer/consumer-group.js'
import type { ConsumerMember } from '../groups/consumer/consumer-member.js'
import { preferredAssignor } from '../groups/consumer/target-assignment.js'
import { answering } from './answering.js'
import { apiHandler } from './api-handler.js'
import { inTurns } from './in-turns.js'

type DescribedGroup = ConsumerGroupDescribeResponse['groups'][number]
type DescribedMember = DescribedGroup['members'][number]

const memberType = { classic: 0, consumer: 1 } as const

/**
 * Versions 0-1. Each member with what it has and what it is to have; topics that are gone are left out. Each group is
 * answered once; one of the classic protocol is none here: GROUP_ID_NOT_FOUND.
 */
export const consumerGroupDescribe = apiHandler(
  apiKey.consumerGroupDescribe,
  '0-1',
  (broker, request, context): MaybePromise<ConsumerGroupDescribeResponse> => {
    const operations = authorizedOperations('group', request.includeAuthorizedOperations)
    const respond = (groups: DescribedGroup[]) => ({ throttleTimeMs: 0, groups })
    const ids = [...new Set(request.groupIds)]
    const groups = inTurns(ids, context.pace, (id) => describe(broker, id, operations))
    return isPromise(groups) ? groups.then(respond) : respond(groups)
  },
)

function describe(broker: BrokerState, id: string, authorized: number): MaybePromise<DescribedGroup> {
  return answering<DescribedGroup>(
    () => {
      if (id === '') throw protocolError('INVALID_GROUP_ID', 'a group id must not be empty')
      const group = broker.groups.find(id)
      if (group === undefined) throw protocolError('GROUP_ID_NOT_FOUND', `Group ${id} not found.`)
      if (group.type === 'consumer') return { ...described(broker, group), authorizedOperations: authorized }
      throw protocolError('GROUP_ID_NOT_FOUND', `Group ${id} is not a consumer group.`)
    },
    (errorCode, { message }) => ({ ...empty(id), errorCode, errorMessage: message }),
  )
}

function described(broker: BrokerState, group: ConsumerGroup): DescribedGroup {
  return {
    ...empty(group.id),
    groupState: group.state,
    groupEpoch: group.epoch,
    assignmentEpoch: group.assignmentEpoch,
    assignorName: preferredAssignor(group.members.values(), broker.config.list('group.consumer.assignors')),
    members: Array.from(group.members.values(), (member) => describedMember(broker, group, member)),
  }
}

function describedMember(broker: BrokerState, group: ConsumerGroup, member: ConsumerMember): DescribedMember {
  return {
    memberId: member.id,
    instanceId: member.instanceId,
    rackId: member.rackId,
    memberEpoch: member.epoch,
    clientId: member.clientId,
    clientHost: member.clientHost,
    subscribedTopicNames: member.topics,
    subscribedTopicRegex: member.regex ?? '',
    assignment: named(broker, member.assigned),
    targetAssignment: named(broker, group.targets.get(member.id) ?? new Map()),
    memberType: member.classic === null ? memberType.consumer : memberType.classic,
  }
}

function named(
  broker: BrokerState,
  partitions: Parameters<typeof toTopicPartitions>[0],
): DescribedMember['assignment'] {
  const topicPartitions: DescribedMember['assignment']['topicPartitions'][number][] = []
  for (const { topicId, partitions: indexes } of toTopicPartitions(partitions)) {
    const topic = broker.topics.find(null, topicId)
    if (topic !== undefined) topicPartitions.push({ topicId, topicName: topic.name, partitions: indexes })
  }
  return { topicPartitions }
}

function empty(groupId: string): DescribedGroup {
  return {
    errorCode: 0,
    errorMessage: null,
    groupId,
    groupState: '',
    groupEpoch: 0,
    assignmentEpoch: 0,
    assignorName: '',
    members: [],
    authorizedOperations: operationsNotAsked,
  }
}
