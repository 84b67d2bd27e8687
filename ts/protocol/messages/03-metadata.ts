import { array, bool, each, type Infer, int16, int32, message, string, struct, uuid } from '../schema.js'

/** Authorized-operations bit fields hold this when nobody asked for them. */
export const operationsNotAsked = -0x8000_0000

/** 1 asks for all topics by null, 4 may forbid creation, 10 knows topic ids, 12 asks by id alone, 13 can fail whole. */
export const metadataRequest = message({
  name: 'MetadataRequest',
  apiKey: 3,
  versions: '0-13',
  flexible: '9+',
  fields: {
    topics: array(
      struct({
        topicId: uuid({ versions: '10+', ignorable: true }),
        name: string({ nullable: '10+' }),
      }),
      { nullable: '1+' },
    ),
    allowAutoTopicCreation: bool({ versions: '4+', default: true }),
    includeClusterAuthorizedOperations: bool({ versions: '8-10' }),
    includeTopicAuthorizedOperations: bool({ versions: '8+' }),
  },
})
export type MetadataRequest = Infer<typeof metadataRequest>

export const metadataResponse = message({
  name: 'MetadataResponse',
  apiKey: 3,
  versions: '0-13',
  flexible: '9+',
  fields: {
    throttleTimeMs: int32({ versions: '3+', ignorable: true }),
    brokers: array(
      struct({
        nodeId: int32(),
        host: string(),
        port: int32(),
        rack: string({ versions: '1+', nullable: '1+', default: null, ignorable: true }),
      }),
    ),
    clusterId: string({ versions: '2+', nullable: '2+', default: null, ignorable: true }),
    controllerId: int32({ versions: '1+', default: -1, ignorable: true }),
    topics: array(
      struct({
        errorCode: int16(),
        name: string({ nullable: '12+' }),
        topicId: uuid({ versions: '10+', ignorable: true }),
        isInternal: bool({ versions: '1+', ignorable: true }),
        partitions: array(
          struct({
            errorCode: int16(),
            partitionIndex: int32(),
            leaderId: int32(),
            leaderEpoch: int32({ versions: '7+', default: -1, ignorable: true }),
            replicaNodes: array(each.int32),
            isrNodes: array(each.int32),
            offlineReplicas: array(each.int32, { versions: '5+', ignorable: true }),
          }),
        ),
        topicAuthorizedOperations: int32({ versions: '8+', default: operationsNotAsked }),
      }),
    ),
    clusterAuthorizedOperations: int32({ versions: '8-10', default: operationsNotAsked }),
    errorCode: int16({ versions: '13+', ignorable: true }),
  },
})
export type MetadataResponse = Infer<typeof metadataResponse>
export type MetadataTopicResponse = MetadataResponse['topics'][number]
