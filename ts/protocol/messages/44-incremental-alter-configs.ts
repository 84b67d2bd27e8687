import { array, bool, type Infer, int8, int16, int32, message, string, struct } from '../schema.js'

/** Append and subtract apply to list configs only. */
export const configOperation = { set: 0, delete: 1, append: 2, subtract: 3 } as const

export const incrementalAlterConfigsRequest = message({
  name: 'IncrementalAlterConfigsRequest',
  apiKey: 44,
  versions: '0-1',
  flexible: '1+',
  fields: {
    resources: array(
      struct({
        resourceType: int8(),
        resourceName: string(),
        configs: array(
          struct({
            name: string(),
            configOperation: int8(),
            value: string({ nullable: '0+' }),
          }),
        ),
      }),
    ),
    validateOnly: bool(),
  },
})
export type IncrementalAlterConfigsRequest = Infer<typeof incrementalAlterConfigsRequest>

export const incrementalAlterConfigsResponse = message({
  name: 'IncrementalAlterConfigsResponse',
  apiKey: 44,
  versions: '0-1',
  flexible: '1+',
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
export type IncrementalAlterConfigsResponse = Infer<typeof incrementalAlterConfigsResponse>
