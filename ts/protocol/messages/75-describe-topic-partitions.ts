import { array, bool, each, type Infer, int16, int32, message, nested, string, struct, uuid } from '../schema.js'
import { operationsNotAsked } from './03-metadata.js'

export const describeTopicPartitionsRequest = message({
  name: 'DescribeTopicPartitionsRequest',
  apiKey: 75,
  versions: '0',
  flexible: '0+',
  fields: {
    /** Empty: every topic. */
    topics: array(
      struct({
        name: string(),
      }),
    ),
    responsePartitionLimit: int32({ default: 2000 }),
    /** Where to go on: `nextCursor` of the answer before. */
    cursor: nested(
      struct({
        topicName: string(),
        partitionIndex: int32(),
      }),
      { nullable: '0+', default: null },
    ),
  },
})
export type DescribeTopicPartitionsRequest = Infer<typeof describeTopicPartitionsRequest>

export const describeTopicPartitionsResponse = message({
  name: 'DescribeTopicPartitionsResponse',
  apiKey: 75,
  versions: '0',
  flexible: '0+',
  fields: {
    throttleTimeMs: int32({ ignorable: true }),
    topics: array(
      struct({
        errorCode: int16(),
        name: string({ nullable: '0+' }),
        topicId: uuid({ ignorable: true }),
        isInternal: bool({ ignorable: true }),
        partitions: array(
          struct({
            errorCode: int16(),
            partitionIndex: int32(),
            leaderId: int32(),
            leaderEpoch: int32({ default: -1, ignorable: true }),
            replicaNodes: array(each.int32),
            isrNodes: array(each.int32),
            eligibleLeaderReplicas: array(each.int32, { nullable: '0+', default: null }),
            lastKnownElr: array(each.int32, { nullable: '0+', default: null }),
            offlineReplicas: array(each.int32, { ignorable: true }),
          }),
        ),
        topicAuthorizedOperations: int32({ default: operationsNotAsked }),
      }),
    ),
    nextCursor: nested(
      struct({
        topicName: string(),
        partitionIndex: int32(),
      }),
      { nullable: '0+', default: null },
    ),
  },
})
export type DescribeTopicPartitionsResponse = Infer<typeof describeTopicPartitionsResponse>
