import { array, type Infer, int16, int32, int64, message, string, struct } from '../schema.js'

export const offsetForLeaderEpochRequest = message({
  name: 'OffsetForLeaderEpochRequest',
  apiKey: 23,
  versions: '2-4',
  flexible: '4+',
  fields: {
    /** -1 a consumer, -2 unknown (before version 3). */
    replicaId: int32({ versions: '3+', default: -2, ignorable: true }),
    topics: array(
      struct({
        topic: string(),
        partitions: array(
          struct({
            partition: int32(),
            currentLeaderEpoch: int32({ versions: '2+', default: -1, ignorable: true }),
            leaderEpoch: int32(),
          }),
        ),
      }),
    ),
  },
})
export type OffsetForLeaderEpochRequest = Infer<typeof offsetForLeaderEpochRequest>

export const offsetForLeaderEpochResponse = message({
  name: 'OffsetForLeaderEpochResponse',
  apiKey: 23,
  versions: '2-4',
  flexible: '4+',
  fields: {
    throttleTimeMs: int32({ versions: '2+', ignorable: true }),
    topics: array(
      struct({
        topic: string(),
        partitions: array(
          struct({
            errorCode: int16(),
            partition: int32(),
            leaderEpoch: int32({ versions: '1+', default: -1, ignorable: true }),
            endOffset: int64({ default: -1n }),
          }),
        ),
      }),
    ),
  },
})
export type OffsetForLeaderEpochResponse = Infer<typeof offsetForLeaderEpochResponse>
