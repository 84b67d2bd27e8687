import { array, bytes, each, type Infer, int32, payload, string, struct } from '../schema.js'

/** What a member of a consumer group joins with. 1 adds what it owns, 2 since which generation, 3 its rack. */
export const consumerProtocolSubscription = payload({
  name: 'ConsumerProtocolSubscription',
  versions: '0-3',
  flexible: 'none',
  fields: {
    topics: array(each.string),
    userData: bytes({ nullable: '0+', default: null }),
    ownedPartitions: array(
      struct({
        topic: string({ versions: '1+' }),
        partitions: array(each.int32, { versions: '1+' }),
      }),
      { versions: '1+', ignorable: true },
    ),
    generationId: int32({ versions: '2+', default: -1, ignorable: true }),
    rackId: string({ versions: '3+', nullable: '3+', default: null, ignorable: true }),
  },
})
export type ConsumerProtocolSubscription = Infer<typeof consumerProtocolSubscription>

/** What the leader of a consumer group hands each member by SyncGroup. Every version has the same fields. */
export const consumerProtocolAssignment = payload({
  name: 'ConsumerProtocolAssignment',
  versions: '0-3',
  flexible: 'none',
  fields: {
    assignedPartitions: array(
      struct({
        topic: string(),
        partitions: array(each.int32),
      }),
    ),
    userData: bytes({ nullable: '0+', default: null }),
  },
})
export type ConsumerProtocolAssignment = Infer<typeof consumerProtocolAssignment>
