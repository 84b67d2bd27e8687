import { array, each, type Infer, int16, int32, message, string, struct } from '../schema.js'

export const listPartitionReassignmentsRequest = message({
  name: 'ListPartitionReassignmentsRequest',
  apiKey: 46,
  versions: '0',
  flexible: '0+',
  fields: {
    timeoutMs: int32({ default: 60_000 }),
    /** Null: every partition. */
    topics: array(
      struct({
        name: string(),
        partitionIndexes: array(each.int32),
      }),
      { nullable: '0+', default: null },
    ),
  },
})
export type ListPartitionReassignmentsRequest = Infer<typeof listPartitionReassignmentsRequest>

export const listPartitionReassignmentsResponse = message({
  name: 'ListPartitionReassignmentsResponse',
  apiKey: 46,
  versions: '0',
  flexible: '0+',
  fields: {
    throttleTimeMs: int32(),
    errorCode: int16(),
    errorMessage: string({ nullable: '0+' }),
    topics: array(
      struct({
        name: string(),
        partitions: array(
          struct({
            partitionIndex: int32(),
            replicas: array(each.int32),
            addingReplicas: array(each.int32),
            removingReplicas: array(each.int32),
          }),
        ),
      }),
    ),
  },
})
export type ListPartitionReassignmentsResponse = Infer<typeof listPartitionReassignmentsResponse>
