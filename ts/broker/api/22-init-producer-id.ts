import { apiKey } from '../../protocol/apis.js'
import { withCause } from '../../protocol/cause.js'
import { protocolError } from '../../protocol/errors.js'
import type { InitProducerIdRequest, InitProducerIdResponse } from '../../protocol/messages/22-init-producer-id.js'
import type { BrokerState } from '../broker-state.js'
import { asSeglogError, errorCodeOf } from '../error-codes.js'
import { apiHandler } from './api-handler.js'

/**
 * Versions 0-5. Every idempotent producer gets a fresh id with epoch 0, also one that brings an old id to have its epoch
 * raised: a new id serves as well.
 *
 * Not done: transactional ids (UNSUPPORTED_VERSION says so rather than making the client try again for ever).
 */
export const initProducerId = apiHandler(apiKey.initProducerId, '0-5', async (broker, request) => {
  try {
    return answer(0, BigInt(await newId(broker, request)), 0)
  } catch (thrown) {
    const error = asSeglogError(thrown)
    return withCause(answer(errorCodeOf(error), -1n, -1), error)
  }
})

async function newId(broker: BrokerState, { transactionalId }: InitProducerIdRequest): Promise<number> {
  if (transactionalId === '') throw protocolError('INVALID_REQUEST', 'a transactional id must not be empty')
  if (transactionalId !== null) throw protocolError('UNSUPPORTED_VERSION', 'this broker has no transactions yet')
  return broker.producerIds.next()
}

function answer(errorCode: number, producerId: bigint, producerEpoch: number): InitProducerIdResponse {
  const ongoing = { ongoingTxnProducerId: -1n, ongoingTxnProducerEpoch: -1 }
  return { throttleTimeMs: 0, errorCode, producerId, producerEpoch, ...ongoing }
}
