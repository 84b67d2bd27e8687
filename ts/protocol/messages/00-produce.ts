import { array, type Infer, int16, int32, int64, message, nested, records, string, struct, uuid } from '../schema.js'

/**
 * Versions 0-2 (message formats before v2) are gone since Kafka 4.0. 7 permits zstd, 8 answers errors per record, 12
 * adds partitions to a transaction by itself, 13 names topics by id.
 */
export const produceRequest = message({
  name: 'ProduceRequest',
  apiKey: 0,
  versions: '3-13',
  flexible: '9+',
  fields: {
    transactionalId: string({ versions: '3+', nullable: '3+', default: null }),
    /** 0 none, 1 the leader, -1 all in-sync replicas. */
    acks: int16(),
    timeoutMs: int32(),
    topicData: array(
      struct(
        {
          name: string({ versions: '0-12', ignorable: true }),
          topicId: uuid({ versions: '13+', ignorable: true }),
          partitionData: array(
            struct(
              {
                index: int32(),
                records: records({ nullable: '0+' }),
              },
              { read: (take, from) => ({ index: take[0](from), records: take[1](from) }) },
            ),
          ),
        },
        { read: (take, from) => ({ name: take[0](from), topicId: take[1](from), partitionData: take[2](from) }) },
      ),
    ),
  },
  writtenOut: {
    read: (take, from) => ({
      transactionalId: take[0](from),
      acks: take[1](from),
      timeoutMs: take[2](from),
      topicData: take[3](from),
    }),
  },
})
export type ProduceRequest = Infer<typeof produceRequest>

export const produceResponse = message({
  name: 'ProduceResponse',
  apiKey: 0,
  versions: '3-13',
  flexible: '9+',
  fields: {
    responses: array(
      struct(
        {
          name: string({ versions: '0-12', ignorable: true }),
          topicId: uuid({ versions: '13+', ignorable: true }),
          partitionResponses: array(
            struct(
              {
                index: int32(),
                errorCode: int16(),
                baseOffset: int64(),
                logAppendTimeMs: int64({ versions: '2+', default: -1n, ignorable: true }),
                logStartOffset: int64({ versions: '5+', default: -1n, ignorable: true }),
                recordErrors: array(
                  struct({
                    batchIndex: int32({ versions: '8+' }),
                    batchIndexErrorMessage: string({ versions: '8+', nullable: '8+', default: null }),
                  }),
                  { versions: '8+', ignorable: true },
                ),
                errorMessage: string({ versions: '8+', nullable: '8+', default: null, ignorable: true }),
                currentLeader: nested(
                  struct({
                    leaderId: int32({ versions: '10+', default: -1 }),
                    leaderEpoch: int32({ versions: '10+', default: -1 }),
                  }),
                  { versions: '10+', tag: 0 },
                ),
              },
              {
                write: (put, to, value) => {
                  put[0](to, value.index)
                  put[1](to, value.errorCode)
                  put[2](to, value.baseOffset)
                  put[3](to, value.logAppendTimeMs)
                  put[4](to, value.logStartOffset)
                  put[5](to, value.recordErrors)
                  put[6](to, value.errorMessage)
                },
              },
            ),
          ),
        },
        {
          write: (put, to, value) => {
            put[0](to, value.name)
            put[1](to, value.topicId)
            put[2](to, value.partitionResponses)
          },
        },
      ),
    ),
    throttleTimeMs: int32({ versions: '1+', ignorable: true }),
    nodeEndpoints: array(
      struct({
        nodeId: int32({ versions: '10+' }),
        host: string({ versions: '10+' }),
        port: int32({ versions: '10+' }),
        rack: string({ versions: '10+', nullable: '10+', default: null }),
      }),
      { versions: '10+', tag: 0 },
    ),
  },
  writtenOut: {
    write: (put, to, value) => {
      put[0](to, value.responses)
      put[1](to, value.throttleTimeMs)
    },
  },
})
export type ProduceResponse = Infer<typeof produceResponse>
export type ProduceTopicData = ProduceRequest['topicData'][number]
export type ProducePartitionData = ProduceTopicData['partitionData'][number]
export type ProduceTopicResponse = ProduceResponse['responses'][number]
export type ProducePartitionResponse = ProduceTopicResponse['partitionResponses'][number]
