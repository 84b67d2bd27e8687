import type { Clock, Logger } from '../log/logger.js'
import type { MaybePromise } from '../log/maybe-promise.js'
import type { ApiKey, RequestOf, ResponseOf } from '../protocol/apis.js'
import type { RequestContext } from './request-context.js'

export interface BrokerOptions {
  /** Broker configs by Kafka's keys (`num.partitions`, `auto.create.topics.enable`, `log.segment.bytes`, ...). */
  config?: Readonly<Record<string, string | number | boolean>>
  logger?: Logger
  /** Read a directory that may be open for writing elsewhere; every write answers READ_ONLY. */
  readOnly?: boolean
  /** Create the directory if it does not exist (default true; never with readOnly). */
  create?: boolean
  /** Gives up opening. */
  signal?: AbortSignal
  clock?: Clock
}

/**
 * A Kafka broker without sockets: a data directory, its topics and partitions, and one handler per API. The in-process
 * transport and the TCP server both call `handle`.
 */
export declare class Broker {
  /**
   * Opens a data directory, or `memory:` for one in memory that is removed on close. Throws DIRECTORY_IN_USE,
   * NOT_A_DIRECTORY, ACCESS_DENIED, UNKNOWN_CONFIG, INVALID_CONFIG, ABORTED.
   */
  static open(target: string, options?: BrokerOptions): Promise<Broker>
  /** The data directory. */
  readonly path: string
  readonly readOnly: boolean
  readonly clusterId: string
  readonly nodeId: number
  /** A disk error took the directory offline: writes fail, reads go on. */
  readonly offline: boolean
  /**
   * Answers one request. Errors of a topic or partition are codes in the response (their full error by `causeOf`);
   * throws CLOSED after close, UNSUPPORTED_VERSION for a version the API does not have.
   *
   * Topics are found by `topicId` where it is not the zero uuid, else by name; responses carry both.
   */
  handle<K extends ApiKey>(key: K, request: RequestOf<K>, context: RequestContext): MaybePromise<ResponseOf<K>>
  /** Wakes waiting fetches with what is there, finishes what runs, closes every log. Idempotent. */
  close(): Promise<void>
}
