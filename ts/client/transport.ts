import type { MaybePromise } from '../log/maybe-promise.js'
import type { ApiKey, RequestOf, ResponseOf } from '../protocol/apis.js'

export interface RequestOptions {
  /** Ends the waiting of a fetch early; the answer is then what is there. */
  signal?: AbortSignal
  /** The client's name, for the broker's logs and quotas. */
  clientId?: string | null
}

/**
 * How a client reaches a broker: typed messages go in, typed messages come out. In-process they are handed over as they
 * are, on TCP they are encoded. Requests of one transport take effect in the order they were made.
 */
export interface Transport {
  /** A value at once where the broker could answer from memory. Throws or rejects with a SeglogError. */
  request<K extends ApiKey>(key: K, request: RequestOf<K>, options?: RequestOptions): MaybePromise<ResponseOf<K>>
  /**
   * The broker that leads the partition, by a number of the transport's own: partitions of one number can be asked in
   * one Fetch. In-process always 0.
   */
  nodeOf(topic: string, partition: number): number
  /** Ends the connection to the broker; in-process the broker itself. Idempotent. */
  close(): Promise<void>
}
