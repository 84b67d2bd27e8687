import { array, each, type Infer, int8, int16, int32, message, string, struct } from '../schema.js'

/** What a coordinator is asked for. A share key is `groupId:topicId:partition`. */
export const coordinatorType = { group: 0, transaction: 1, share: 2 } as const

/** 1 knows kinds of keys, 4 takes many of them (`coordinatorKeys`; before: `key`), 6 adds share groups. */
export const findCoordinatorRequest = message({
  name: 'FindCoordinatorRequest',
  apiKey: 10,
  versions: '0-6',
  flexible: '3+',
  fields: {
    key: string({ versions: '0-3' }),
    keyType: int8({ versions: '1+' }),
    coordinatorKeys: array(each.string, { versions: '4+' }),
  },
})
export type FindCoordinatorRequest = Infer<typeof findCoordinatorRequest>

/** Versions below 4 answer one coordinator in plain fields, later ones a list. */
export const findCoordinatorResponse = message({
  name: 'FindCoordinatorResponse',
  apiKey: 10,
  versions: '0-6',
  flexible: '3+',
  fields: {
    throttleTimeMs: int32({ versions: '1+', ignorable: true }),
    errorCode: int16({ versions: '0-3' }),
    errorMessage: string({ versions: '1-3', nullable: '1-3', ignorable: true }),
    nodeId: int32({ versions: '0-3' }),
    host: string({ versions: '0-3' }),
    port: int32({ versions: '0-3' }),
    coordinators: array(
      struct({
        key: string({ versions: '4+' }),
        nodeId: int32({ versions: '4+' }),
        host: string({ versions: '4+' }),
        port: int32({ versions: '4+' }),
        errorCode: int16({ versions: '4+' }),
        errorMessage: string({ versions: '4+', nullable: '4+', ignorable: true }),
      }),
      { versions: '4+' },
    ),
  },
})
export type FindCoordinatorResponse = Infer<typeof findCoordinatorResponse>
