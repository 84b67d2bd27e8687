import { array, bool, each, type Infer, int16, int32, int64, message, string, struct, uuid } from '../schema.js'

/**
 * 2 asks for every topic by null, 7 refuses offsets that a transaction may still change, 8 asks for several groups at
 * once (`groups`; before: `groupId` and `topics`), 9 adds the new group protocol, 10 names topics by id.
 */
export const offsetFetchRequest = message({
  name: 'OffsetFetchRequest',
  apiKey: 9,
  versions: '1-10',
  flexible: '6+',
  fields: {
    groupId: string({ versions: '0-7' }),
    topics: array(
      struct({
        name: string({ versions: '0-7' }),
        partitionIndexes: array(each.int32, { versions: '0-7' }),
      }),
      { versions: '0-7', nullable: '2-7' },
    ),
    groups: array(
      struct({
        groupId: string({ versions: '8+' }),
        memberId: string({ versions: '9+', nullable: '9+', default: null, ignorable: true }),
        memberEpoch: int32({ versions: '9+', default: -1, ignorable: true }),
        topics: array(
          struct({
            name: string({ versions: '8-9', ignorable: true }),
            topicId: uuid({ versions: '10+', ignorable: true }),
            partitionIndexes: array(each.int32, { versions: '8+' }),
          }),
          { versions: '8+', nullable: '8+' },
        ),
      }),
      { versions: '8+' },
    ),
    requireStable: bool({ versions: '7+' }),
  },
})
export type OffsetFetchRequest = Infer<typeof offsetFetchRequest>

export const offsetFetchResponse = message({
  name: 'OffsetFetchResponse',
  apiKey: 9,
  versions: '1-10',
  flexible: '6+',
  fields: {
    throttleTimeMs: int32({ versions: '3+', ignorable: true }),
    topics: array(
      struct({
        name: string({ versions: '0-7' }),
        partitions: array(
          struct({
            partitionIndex: int32({ versions: '0-7' }),
            committedOffset: int64({ versions: '0-7' }),
            committedLeaderEpoch: int32({ versions: '5-7', default: -1, ignorable: true }),
            metadata: string({ versions: '0-7', nullable: '0-7' }),
            errorCode: int16({ versions: '0-7' }),
          }),
          { versions: '0-7' },
        ),
      }),
      { versions: '0-7' },
    ),
    errorCode: int16({ versions: '2-7', ignorable: true }),
    groups: array(
      struct({
        groupId: string({ versions: '8+' }),
        topics: array(
          struct({
            name: string({ versions: '8-9', ignorable: true }),
            topicId: uuid({ versions: '10+', ignorable: true }),
            partitions: array(
              struct({
                partitionIndex: int32({ versions: '8+' }),
                committedOffset: int64({ versions: '8+' }),
                committedLeaderEpoch: int32({ versions: '8+', default: -1, ignorable: true }),
                metadata: string({ versions: '8+', nullable: '8+' }),
                errorCode: int16({ versions: '8+' }),
              }),
              { versions: '8+' },
            ),
          }),
          { versions: '8+' },
        ),
        errorCode: int16({ versions: '8+' }),
      }),
      { versions: '8+' },
    ),
  },
})
export type OffsetFetchResponse = Infer<typeof offsetFetchResponse>
