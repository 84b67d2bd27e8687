import { array, bool, bytes, each, type Infer, int16, int32, message, string, struct } from '../schema.js'
import { operationsNotAsked } from './03-metadata.js'

/** 3 adds authorized operations, 4 static members, 6 an error for unknown groups where earlier ones call them Dead. */
export const describeGroupsRequest = message({
  name: 'DescribeGroupsRequest',
  apiKey: 15,
  versions: '0-6',
  flexible: '5+',
  fields: {
    groups: array(each.string),
    includeAuthorizedOperations: bool({ versions: '3+' }),
  },
})
export type DescribeGroupsRequest = Infer<typeof describeGroupsRequest>

export const describeGroupsResponse = message({
  name: 'DescribeGroupsResponse',
  apiKey: 15,
  versions: '0-6',
  flexible: '5+',
  fields: {
    throttleTimeMs: int32({ versions: '1+', ignorable: true }),
    groups: array(
      struct({
        errorCode: int16(),
        errorMessage: string({ versions: '6+', nullable: '6+', default: null }),
        groupId: string(),
        groupState: string(),
        protocolType: string(),
        protocolData: string(),
        members: array(
          struct({
            memberId: string(),
            groupInstanceId: string({ versions: '4+', nullable: '4+', default: null, ignorable: true }),
            clientId: string(),
            clientHost: string(),
            memberMetadata: bytes(),
            memberAssignment: bytes(),
          }),
        ),
        authorizedOperations: int32({ versions: '3+', default: operationsNotAsked }),
      }),
    ),
  },
})
export type DescribeGroupsResponse = Infer<typeof describeGroupsResponse>
