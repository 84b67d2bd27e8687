import { type Infer, int32, int64, payload, string, uuid } from '../schema.js'

/** Key of an offset in `__consumer_offsets`. Both versions mean the same. */
export const offsetCommitKey = payload({
  name: 'OffsetCommitKey',
  versions: '0-1',
  flexible: 'none',
  fields: {
    group: string(),
    topic: string(),
    partition: int32(),
  },
})
export type OffsetCommitKey = Infer<typeof offsetCommitKey>

/** A committed offset. 1 had an expiry of its own, 3 adds the leader epoch, 4 the topic id. */
export const offsetCommitValue = payload({
  name: 'OffsetCommitValue',
  versions: '0-4',
  flexible: '4+',
  fields: {
    offset: int64(),
    leaderEpoch: int32({ versions: '3+', default: -1, ignorable: true }),
    metadata: string(),
    commitTimestamp: int64(),
    /** Only in records of old brokers; -1: none of its own. */
    expireTimestamp: int64({ versions: '1', default: -1n, ignorable: true }),
    topicId: uuid({ versions: '4+', tag: 0, ignorable: true }),
  },
})
export type OffsetCommitValue = Infer<typeof offsetCommitValue>
