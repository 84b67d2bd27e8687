import type { MaybePromise } from '../../log/maybe-promise.js'
import { apiKey } from '../../protocol/apis.js'
import type { HeartbeatResponse } from '../../protocol/messages/12-heartbeat.js'
import { answering } from './answering.js'
import { apiHandler } from './api-handler.js'

/** Versions 0-4. REBALANCE_IN_PROGRESS counts as heard and tells the member to join again. */
export const heartbeat = apiHandler(
  apiKey.heartbeat,
  '0-4',
  (broker, request): MaybePromise<HeartbeatResponse> =>
    answering<HeartbeatResponse>(
      () => {
        broker.groups.heartbeat(request)
        return { throttleTimeMs: 0, errorCode: 0 }
      },
      (errorCode) => ({ throttleTimeMs: 0, errorCode }),
    ),
)
