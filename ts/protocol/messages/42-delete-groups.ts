import { array, each, type Infer, int16, int32, message, string, struct } from '../schema.js'

/** 1 differs by throttling only, 2 by its encoding. */
export const deleteGroupsRequest = message({
  name: 'DeleteGroupsRequest',
  apiKey: 42,
  versions: '0-2',
  flexible: '2+',
  fields: {
    groupsNames: array(each.string),
  },
})
export type DeleteGroupsRequest = Infer<typeof deleteGroupsRequest>

export const deleteGroupsResponse = message({
  name: 'DeleteGroupsResponse',
  apiKey: 42,
  versions: '0-2',
  flexible: '2+',
  fields: {
    throttleTimeMs: int32(),
    results: array(
      struct({
        groupId: string(),
        errorCode: int16(),
      }),
    ),
  },
})
export type DeleteGroupsResponse = Infer<typeof deleteGroupsResponse>
