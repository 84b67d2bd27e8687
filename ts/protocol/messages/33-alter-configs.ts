import { array, bool, type Infer, int8, int16, int32, message, string, struct } from '../schema.js'

/** Replaces the whole set of a resource's configs; IncrementalAlterConfigs is the one to use. */
export const alterConfigsRequest = message({
  name: 'AlterConfigsRequest',
  apiKey: 33,
  versions: '0-2',
  flexible: '2+',
  fields: {
    resources: array(
      struct({
        resourceType: int8(),
        resourceName: string(),
        configs: array(
          struct({
            name: string(),
            value: string({ nullable: '0+' }),
          }),
        ),
      }),
    ),
    validateOnly: bool(),
  },
})
export type AlterConfigsRequest = Infer<typeof alterConfigsRequest>

export const alterConfigsResponse = message({
  name: 'AlterConfigsResponse',
  apiKey: 33,
  versions: '0-2',
  flexible: '2+',
  fields: {
    throttleTimeMs: int32(),
    responses: array(
      struct({
        errorCode: int16(),
        errorMessage: string({ nullable: '0+' }),
        resourceType: int8(),
        resourceName: string(),
      }),
    ),
  },
})
export type AlterConfigsResponse = Infer<typeof alterConfigsResponse>
