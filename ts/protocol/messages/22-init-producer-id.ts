import { bool, type Infer, int16, int32, int64, message, string } from '../schema.js'

/** 3 lets a producer keep its id and raise its epoch; 6 (two-phase commit) is a preview in Kafka 4.3. */
export const initProducerIdRequest = message({
  name: 'InitProducerIdRequest',
  apiKey: 22,
  versions: '0-6',
  lastStable: 5,
  flexible: '2+',
  fields: {
    transactionalId: string({ nullable: '0+' }),
    transactionTimeoutMs: int32(),
    producerId: int64({ versions: '3+', default: -1n }),
    producerEpoch: int16({ versions: '3+', default: -1 }),
    enable2Pc: bool({ versions: '6+' }),
    keepPreparedTxn: bool({ versions: '6+' }),
  },
})
export type InitProducerIdRequest = Infer<typeof initProducerIdRequest>

export const initProducerIdResponse = message({
  name: 'InitProducerIdResponse',
  apiKey: 22,
  versions: '0-6',
  lastStable: 5,
  flexible: '2+',
  fields: {
    throttleTimeMs: int32({ ignorable: true }),
    errorCode: int16(),
    producerId: int64({ default: -1n }),
    producerEpoch: int16(),
    ongoingTxnProducerId: int64({ versions: '6+', default: -1n }),
    ongoingTxnProducerEpoch: int16({ versions: '6+', default: -1 }),
  },
})
export type InitProducerIdResponse = Infer<typeof initProducerIdResponse>
