import { array, bytes, each, type Infer, int8, int32, int64, nested, payload, string, struct, uuid } from '../schema.js'

// A group of KIP-848 in `__consumer_offsets`: one record for each thing that changes by itself. The number in front of a
// key tells its kind.

/** The group's epoch, raised by whatever changes what its members are to have. */
export const consumerGroupMetadataKey = payload({
  name: 'ConsumerGroupMetadataKey',
  versions: '3',
  flexible: 'none',
  fields: {
    groupId: string(),
  },
})
export type ConsumerGroupMetadataKey = Infer<typeof consumerGroupMetadataKey>

export const consumerGroupMetadataValue = payload({
  name: 'ConsumerGroupMetadataValue',
  versions: '0',
  flexible: '0+',
  fields: {
    epoch: int32(),
    /** Over the subscribed topics and their partitions, as they were for this epoch. */
    metadataHash: int64({ tag: 0 }),
  },
})
export type ConsumerGroupMetadataValue = Infer<typeof consumerGroupMetadataValue>

/** What the metadata hash replaced in Kafka 4.1: the subscribed topics themselves. */
export const consumerGroupPartitionMetadataKey = payload({
  name: 'ConsumerGroupPartitionMetadataKey',
  versions: '4',
  flexible: 'none',
  fields: {
    groupId: string(),
  },
})
export type ConsumerGroupPartitionMetadataKey = Infer<typeof consumerGroupPartitionMetadataKey>

export const consumerGroupPartitionMetadataValue = payload({
  name: 'ConsumerGroupPartitionMetadataValue',
  versions: '0',
  flexible: '0+',
  fields: {
    topics: array(
      struct({
        topicId: uuid(),
        topicName: string(),
        numPartitions: int32(),
        partitionMetadata: array(struct({ partition: int32(), racks: array(each.string) })),
      }),
    ),
  },
})
export type ConsumerGroupPartitionMetadataValue = Infer<typeof consumerGroupPartitionMetadataValue>

/** What a member says of itself. */
export const consumerGroupMemberMetadataKey = payload({
  name: 'ConsumerGroupMemberMetadataKey',
  versions: '5',
  flexible: 'none',
  fields: {
    groupId: string(),
    memberId: string(),
  },
})
export type ConsumerGroupMemberMetadataKey = Infer<typeof consumerGroupMemberMetadataKey>

export const consumerGroupMemberMetadataValue = payload({
  name: 'ConsumerGroupMemberMetadataValue',
  versions: '0',
  flexible: '0+',
  fields: {
    instanceId: string({ nullable: '0+' }),
    rackId: string({ nullable: '0+' }),
    clientId: string(),
    clientHost: string(),
    subscribedTopicNames: array(each.string),
    subscribedTopicRegex: string({ nullable: '0+' }),
    rebalanceTimeoutMs: int32({ default: -1 }),
    serverAssignor: string({ nullable: '0+' }),
    /** Of a member that speaks the classic protocol. */
    classicMemberMetadata: nested(
      struct({
        sessionTimeoutMs: int32(),
        supportedProtocols: array(struct({ name: string(), metadata: bytes() })),
      }),
      { nullable: '0+', default: null, tag: 0 },
    ),
  },
})
export type ConsumerGroupMemberMetadataValue = Infer<typeof consumerGroupMemberMetadataValue>

/** The group's epoch that the target assignments are for. */
export const consumerGroupTargetAssignmentMetadataKey = payload({
  name: 'ConsumerGroupTargetAssignmentMetadataKey',
  versions: '6',
  flexible: 'none',
  fields: {
    groupId: string(),
  },
})
export type ConsumerGroupTargetAssignmentMetadataKey = Infer<typeof consumerGroupTargetAssignmentMetadataKey>

export const consumerGroupTargetAssignmentMetadataValue = payload({
  name: 'ConsumerGroupTargetAssignmentMetadataValue',
  versions: '0',
  flexible: '0+',
  fields: {
    assignmentEpoch: int32(),
    assignmentTimestamp: int64({ tag: 0 }),
  },
})
export type ConsumerGroupTargetAssignmentMetadataValue = Infer<typeof consumerGroupTargetAssignmentMetadataValue>

/** What a member is to have in the end. */
export const consumerGroupTargetAssignmentMemberKey = payload({
  name: 'ConsumerGroupTargetAssignmentMemberKey',
  versions: '7',
  flexible: 'none',
  fields: {
    groupId: string(),
    memberId: string(),
  },
})
export type ConsumerGroupTargetAssignmentMemberKey = Infer<typeof consumerGroupTargetAssignmentMemberKey>

export const consumerGroupTargetAssignmentMemberValue = payload({
  name: 'ConsumerGroupTargetAssignmentMemberValue',
  versions: '0',
  flexible: '0+',
  fields: {
    topicPartitions: array(struct({ topicId: uuid(), partitions: array(each.int32) })),
  },
})
export type ConsumerGroupTargetAssignmentMemberValue = Infer<typeof consumerGroupTargetAssignmentMemberValue>

/** What a member has, and is on its way from. */
export const consumerGroupCurrentMemberAssignmentKey = payload({
  name: 'ConsumerGroupCurrentMemberAssignmentKey',
  versions: '8',
  flexible: 'none',
  fields: {
    groupId: string(),
    memberId: string(),
  },
})
export type ConsumerGroupCurrentMemberAssignmentKey = Infer<typeof consumerGroupCurrentMemberAssignmentKey>

const heldPartitions = struct({
  topicId: uuid(),
  partitions: array(each.int32),
  /** The epoch in which the member was given each; null where that is not known. */
  assignmentEpochs: array(each.int32, { nullable: '0+', default: null, tag: 0 }),
})

export const consumerGroupCurrentMemberAssignmentValue = payload({
  name: 'ConsumerGroupCurrentMemberAssignmentValue',
  versions: '0',
  flexible: '0+',
  fields: {
    memberEpoch: int32(),
    previousMemberEpoch: int32(),
    state: int8(),
    assignedPartitions: array(heldPartitions),
    partitionsPendingRevocation: array(heldPartitions),
  },
})
export type ConsumerGroupCurrentMemberAssignmentValue = Infer<typeof consumerGroupCurrentMemberAssignmentValue>

/** The topics that a regular expression some member subscribes with stands for. */
export const consumerGroupRegularExpressionKey = payload({
  name: 'ConsumerGroupRegularExpressionKey',
  versions: '16',
  flexible: 'none',
  fields: {
    groupId: string(),
    regularExpression: string(),
  },
})
export type ConsumerGroupRegularExpressionKey = Infer<typeof consumerGroupRegularExpressionKey>

export const consumerGroupRegularExpressionValue = payload({
  name: 'ConsumerGroupRegularExpressionValue',
  versions: '0',
  flexible: '0+',
  fields: {
    topics: array(each.string),
    /** Of the metadata that it was looked up in. */
    version: int64(),
    timestamp: int64(),
  },
})
export type ConsumerGroupRegularExpressionValue = Infer<typeof consumerGroupRegularExpressionValue>
