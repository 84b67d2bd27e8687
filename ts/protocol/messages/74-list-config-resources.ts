import { array, each, type Infer, int8, int16, int32, message, string, struct } from '../schema.js'

/** 0 lists client metrics only, 1 every kind of resource. */
export const listConfigResourcesRequest = message({
  name: 'ListConfigResourcesRequest',
  apiKey: 74,
  versions: '0-1',
  flexible: '0+',
  fields: {
    /** Empty: every kind. */
    resourceTypes: array(each.int8, { versions: '1+' }),
  },
})
export type ListConfigResourcesRequest = Infer<typeof listConfigResourcesRequest>

export const listConfigResourcesResponse = message({
  name: 'ListConfigResourcesResponse',
  apiKey: 74,
  versions: '0-1',
  flexible: '0+',
  fields: {
    throttleTimeMs: int32(),
    errorCode: int16(),
    configResources: array(
      struct({
        resourceName: string(),
        resourceType: int8({ versions: '1+', default: 16, ignorable: true }),
      }),
    ),
  },
})
export type ListConfigResourcesResponse = Infer<typeof listConfigResourcesResponse>
