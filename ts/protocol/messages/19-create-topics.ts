import { array, bool, each, type Infer, int8, int16, int32, message, string, struct, uuid } from '../schema.js'

/** 4 takes -1 for the broker's own partition count and replication factor, 5 answers the configs, 7 the topic id. */
export const createTopicsRequest = message({
  name: 'CreateTopicsRequest',
  apiKey: 19,
  versions: '2-7',
  flexible: '5+',
  fields: {
    topics: array(
      struct({
        name: string(),
        numPartitions: int32(),
        replicationFactor: int16(),
        assignments: array(
          struct({
            partitionIndex: int32(),
            brokerIds: array(each.int32),
          }),
        ),
        configs: array(
          struct({
            name: string(),
            value: string({ nullable: '0+' }),
          }),
        ),
      }),
    ),
    timeoutMs: int32({ default: 60_000 }),
    validateOnly: bool({ versions: '1+' }),
  },
})
export type CreateTopicsRequest = Infer<typeof createTopicsRequest>

export const createTopicsResponse = message({
  name: 'CreateTopicsResponse',
  apiKey: 19,
  versions: '2-7',
  flexible: '5+',
  fields: {
    throttleTimeMs: int32({ versions: '2+', ignorable: true }),
    topics: array(
      struct({
        name: string(),
        topicId: uuid({ versions: '7+', ignorable: true }),
        errorCode: int16(),
        errorMessage: string({ versions: '1+', nullable: '0+', ignorable: true }),
        topicConfigErrorCode: int16({ versions: '5+', tag: 0, ignorable: true }),
        numPartitions: int32({ versions: '5+', default: -1, ignorable: true }),
        replicationFactor: int16({ versions: '5+', default: -1, ignorable: true }),
        configs: array(
          struct({
            name: string({ versions: '5+' }),
            value: string({ versions: '5+', nullable: '5+' }),
            readOnly: bool({ versions: '5+' }),
            configSource: int8({ versions: '5+', default: -1, ignorable: true }),
            isSensitive: bool({ versions: '5+' }),
          }),
          { versions: '5+', nullable: '5+', ignorable: true },
        ),
      }),
    ),
  },
})
export type CreateTopicsResponse = Infer<typeof createTopicsResponse>
export type CreatableTopic = CreateTopicsRequest['topics'][number]
export type CreatableTopicResult = CreateTopicsResponse['topics'][number]
