import { type ApiKey, apiKey, type RequestOf } from '../protocol/apis.js'

/** What a broker needs to say that the time it was given is over. */
const marginMs = 5_000

/** Milliseconds that a request asks the broker to wait for something to come about; 0 for most. */
export function brokerWaitMs<K extends ApiKey>(key: K, request: RequestOf<K>): number {
  switch (key as ApiKey) {
    case apiKey.fetch:
      return (request as RequestOf<typeof apiKey.fetch>).maxWaitMs
    case apiKey.joinGroup: {
      const { rebalanceTimeoutMs, sessionTimeoutMs } = request as RequestOf<typeof apiKey.joinGroup>
      return Math.max(rebalanceTimeoutMs, sessionTimeoutMs) + marginMs
    }
    default: {
      const { timeoutMs } = request as { timeoutMs?: number }
      return timeoutMs === undefined ? 0 : timeoutMs + marginMs
    }
  }
}

/** Milliseconds to wait for an answer: a fetch's wait comes on top of a broker's usual time, others include it. */
export function answerTimeoutMs<K extends ApiKey>(key: K, request: RequestOf<K>, requestTimeoutMs: number): number {
  const waitMs = brokerWaitMs(key, request)
  return (key as ApiKey) === apiKey.fetch ? requestTimeoutMs + waitMs : Math.max(requestTimeoutMs, waitMs)
}
