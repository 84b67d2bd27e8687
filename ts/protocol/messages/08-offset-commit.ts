import { array, type Infer, int16, int32, int64, message, string, struct, uuid } from '../schema.js'

/**
 * 5 leaves retention to the broker, 6 adds the leader epoch, 7 static members, 9 the new group protocol, 10 names
 * topics by id. Generation -1 without a member is a commit from outside the group.
 */
export const offsetCommitRequest = message({
  name: 'OffsetCommitRequest',
  apiKey: 8,
  versions: '2-10',
  flexible: '8+',
  fields: {
    groupId: string(),
    generationIdOrMemberEpoch: int32({ versions: '1+', default: -1, ignorable: true }),
    memberId: string({ versions: '1+', ignorable: true }),
    groupInstanceId: string({ versions: '7+', nullable: '7+', default: null }),
    retentionTimeMs: int64({ versions: '2-4', default: -1n, ignorable: true }),
    topics: array(
      struct({
        name: string({ versions: '0-9', ignorable: true }),
        topicId: uuid({ versions: '10+', ignorable: true }),
        partitions: array(
          struct({
            partitionIndex: int32(),
            committedOffset: int64(),
            committedLeaderEpoch: int32({ versions: '6+', default: -1, ignorable: true }),
            committedMetadata: string({ nullable: '0+' }),
          }),
        ),
      }),
    ),
  },
})
export type OffsetCommitRequest = Infer<typeof offsetCommitRequest>

export const offsetCommitResponse = message({
  name: 'OffsetCommitResponse',
  apiKey: 8,
  versions: '2-10',
  flexible: '8+',
  fields: {
    throttleTimeMs: int32({ versions: '3+', ignorable: true }),
    topics: array(
      struct({
        name: string({ versions: '0-9', ignorable: true }),
        topicId: uuid({ versions: '10+', ignorable: true }),
        partitions: array(
          struct({
            partitionIndex: int32(),
            errorCode: int16(),
          }),
        ),
      }),
    ),
  },
})
export type OffsetCommitResponse = Infer<typeof offsetCommitResponse>
