import { array, each, type Infer, int16, int32, message, string, struct, uuid } from '../schema.js'

/** Up to 5 the topics are `topicNames`; from 6 they are `topics`, by name or id. */
export const deleteTopicsRequest = message({
  name: 'DeleteTopicsRequest',
  apiKey: 20,
  versions: '1-6',
  flexible: '4+',
  fields: {
    topics: array(
      struct({
        name: string({ versions: '6+', nullable: '6+', default: null }),
        topicId: uuid({ versions: '6+' }),
      }),
      { versions: '6+' },
    ),
    topicNames: array(each.string, { versions: '0-5', ignorable: true }),
    timeoutMs: int32(),
  },
})
export type DeleteTopicsRequest = Infer<typeof deleteTopicsRequest>

export const deleteTopicsResponse = message({
  name: 'DeleteTopicsResponse',
  apiKey: 20,
  versions: '1-6',
  flexible: '4+',
  fields: {
    throttleTimeMs: int32({ versions: '1+', ignorable: true }),
    responses: array(
      struct({
        name: string({ nullable: '6+' }),
        topicId: uuid({ versions: '6+', ignorable: true }),
        errorCode: int16(),
        errorMessage: string({ versions: '5+', nullable: '5+', default: null, ignorable: true }),
      }),
    ),
  },
})
export type DeleteTopicsResponse = Infer<typeof deleteTopicsResponse>
