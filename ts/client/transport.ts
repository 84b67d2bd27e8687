import type { MaybePromise } from '../log/maybe-promise.js'
import type { ApiKey, RequestOf, ResponseOf } from '../protocol/apis.js'
import type { PartitionLag } from './admin-group-options.js'
import type { BackOffTimes } from './back-off.js'

export interface RequestOptions {
  /** Ends the waiting of a fetch early; the answer is then what is there. Any other request rejects with ABORTED. */
  signal?: AbortSignal
  /** The client's name, for the broker's logs and quotas. */
  clientId?: string | null
  /** Milliseconds for the request with all its attempts (default: the transport's own). In-process nothing counts them. */
  timeoutMs?: number
}

/**
 * How a client reaches a broker: typed messages go in, typed messages come out. In-process they are handed over as they
 * are, on TCP they are encoded. Requests and answers have the shape of the newest version, and name topics by name.
 * In-process requests take effect in the order they were made; over TCP those of one kind to one broker do.
 */
export interface Transport {
  /** There is a network between: answers take a while, connections are lost, leaders move. */
  readonly isRemote: boolean
  /** The pauses between attempts over a network. */
  readonly backOff: BackOffTimes
  /** A value at once where the broker could answer from memory. Throws or rejects with a SeglogError. */
  request<K extends ApiKey>(key: K, request: RequestOf<K>, options?: RequestOptions): MaybePromise<ResponseOf<K>>
  /**
   * The broker that leads the partition, by a number of the transport's own: partitions of one number can be asked in
   * one Fetch or Produce. In-process always 0; -1 where it is not known yet, and the next such request finds it out.
   */
  nodeOf(topic: string, partition: number): number
  /**
   * How far a group is behind, all of it seen in one moment: only a broker in this process can tell. Rejects with
   * GROUP_ID_NOT_FOUND.
   */
  groupLag?(groupId: string): Promise<PartitionLag[]>
  /** Ends the connection to the broker; in-process the broker itself. Idempotent. */
  close(): Promise<void>
}
