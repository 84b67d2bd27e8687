import { array, type Infer, int8, int16, int32, int64, message, string, struct } from '../schema.js'

/** Timestamps that are not times but questions. 7 permits `maxTimestamp`, 8 and later the tiered ones. */
export const offsetQuery = {
  latest: -1n,
  earliest: -2n,
  /** The record with the largest timestamp. */
  maxTimestamp: -3n,
  earliestLocal: -4n,
  latestTiered: -5n,
  earliestPendingUpload: -6n,
} as const

export const listOffsetsRequest = message({
  name: 'ListOffsetsRequest',
  apiKey: 2,
  versions: '1-11',
  flexible: '6+',
  fields: {
    replicaId: int32(),
    isolationLevel: int8({ versions: '2+' }),
    topics: array(
      struct({
        name: string(),
        partitions: array(
          struct({
            partitionIndex: int32(),
            currentLeaderEpoch: int32({ versions: '4+', default: -1, ignorable: true }),
            timestamp: int64(),
          }),
        ),
      }),
    ),
    timeoutMs: int32({ versions: '10+', ignorable: true }),
  },
})
export type ListOffsetsRequest = Infer<typeof listOffsetsRequest>

export const listOffsetsResponse = message({
  name: 'ListOffsetsResponse',
  apiKey: 2,
  versions: '1-11',
  flexible: '6+',
  fields: {
    throttleTimeMs: int32({ versions: '2+', ignorable: true }),
    topics: array(
      struct({
        name: string(),
        partitions: array(
          struct({
            partitionIndex: int32(),
            errorCode: int16(),
            timestamp: int64({ versions: '1+', default: -1n }),
            offset: int64({ versions: '1+', default: -1n }),
            leaderEpoch: int32({ versions: '4+', default: -1 }),
          }),
        ),
      }),
    ),
  },
})
export type ListOffsetsResponse = Infer<typeof listOffsetsResponse>
export type ListOffsetsPartitionResponse = ListOffsetsResponse['topics'][number]['partitions'][number]
