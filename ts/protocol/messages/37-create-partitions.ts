import { array, bool, each, type Infer, int16, int32, message, string, struct } from '../schema.js'

export const createPartitionsRequest = message({
  name: 'CreatePartitionsRequest',
  apiKey: 37,
  versions: '0-3',
  flexible: '2+',
  fields: {
    topics: array(
      struct({
        name: string(),
        /** The new total, not the number to add. */
        count: int32(),
        assignments: array(struct({ brokerIds: array(each.int32) }), { nullable: '0+' }),
      }),
    ),
    timeoutMs: int32(),
    validateOnly: bool(),
  },
})
export type CreatePartitionsRequest = Infer<typeof createPartitionsRequest>

export const createPartitionsResponse = message({
  name: 'CreatePartitionsResponse',
  apiKey: 37,
  versions: '0-3',
  flexible: '2+',
  fields: {
    throttleTimeMs: int32(),
    results: array(
      struct({
        name: string(),
        errorCode: int16(),
        errorMessage: string({ nullable: '0+', default: null }),
      }),
    ),
  },
})
export type CreatePartitionsResponse = Infer<typeof createPartitionsResponse>
