import { SeglogError } from '../errors/seglog-error.js'
import type { SendGroup } from './flush-groups.js'
import type { ProducerMessage } from './producer-options.js'

/** Where the records of one send went in one partition. */
export interface RecordMetadata {
  topic: string
  partition: number
  /** Offset of the first record; -1n with acks 0. The others follow it, unless another producer wrote in between. */
  baseOffset: bigint
  count: number
  /** Milliseconds: of the first record, or the broker's where the topic stamps append time. */
  timestamp: number
}

/** As RecordMetadata; `error` is set where these records were not stored (or it is not known that they were). */
export interface SendOutcome extends RecordMetadata {
  error?: SeglogError
}

type Resolve = (results: RecordMetadata[]) => void
type Reject = (error: unknown) => void

let newResolve: Resolve
let newReject: Reject
// One executor for every promise: a closure each would cost more than the rest of a small send.
const capture = (resolve: Resolve, reject: Reject): void => {
  newResolve = resolve
  newReject = reject
}

/** One call of `send` on its way: how far its messages are encoded, and which of its parts are still unanswered. */
export class PendingSend {
  readonly promise: Promise<RecordMetadata[]>
  /** Index of the first message that is in no batch yet. */
  next = 0
  /** Of the first record that was encoded. */
  timestamp = -1
  settled = false
  /** When waiting for room ends, in milliseconds of `performance.now`. */
  deadlineMs = 0
  /** Called when settled. */
  stopListening: (() => void) | null = null
  private readonly resolve: Resolve
  private readonly reject: Reject
  /** Batches that hold records of this send and are not answered. */
  private unanswered = 0
  private encoded = false
  private results: RecordMetadata[] | null = null
  private failures: SendOutcome[] | null = null
  private failure: SeglogError | null = null

  constructor(
    readonly topic: string,
    readonly messages: readonly ProducerMessage[],
    readonly acks: number,
    readonly group: SendGroup,
    private readonly onSettled: (send: PendingSend) => void,
  ) {
    this.promise = new Promise(capture)
    this.resolve = newResolve
    this.reject = newReject
    group.unsettled++
  }

  /** No more of it is to be encoded. */
  get isOver(): boolean {
    return this.encoded
  }

  /** A batch has taken some of its records. */
  addPart(): void {
    this.unanswered++
  }

  /** Every message is in a batch. */
  finishEncoding(): void {
    this.encoded = true
    if (this.unanswered === 0) this.settle()
  }

  /** No more of it will be encoded; what is in batches already still counts. */
  fail(error: SeglogError): void {
    this.failure ??= error
    this.finishEncoding()
  }

  /** Rejects at once, whatever is still on its way. */
  abandon(error: SeglogError): void {
    this.failure ??= error
    this.encoded = true
    this.settle()
  }

  partStored(partition: number, baseOffset: bigint, count: number, appendTimeMs: number): void {
    const timestamp = appendTimeMs >= 0 ? appendTimeMs : this.timestamp
    const result = { topic: this.topic, partition, baseOffset, count, timestamp }
    if (this.results === null) this.results = [result]
    else addTo(this.results, result)
    if (--this.unanswered === 0 && this.encoded) this.settle()
  }

  partFailed(partition: number, count: number, error: SeglogError): void {
    this.failure ??= error
    this.failures ??= []
    addTo(this.failures, { topic: this.topic, partition, baseOffset: -1n, count, timestamp: this.timestamp, error })
    if (--this.unanswered === 0 && this.encoded) this.settle()
  }

  private settle(): void {
    if (this.settled) return
    this.settled = true
    this.stopListening?.()
    if (this.failure === null) this.resolve(this.results ?? [])
    else if (this.results === null && this.failures === null) this.reject(this.failure)
    else this.reject(sendError(this.failure, [...(this.results ?? []), ...(this.failures ?? [])]))
    this.onSettled(this)
  }
}

/** An error of its own for one send (batches share theirs), with the outcome of each part. */
export function sendError(first: SeglogError, results: readonly SendOutcome[]): SeglogError {
  const { retriable, topic, partition, offset, path, position, key } = first
  const place = Object.entries({ topic, partition, offset, path, position, key }).filter(
    ([, value]) => value !== undefined,
  )
  const detail = { retriable, cause: first, results, ...Object.fromEntries(place) }
  return new SeglogError(first.code, first.message, detail)
}

function addTo<T extends RecordMetadata>(results: T[], result: T): void {
  const same = results.find(({ partition }) => partition === result.partition)
  if (same === undefined) {
    results.push(result)
    return
  }
  // Several batches may be answered out of order: the first record has the smallest offset.
  if (result.baseOffset < same.baseOffset) same.baseOffset = result.baseOffset
  same.count += result.count
}
