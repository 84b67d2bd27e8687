import { array, bytes, type Infer, int32, int64, payload, string, struct } from '../schema.js'

/** Key of a classic group in `__consumer_offsets`: the version tells it from the keys of offsets. */
export const groupMetadataKey = payload({
  name: 'GroupMetadataKey',
  versions: '2',
  flexible: 'none',
  fields: {
    group: string(),
  },
})
export type GroupMetadataKey = Infer<typeof groupMetadataKey>

const memberMetadata = struct({
  memberId: string(),
  groupInstanceId: string({ versions: '3+', nullable: '3+', default: null, ignorable: true }),
  clientId: string(),
  clientHost: string(),
  rebalanceTimeout: int32({ versions: '1+', default: -1, ignorable: true }),
  sessionTimeout: int32(),
  subscription: bytes(),
  assignment: bytes(),
})

/** A classic group as of its last generation. 1 adds rebalance timeouts, 2 the time of the change, 3 static members. */
export const groupMetadataValue = payload({
  name: 'GroupMetadataValue',
  versions: '0-4',
  flexible: '4+',
  fields: {
    protocolType: string(),
    generation: int32(),
    protocol: string({ nullable: '0+' }),
    leader: string({ nullable: '0+' }),
    currentStateTimestamp: int64({ versions: '2+', default: -1n, ignorable: true }),
    members: array(memberMetadata),
  },
})
export type GroupMetadataValue = Infer<typeof groupMetadataValue>
