import { array, each, type Infer, int16, int32, message, string, struct } from '../schema.js'

/** 4 filters by state, 5 by type. */
export const listGroupsRequest = message({
  name: 'ListGroupsRequest',
  apiKey: 16,
  versions: '0-5',
  flexible: '3+',
  fields: {
    /** Empty: every state. */
    statesFilter: array(each.string, { versions: '4+' }),
    typesFilter: array(each.string, { versions: '5+' }),
  },
})
export type ListGroupsRequest = Infer<typeof listGroupsRequest>

export const listGroupsResponse = message({
  name: 'ListGroupsResponse',
  apiKey: 16,
  versions: '0-5',
  flexible: '3+',
  fields: {
    throttleTimeMs: int32({ versions: '1+', ignorable: true }),
    errorCode: int16(),
    groups: array(
      struct({
        groupId: string(),
        protocolType: string(),
        groupState: string({ versions: '4+', ignorable: true }),
        groupType: string({ versions: '5+', ignorable: true }),
      }),
    ),
  },
})
export type ListGroupsResponse = Infer<typeof listGroupsResponse>
