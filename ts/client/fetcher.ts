import { SeglogError } from '../errors/seglog-error.js'
import { isPromise } from '../log/maybe-promise.js'
import { apiKey, type RequestOf, type ResponseOf } from '../protocol/apis.js'
import { inMemory } from '../protocol/file-region.js'
import { batchLengthEnd, headerAt } from '../records/batch-header.js'
import type { AssignedPartition } from './assigned-partition.js'
import { backOffMs } from './back-off.js'
import type { ReadOptions } from './consumer-options.js'
import { errorOf } from './response-error.js'
import { asSeglogError } from './settle-errors.js'
import type { Transport } from './transport.js'

type FetchResponse = ResponseOf<typeof apiKey.fetch>
type FetchRequest = RequestOf<typeof apiKey.fetch>
type FetchedPart = FetchResponse['responses'][number]['partitions'][number]

interface Asked {
  readonly partition: AssignedPartition
  readonly generation: number
}

/** A request under way. */
interface Flight {
  readonly asked: readonly Asked[]
  /** Ends its wait; null for one that does not wait. */
  readonly controller: AbortController | null
}

/** Something that the loop waits for. */
interface Change {
  readonly promise: Promise<void>
  readonly resolve: () => void
}

const noEpoch = -1
const emptyAnswerPauseMs = 10
/** Milliseconds after which a topic that brokers do not know is believed to be gone. */
const unknownTopicMs = 10_000

const unknownTopic = new Set(['UNKNOWN_TOPIC_OR_PARTITION', 'UNKNOWN_TOPIC_ID', 'INCONSISTENT_TOPIC_ID'])

/**
 * Brings records: one request at a time to each broker, for every partition it leads that has nothing left. What comes is
 * put into the partitions, those that got something into `ready`, in the order it came. Over a network a partition whose
 * fetch failed for a reason that passes rests for a while and is asked for again; the loop hears of the rest.
 */
export class Fetcher {
  readonly ready: AssignedPartition[] = []
  /** By node: what is asked of it. */
  private readonly flights = new Map<number, Flight>()
  private readonly resting = new Set<NodeJS.Timeout>()
  private change: Change | null = null
  /** Where the next request begins, so that no partition starves behind a full `maxBytes`. */
  private turn = 0

  constructor(
    private readonly transport: Transport,
    private readonly options: ReadOptions,
    private readonly partitions: () => readonly AssignedPartition[],
    /** A position has left the log of a partition that says where to go then. */
    private readonly onOutOfRange: (partition: AssignedPartition) => void,
    /** Its topic is not there any more, or is another of that name; false if the loop is to hear of it. */
    private readonly onGone: (partition: AssignedPartition, error: SeglogError) => boolean = () => false,
  ) {}

  /** Takes what memory can give at once; over a network there is nothing of the kind. */
  takeNow(): void {
    if (!this.transport.isRemote) this.fetch(0)
  }

  /** Asks for what is there now, without waiting for more. */
  prefetch(): void {
    this.fetch(0)
  }

  /** Resolves when something may have changed: records or errors came, a wait ended, or `interrupt` was called. */
  async wait(): Promise<void> {
    const { maxWaitTimeInMs } = this.options
    const readyBefore = this.ready.length
    const hasAsked = this.fetch(
      this.transport.isRemote ? Math.max(maxWaitTimeInMs, emptyAnswerPauseMs) : maxWaitTimeInMs,
    )
    if (this.ready.length > readyBefore) return
    if (this.flights.size > 0) return this.nextChange()
    // Nothing to ask for, or an answer without waiting: neither may turn into a loop without a pause.
    const timer = hasAsked ? setTimeout(() => this.noteChange(), emptyAnswerPauseMs) : undefined
    await this.nextChange()
    clearTimeout(timer)
  }

  /** Ends waits that are in the way of another partition or position to ask for. */
  interrupt(): void {
    for (const [node, { asked, controller }] of this.flights) {
      if (controller !== null && (asked.some(isVoid) || this.isWanted(node))) controller.abort()
    }
    this.noteChange()
  }

