import type { SeglogError } from '../errors/seglog-error.js'
import { isPromise } from '../log/maybe-promise.js'
import { apiKey, type RequestOf, type ResponseOf } from '../protocol/apis.js'
import { inMemory } from '../protocol/file-region.js'
import type { AssignedPartition } from './assigned-partition.js'
import type { ReadOptions } from './consumer-options.js'
import { errorOf } from './response-error.js'
import { asSeglogError } from './settle-errors.js'
import type { Transport } from './transport.js'

type FetchResponse = ResponseOf<typeof apiKey.fetch>
type FetchRequest = RequestOf<typeof apiKey.fetch>

interface Asked {
  readonly partition: AssignedPartition
  readonly generation: number
}

const noEpoch = -1
const emptyAnswerPauseMs = 10

/**
 * Brings records: one request at a time, for every partition that has nothing left. What comes is put into the
 * partitions, those that got something into `ready`, in the order it came.
 */
export class Fetcher {
  readonly ready: AssignedPartition[] = []
  private running: Promise<void> | null = null
  private controller: AbortController | null = null
  /** What waits without a request that runs. */
  private readonly sleepers = new Set<() => void>()
  /** Where the next request begins, so that no partition starves behind a full `maxBytes`. */
  private turn = 0

  constructor(
    private readonly transport: Transport,
    private readonly options: ReadOptions,
    private readonly partitions: () => readonly AssignedPartition[],
    /** A position has left the log of a partition that says where to go then. */
    private readonly onOutOfRange: (partition: AssignedPartition) => void,
  ) {}

  /** Asks for what is there now, without waiting for more. */
  prefetch(): void {
    if (this.running === null) this.fetch(0)
  }

  /** Resolves when something may have changed: records or errors came, the wait ended, or `interrupt` was called. */
  async wait(): Promise<void> {
    const readyBefore = this.ready.length
    const hasAsked = this.running !== null || this.fetch(this.options.maxWaitTimeInMs)
    if (this.running !== null) return this.running
    if (this.ready.length > readyBefore) return
    // Nothing to ask for, or an answer without waiting: neither may turn into a loop without a pause.
    await new Promise<void>((resolve) => {
      const timer = hasAsked ? setTimeout(() => wake(), emptyAnswerPauseMs) : undefined
      const wake = () => {
        clearTimeout(timer)
        this.sleepers.delete(wake)
        resolve()
      }
      this.sleepers.add(wake)
    })
  }

  /** Ends the running wait, because there is another partition or position to ask for. */
  interrupt(): void {
    this.controller?.abort()
    this.wakeSleepers()
  }

  private wakeSleepers(): void {
    for (const wake of this.sleepers) wake()
  }

  /** False if no partition needs anything. */
  private fetch(maxWaitMs: number): boolean {
    const asked: Asked[] = []
    for (const partition of this.rotated()) {
      if (partition.isHungry) asked.push({ partition, generation: partition.generation })
    }
    if (asked.length === 0) return false
    const controller = maxWaitMs > 0 ? new AbortController() : null
    try {
      const request = this.requestFor(asked, maxWaitMs)
      const signal = controller?.signal
      const response = this.transport.request(apiKey.fetch, request, { clientId: this.options.clientId, signal })
      if (!isPromise(response)) {
        this.take(asked, response)
        return true
      }
      this.controller = controller
      const settled = response.then(
        (late) => this.take(asked, late),
        (error) => this.fail(asked, error),
      )
      this.running = settled.then(() => {
        this.running = null
        this.controller = null
        this.wakeSleepers()
      })
    } catch (error) {
      this.fail(asked, error)
    }
    return true
  }

  private rotated(): readonly AssignedPartition[] {
    const partitions = this.partitions()
    if (partitions.length < 2) return partitions
    this.turn = (this.turn + 1) % partitions.length
    return [...partitions.slice(this.turn), ...partitions.slice(0, this.turn)]
  }

  private requestFor(asked: readonly Asked[], maxWaitMs: number): FetchRequest {
    const { minBytes, maxBytes, maxBytesPerPartition: partitionMaxBytes } = this.options
    const topics = asked.map(({ partition }) => ({
      topic: partition.topic,
      topicId: partition.topicId,
      partitions: [
        {
          partition: partition.partition,
          currentLeaderEpoch: noEpoch,
          fetchOffset: BigInt(partition.fetchOffset),
          lastFetchedEpoch: noEpoch,
          logStartOffset: -1n,
          partitionMaxBytes,
        },
      ],
    }))
    return {
      replicaId: -1,
      maxWaitMs,
      minBytes,
      maxBytes,
      isolationLevel: 0,
      sessionId: 0,
      sessionEpoch: -1,
      topics,
      forgottenTopicsData: [],
      rackId: this.options.rackId,
    }
  }

  /** The answer keeps the order of the request: one partition per topic entry. */
  private take(asked: readonly Asked[], response: FetchResponse): void {
    for (let index = 0; index < asked.length; index++) {
      const { partition, generation } = asked[index]
      const part = response.responses[index]?.partitions[0]
      if (part === undefined || partition.generation !== generation) continue
      const { topic, partition: number, fetchOffset } = partition
      const error = errorOf(part, { topic, partition: number, offset: BigInt(fetchOffset) })
      if (error?.code === 'OFFSET_OUT_OF_RANGE' && partition.reset !== 'error') this.onOutOfRange(partition)
      else if (error !== null) this.give(partition, error)
      else {
        partition.fetched = bytesOf(inMemory(part.records))
        if (partition.fetched !== null) this.ready.push(partition)
      }
    }
  }

  private fail(asked: readonly Asked[], error: unknown): void {
    for (const { partition, generation } of asked) {
      if (partition.generation !== generation) continue
      this.give(partition, asSeglogError(error))
    }
  }

  /** Has an error thrown by the loop that comes to the partition. */
  give(partition: AssignedPartition, error: SeglogError): void {
    partition.error = error
    this.ready.push(partition)
  }
}

function bytesOf(records: Uint8Array | readonly Uint8Array[] | null): Buffer | null {
  if (records === null || records.length === 0) return null
  if (!(records instanceof Uint8Array)) return Buffer.concat(records)
  return Buffer.isBuffer(records) ? records : Buffer.from(records.buffer, records.byteOffset, records.length)
}
