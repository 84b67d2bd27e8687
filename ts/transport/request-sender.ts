import type { ApiKey, RequestOf, ResponseOf } from '../protocol/apis.js'
import type { Pauses } from './pauses.js'
import { type Attempt, type Call, repeated } from './repeated-call.js'
import { isRepeatable, laneOf } from './request-routes.js'
import { answerTimeoutMs } from './request-waits.js'
import type { TcpBroker } from './tcp-broker.js'
import type { TcpSettings } from './tcp-settings.js'

/** Takes requests to brokers that were chosen for them, and makes them again where that is right. */
export class RequestSender {
  constructor(
    private readonly settings: TcpSettings,
    private readonly pauses: Pauses,
  ) {}

  /** One attempt, on the connection that is for such requests. */
  send<K extends ApiKey>(
    broker: TcpBroker,
    key: K,
    request: RequestOf<K>,
    { clientId, deadlineMs, signal }: Call,
  ): Promise<ResponseOf<K>> {
    const leftMs = Math.max(1, deadlineMs - performance.now())
    const timeoutMs = Math.min(leftMs, answerTimeoutMs(key, request, this.settings.requestTimeout))
    return broker.request(laneOf(key), key, request, clientId, timeoutMs, signal)
  }

  /** As many attempts as the call has time for. */
  repeated<T>(key: ApiKey, call: Call, attempt: () => Promise<Attempt<T>>): Promise<T> {
    return repeated(call, this.settings.backOff, this.pauses, isRepeatable(key), attempt)
  }
}