  /** Ends every wait: nothing is wanted any more. */
  stop(): void {
    for (const { controller } of this.flights.values()) controller?.abort()
    for (const timer of this.resting) clearTimeout(timer)
    this.resting.clear()
    this.noteChange()
  }

  /** Has an error thrown by the loop that comes to the partition. */
  give(partition: AssignedPartition, error: SeglogError): void {
    if (unknownTopic.has(error.code) && this.onGone(partition, error)) return
    partition.error = error
    this.ready.push(partition)
    this.noteChange()
  }

  /** Asks brokers that are asked nothing at the moment; false if no partition needs anything of them. */
  private fetch(maxWaitMs: number): boolean {
    const wanted = new Map<number, Asked[]>()
    for (const partition of this.rotated()) {
      if (!partition.isHungry) continue
      const node = this.transport.nodeOf(partition.topic, partition.partition)
      if (this.flights.has(node)) continue
      const asked = wanted.get(node)
      if (asked === undefined) wanted.set(node, [{ partition, generation: partition.generation }])
      else asked.push({ partition, generation: partition.generation })
    }
    for (const [node, asked] of wanted) this.ask(node, asked, maxWaitMs)
    return wanted.size > 0
  }

  private ask(node: number, asked: readonly Asked[], maxWaitMs: number): void {
    const controller = maxWaitMs > 0 ? new AbortController() : null
    try {
      const request = this.requestFor(asked, maxWaitMs)
      const signal = controller?.signal
      const response = this.transport.request(apiKey.fetch, request, { clientId: this.options.clientId, signal })
      if (!isPromise(response)) {
        this.take(asked, response)
        return
      }
      this.flights.set(node, { asked, controller })
      const settled = response.then(
        (late) => this.take(asked, late),
        (error) => this.fail(asked, error),
      )
      settled.then(() => {
        this.flights.delete(node)
        this.noteChange()
      })
    } catch (error) {
      this.fail(asked, error)
    }
  }

  /** True if a partition of the node could be asked for, and is not. */
  private isWanted(node: number): boolean {
    const asked = this.flights.get(node)?.asked ?? []
    return this.partitions().some((partition) => {
      if (!partition.isHungry || asked.some((one) => one.partition === partition)) return false
      return this.transport.nodeOf(partition.topic, partition.partition) === node
    })
  }

  private rotated(): readonly AssignedPartition[] {
    const partitions = this.partitions()
    if (partitions.length < 2) return partitions
    this.turn = (this.turn + 1) % partitions.length
    return [...partitions.slice(this.turn), ...partitions.slice(0, this.turn)]
  }

