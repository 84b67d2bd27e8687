import { type Infer, int16, int32, message, string } from '../schema.js'

/** 3 adds static members. */
export const heartbeatRequest = message({
  name: 'HeartbeatRequest',
  apiKey: 12,
  versions: '0-4',
  flexible: '4+',
  fields: {
    groupId: string(),
    generationId: int32(),
    memberId: string(),
    groupInstanceId: string({ versions: '3+', nullable: '3+', default: null }),
  },
})
export type HeartbeatRequest = Infer<typeof heartbeatRequest>

export const heartbeatResponse = message({
  name: 'HeartbeatResponse',
  apiKey: 12,
  versions: '0-4',
  flexible: '4+',
  fields: {
    throttleTimeMs: int32({ versions: '1+', ignorable: true }),
    errorCode: int16(),
  },
})
export type HeartbeatResponse = Infer<typeof heartbeatResponse>
