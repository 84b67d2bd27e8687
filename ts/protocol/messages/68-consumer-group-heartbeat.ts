import { array, each, type Infer, int16, int32, message, nested, string, struct, uuid } from '../schema.js'

const topicPartitions = struct({
  topicId: uuid(),
  partitions: array(each.int32),
})

/**
 * What a member of a consumer group says all the time (KIP-848). Member epoch 0 joins, -1 leaves, -2 leaves for a while
 * as a static member. Null, or -1 as the timeout: as before. 1 adds subscription by regular expression, and member ids
 * that the client makes.
 */
export const consumerGroupHeartbeatRequest = message({
  name: 'ConsumerGroupHeartbeatRequest',
  apiKey: 68,
  versions: '0-1',
  flexible: '0+',
  fields: {
    groupId: string(),
    memberId: string(),
    memberEpoch: int32(),
    instanceId: string({ nullable: '0+', default: null }),
    rackId: string({ nullable: '0+', default: null }),
    rebalanceTimeoutMs: int32({ default: -1 }),
    subscribedTopicNames: array(each.string, { nullable: '0+', default: null }),
    subscribedTopicRegex: string({ versions: '1+', nullable: '1+', default: null }),
    serverAssignor: string({ nullable: '0+', default: null }),
    topicPartitions: array(topicPartitions, { nullable: '0+', default: null }),
  },
})
export type ConsumerGroupHeartbeatRequest = Infer<typeof consumerGroupHeartbeatRequest>

/** Null assignment: as before. */
export const consumerGroupHeartbeatResponse = message({
  name: 'ConsumerGroupHeartbeatResponse',
  apiKey: 68,
  versions: '0-1',
  flexible: '0+',
  fields: {
    throttleTimeMs: int32(),
    errorCode: int16(),
    errorMessage: string({ nullable: '0+', default: null }),
    memberId: string({ nullable: '0+', default: null }),
    memberEpoch: int32(),
    heartbeatIntervalMs: int32(),
    assignment: nested(struct({ topicPartitions: array(topicPartitions) }), { nullable: '0+', default: null }),
  },
})
export type ConsumerGroupHeartbeatResponse = Infer<typeof consumerGroupHeartbeatResponse>