  private requestFor(asked: readonly Asked[], maxWaitMs: number): FetchRequest {
    const { minBytes, maxBytes, maxBytesPerPartition: partitionMaxBytes } = this.options
    const { isRemote } = this.transport
    const topics = asked.map(({ partition }) => ({
      topic: partition.topic,
      topicId: partition.topicId,
      partitions: [
        {
          partition: partition.partition,
          currentLeaderEpoch: noEpoch,
          fetchOffset: BigInt(partition.fetchOffset),
          // In-process no other log can have taken the place of the one that was read.
          lastFetchedEpoch: isRemote ? partition.lastFetchedEpoch : noEpoch,
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
      const part = response.responses[index]?.partitions[0]
      if (part !== undefined && !isVoid(asked[index])) this.takePart(asked[index].partition, part)
    }
  }

  private takePart(partition: AssignedPartition, part: FetchedPart): void {
    const { topic, partition: number, fetchOffset } = partition
    const error = errorOf(part, { topic, partition: number, offset: BigInt(fetchOffset) })
    if (error?.code === 'OFFSET_OUT_OF_RANGE' && partition.reset !== 'error') this.onOutOfRange(partition)
    else if (error !== null) this.trouble(partition, error)
    else if ((part.divergingEpoch?.endOffset ?? -1n) >= 0n) this.diverged(partition, part.divergingEpoch!)
    else {
      partition.failures = 0
      const fetched = bytesOf(inMemory(part.records))
      if (fetched === null) return
      if (isCut(fetched)) {
        this.give(partition, tooLarge(partition, fetched))
        return
      }
      partition.fetched = fetched
      this.ready.push(partition)
    }
  }

  private fail(asked: readonly Asked[], thrown: unknown): void {
    const error = asSeglogError(thrown)
    for (const one of asked) if (!isVoid(one)) this.trouble(one.partition, error)
  }

  private trouble(partition: AssignedPartition, error: SeglogError): void {
    // What the broker finds damaged stays so.
    const mayPass = this.transport.isRemote && error.retriable && error.code !== 'CORRUPT_MESSAGE'
    if (!mayPass) {
      this.give(partition, error)
      return
    }
    const nowMs = performance.now()
    if (partition.failures === 0) partition.failingSinceMs = nowMs
    partition.failures++
    if (unknownTopic.has(error.code) && nowMs > partition.failingSinceMs + unknownTopicMs) {
      partition.failures = 0
      this.give(partition, error)
      return
    }
    this.rest(partition, backOffMs(this.transport.backOff, partition.failures))
  }

  private rest(partition: AssignedPartition, ms: number): void {
    partition.resting = true
    const timer = setTimeout(() => {
      this.resting.delete(timer)
      partition.resting = false
      this.interrupt()
    }, ms)
    this.resting.add(timer)
  }

  /** Records that were read are no longer in the log: others stand at their offsets, or none (KIP-320). */
  private diverged(partition: AssignedPartition, end: { epoch: number; endOffset: bigint }): void {
    const endOffset = Number(end.endOffset)
    if (partition.reset === 'error') this.give(partition, truncated(partition, end.epoch, endOffset))
    else partition.moveTo(Math.min(partition.position, endOffset))
  }

  private nextChange(): Promise<void> {
    this.change ??= newChange()
    return this.change.promise
  }

  private noteChange(): void {
    const { change } = this
    this.change = null
    change?.resolve()
  }
}

function isVoid({ partition, generation }: Asked): boolean {
  return partition.generation !== generation
}

function newChange(): Change {
  let resolve: () => void
  const promise = new Promise<void>((done) => {
    resolve = done
  })
  return { promise, resolve: resolve! }
}

function bytesOf(records: Uint8Array | readonly Uint8Array[] | null): Buffer | null {
  if (records === null || records.length === 0) return null
  if (!(records instanceof Uint8Array)) return Buffer.concat(records)
  return Buffer.isBuffer(records) ? records : Buffer.from(records.buffer, records.byteOffset, records.length)
}

/** Not even the first batch is whole. Brokers since Kafka 0.10.1 give it whole, whatever its size. */
function isCut(fetched: Buffer): boolean {
  return fetched.length < batchLengthEnd || sizeOf(fetched) > fetched.length
}

function sizeOf(fetched: Buffer): number {
  return fetched.readInt32BE(headerAt.batchLength) + batchLengthEnd
}

function tooLarge({ topic, partition, fetchOffset }: AssignedPartition, fetched: Buffer): SeglogError {
  const size = fetched.length < batchLengthEnd ? '' : ` of ${sizeOf(fetched)} bytes`
  const message = `the batch${size} at offset ${fetchOffset} of ${topic}-${partition} does not fit: raise maxBytesPerPartition`
  return new SeglogError('MESSAGE_TOO_LARGE', message, { topic, partition, offset: BigInt(fetchOffset) })
}

function truncated({ topic, partition, position }: AssignedPartition, epoch: number, endOffset: number): SeglogError {
  const message =
    `${topic}-${partition} has lost records that were read: its log parts from them at offset ${endOffset} ` +
    `(epoch ${epoch}), and the position is ${position}; seek to an offset from there on, or set autoOffsetReset`
  return new SeglogError('LOG_TRUNCATED', message, { topic, partition, offset: BigInt(endOffset) })
}
