import { array, bool, each, type Infer, int8, int16, int32, message, nested, string, struct, uuid } from '../schema.js'
import { operationsNotAsked } from './03-metadata.js'

export const consumerGroupDescribeRequest = message({
  name: 'ConsumerGroupDescribeRequest',
  apiKey: 69,
  versions: '0-1',
  flexible: '0+',
  fields: {
    groupIds: array(each.string),
    includeAuthorizedOperations: bool(),
  },
})
export type ConsumerGroupDescribeRequest = Infer<typeof consumerGroupDescribeRequest>

const assignment = struct({
  topicPartitions: array(
    struct({
      topicId: uuid(),
      topicName: string(),
      partitions: array(each.int32),
    }),
  ),
})

/** 1 says which protocol each member speaks: 0 the classic one, 1 that of KIP-848, -1 unknown. */
export const consumerGroupDescribeResponse = message({
  name: 'ConsumerGroupDescribeResponse',
  apiKey: 69,
  versions: '0-1',
  flexible: '0+',
  fields: {
    throttleTimeMs: int32(),
    groups: array(
      struct({
        errorCode: int16(),
        errorMessage: string({ nullable: '0+', default: null }),
        groupId: string(),
        groupState: string(),
        groupEpoch: int32(),
        assignmentEpoch: int32(),
        assignorName: string(),
        members: array(
          struct({
            memberId: string(),
            instanceId: string({ nullable: '0+', default: null }),
            rackId: string({ nullable: '0+', default: null }),
            memberEpoch: int32(),
            clientId: string(),
            clientHost: string(),
            subscribedTopicNames: array(each.string),
            subscribedTopicRegex: string({ nullable: '0+', default: null }),
            assignment: nested(assignment),
            targetAssignment: nested(assignment),
            memberType: int8({ versions: '1+', default: -1, ignorable: true }),
          }),
        ),
        authorizedOperations: int32({ default: operationsNotAsked }),
      }),
    ),
  },
})
export type ConsumerGroupDescribeResponse = Infer<typeof consumerGroupDescribeResponse>
