import { array, bool, type Infer, int8, int16, int32, message, string, struct } from '../schema.js'
import { operationsNotAsked } from './03-metadata.js'

export const describeClusterRequest = message({
  name: 'DescribeClusterRequest',
  apiKey: 60,
  versions: '0-2',
  flexible: '0+',
  fields: {
    includeClusterAuthorizedOperations: bool(),
    /** 1 brokers, 2 controllers. */
    endpointType: int8({ versions: '1+', default: 1 }),
    includeFencedBrokers: bool({ versions: '2+' }),
  },
})
export type DescribeClusterRequest = Infer<typeof describeClusterRequest>

export const describeClusterResponse = message({
  name: 'DescribeClusterResponse',
  apiKey: 60,
  versions: '0-2',
  flexible: '0+',
  fields: {
    throttleTimeMs: int32(),
    errorCode: int16(),
    errorMessage: string({ nullable: '0+', default: null }),
    endpointType: int8({ versions: '1+', default: 1 }),
    clusterId: string(),
    controllerId: int32({ default: -1 }),
    brokers: array(
      struct({
        brokerId: int32(),
        host: string(),
        port: int32(),
        rack: string({ nullable: '0+', default: null }),
        isFenced: bool({ versions: '2+' }),
      }),
    ),
    clusterAuthorizedOperations: int32({ default: operationsNotAsked }),
  },
})
export type DescribeClusterResponse = Infer<typeof describeClusterResponse>
