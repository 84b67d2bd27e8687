import { array, each, type Infer, int8, int16, int32, message, string, struct } from '../schema.js'

/** 1 adds unclean elections. */
export const electLeadersRequest = message({
  name: 'ElectLeadersRequest',
  apiKey: 43,
  versions: '0-2',
  flexible: '2+',
  fields: {
    /** 0 the preferred leader, 1 any replica, even one out of sync. */
    electionType: int8({ versions: '1+' }),
    /** Null: every partition. */
    topicPartitions: array(
      struct({
        topic: string(),
        partitions: array(each.int32),
      }),
      { nullable: '0+' },
    ),
    timeoutMs: int32({ default: 60_000 }),
  },
})
export type ElectLeadersRequest = Infer<typeof electLeadersRequest>

export const electLeadersResponse = message({
  name: 'ElectLeadersResponse',
  apiKey: 43,
  versions: '0-2',
  flexible: '2+',
  fields: {
    throttleTimeMs: int32(),
    errorCode: int16({ versions: '1+' }),
    replicaElectionResults: array(
      struct({
        topic: string(),
        partitionResult: array(
          struct({
            partitionId: int32(),
            errorCode: int16(),
            errorMessage: string({ nullable: '0+' }),
          }),
        ),
      }),
    ),
  },
})
export type ElectLeadersResponse = Infer<typeof electLeadersResponse>
