import {
  array,
  each,
  type Infer,
  int8,
  int16,
  int32,
  int64,
  message,
  nested,
  storedRecords,
  string,
  struct,
  uuid,
} from '../schema.js'

/**
 * 7 adds fetch sessions, 9 the leader epoch a reader believes in, 10 permits zstd, 12 detects divergence, 13 names
 * topics by id, 15 moves the replica into a tagged struct, 18 carries the follower's high watermark.
 */
export const fetchRequest = message({
  name: 'FetchRequest',
  apiKey: 1,
  versions: '4-18',
  flexible: '12+',
  fields: {
    clusterId: string({ versions: '12+', nullable: '12+', tag: 0, default: null, ignorable: true }),
    replicaId: int32({ versions: '0-14', default: -1 }),
    replicaState: nested(
      struct({
        replicaId: int32({ versions: '15+', default: -1 }),
        replicaEpoch: int64({ versions: '15+', default: -1n }),
      }),
      { versions: '15+', tag: 1 },
    ),
    maxWaitMs: int32(),
    minBytes: int32(),
    maxBytes: int32({ versions: '3+', default: 0x7fffffff, ignorable: true }),
    /** 0 read uncommitted, 1 read committed. */
    isolationLevel: int8({ versions: '4+', ignorable: true }),
    sessionId: int32({ versions: '7+', ignorable: true }),
    /** -1: no session. */
    sessionEpoch: int32({ versions: '7+', default: -1, ignorable: true }),
    topics: array(
      struct(
        {
          topic: string({ versions: '0-12', ignorable: true }),
          topicId: uuid({ versions: '13+', ignorable: true }),
          partitions: array(
            struct(
              {
                partition: int32(),
                /** -1: unchecked. */
                currentLeaderEpoch: int32({ versions: '9+', default: -1, ignorable: true }),
                fetchOffset: int64(),
                lastFetchedEpoch: int32({ versions: '12+', default: -1 }),
                /** Only from followers. */
                logStartOffset: int64({ versions: '5+', default: -1n, ignorable: true }),
                partitionMaxBytes: int32(),
                replicaDirectoryId: uuid({ versions: '17+', tag: 0, ignorable: true }),
                highWatermark: int64({ versions: '18+', tag: 1, default: 0x7fff_ffff_ffff_ffffn, ignorable: true }),
              },
              {
                read: (take, from) => ({
                  partition: take[0](from),
                  currentLeaderEpoch: take[1](from),
                  fetchOffset: take[2](from),
                  lastFetchedEpoch: take[3](from),
                  logStartOffset: take[4](from),
                  partitionMaxBytes: take[5](from),
                  replicaDirectoryId: take[6](from),
                  highWatermark: take[7](from),
                }),
              },
            ),
          ),
        },
        { read: (take, from) => ({ topic: take[0](from), topicId: take[1](from), partitions: take[2](from) }) },
      ),
    ),
    forgottenTopicsData: array(
      struct({
        topic: string({ versions: '7-12', ignorable: true }),
        topicId: uuid({ versions: '13+', ignorable: true }),
        partitions: array(each.int32, { versions: '7+' }),
      }),
      { versions: '7+' },
    ),
    rackId: string({ versions: '11+', ignorable: true }),
  },
  writtenOut: {
    read: (take, from) => ({
      clusterId: take[0](from),
      replicaId: take[1](from),
      replicaState: take[2](from),
      maxWaitMs: take[3](from),
      minBytes: take[4](from),
      maxBytes: take[5](from),
      isolationLevel: take[6](from),
      sessionId: take[7](from),
      sessionEpoch: take[8](from),
      topics: take[9](from),
      forgottenTopicsData: take[10](from),
      rackId: take[11](from),
    }),
  },
})
export type FetchRequest = Infer<typeof fetchRequest>

export const fetchResponse = message({
  name: 'FetchResponse',
  apiKey: 1,
  versions: '4-18',
  flexible: '12+',
  fields: {
    throttleTimeMs: int32({ versions: '1+', ignorable: true }),
    errorCode: int16({ versions: '7+', ignorable: true }),
    sessionId: int32({ versions: '7+' }),
    responses: array(
      struct(
        {
          topic: string({ versions: '0-12', ignorable: true }),
          topicId: uuid({ versions: '13+', ignorable: true }),
          partitions: array(
            struct(
              {
                partitionIndex: int32(),
                errorCode: int16(),
                highWatermark: int64(),
                lastStableOffset: int64({ versions: '4+', default: -1n, ignorable: true }),
                logStartOffset: int64({ versions: '5+', default: -1n, ignorable: true }),
                divergingEpoch: nested(
                  struct({
                    epoch: int32({ versions: '12+', default: -1 }),
                    endOffset: int64({ versions: '12+', default: -1n }),
                  }),
                  { versions: '12+', tag: 0 },
                ),
                currentLeader: nested(
                  struct({
                    leaderId: int32({ versions: '12+', default: -1 }),
                    leaderEpoch: int32({ versions: '12+', default: -1 }),
                  }),
                  { versions: '12+', tag: 1 },
                ),
                snapshotId: nested(
                  struct({
                    endOffset: int64({ default: -1n }),
                    epoch: int32({ default: -1 }),
                  }),
                  { versions: '12+', tag: 2 },
                ),
                abortedTransactions: array(
                  struct({
                    producerId: int64({ versions: '4+' }),
                    firstOffset: int64({ versions: '4+' }),
                  }),
                  { versions: '4+', nullable: '4+', ignorable: true },
                ),
                preferredReadReplica: int32({ versions: '11+', default: -1 }),
                records: storedRecords({ nullable: '0+' }),
              },
              {
                write: (put, to, value) => {
                  put[0](to, value.partitionIndex)
                  put[1](to, value.errorCode)
                  put[2](to, value.highWatermark)
                  put[3](to, value.lastStableOffset)
                  put[4](to, value.logStartOffset)
                  put[8](to, value.abortedTransactions)
                  put[9](to, value.preferredReadReplica)
                  put[10](to, value.records)
                },
              },
            ),
          ),
        },
        {
          write: (put, to, value) => {
            put[0](to, value.topic)
            put[1](to, value.topicId)
            put[2](to, value.partitions)
          },
        },
      ),
    ),
    nodeEndpoints: array(
      struct({
        nodeId: int32({ versions: '16+' }),
        host: string({ versions: '16+' }),
        port: int32({ versions: '16+' }),
        rack: string({ versions: '16+', nullable: '16+', default: null }),
      }),
      { versions: '16+', tag: 0 },
    ),
  },
  writtenOut: {
    write: (put, to, value) => {
      put[0](to, value.throttleTimeMs)
      put[1](to, value.errorCode)
      put[2](to, value.sessionId)
      put[3](to, value.responses)
    },
  },
})
export type FetchResponse = Infer<typeof fetchResponse>
export type FetchTopic = FetchRequest['topics'][number]
export type FetchPartition = FetchTopic['partitions'][number]
export type FetchTopicResponse = FetchResponse['responses'][number]
export type FetchPartitionResponse = FetchTopicResponse['partitions'][number]
