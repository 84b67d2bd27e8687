import type { MaybePromise } from '../../log/maybe-promise.js'
import { apiKey } from '../../protocol/apis.js'
import type { ConsumerGroupHeartbeatResponse } from '../../protocol/messages/68-consumer-group-heartbeat.js'
import { answering } from './answering.js'
import { apiHandler } from './api-handler.js'

/**
 * Versions 0-1. A member of a group of the consumer protocol (KIP-848) joins, says what it has, is told what it is to have,
 * and leaves; the broker assigns. Answered when what it changes is in the log.
 */
export const consumerGroupHeartbeat = apiHandler(
  apiKey.consumerGroupHeartbeat,
  '0-1',
  (broker, request, context): MaybePromise<ConsumerGroupHeartbeatResponse> =>
    answering(
      () => broker.groups.consumerHeartbeat(request, context),
      (errorCode, { message }): ConsumerGroupHeartbeatResponse => ({
        throttleTimeMs: 0,
        errorCode,
        errorMessage: message,
        memberId: null,
        memberEpoch: 0,
        heartbeatIntervalMs: 0,
        assignment: null,
      }),
    ),
)
