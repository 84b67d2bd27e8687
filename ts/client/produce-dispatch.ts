import { SeglogError } from '../errors/seglog-error.js'
import { apiKey, type RequestOf, type ResponseOf } from '../protocol/apis.js'
import { zeroUuid } from '../protocol/uuid.js'
import { backOffMs } from './back-off.js'
import { PartitionLine, rememberedBatches } from './partition-line.js'
import type { PartitionQueue } from './partition-queue.js'
import type { ProduceBatch } from './produce-batch.js'
import type { SendOptions } from './producer-options.js'
import { ProducerSessions } from './producer-sessions.js'
import { errorOf } from './response-error.js'
import { asSeglogError } from './settle-errors.js'
import type { Transport } from './transport.js'

/** What becomes of batches. */
export interface DispatchHost {
  stored(batch: ProduceBatch, baseOffset: bigint, appendTimeMs: number): void
  failed(batch: ProduceBatch, error: SeglogError): void
  /** Halves of a batch that was refused for its size or company; null where that would not help. */
  divide(batch: ProduceBatch, error: SeglogError): Division | null
  /** Batches were answered. */
  progressed(): void
}

/** Two batches with the records of one, whose bytes are there once `ready` has resolved. */
export interface Division {
  readonly halves: readonly ProduceBatch[]
  readonly ready: Promise<void>
}

type ProduceRequest = RequestOf<typeof apiKey.produce>
type ProduceResponse = ResponseOf<typeof apiKey.produce>
type PartitionAnswer = ProduceResponse['responses'][number]['partitionResponses'][number]

/** One request being put together: at most one batch of each partition. */
interface Parcel {
  readonly node: number
  readonly acks: number
  readonly batches: ProduceBatch[]
  bytes: number
}

const requestsMax = 5
/** Bytes of batches in one request; a larger batch has one to itself. */
const parcelBytesMax = 1024 * 1024
/** Milliseconds after which a topic that brokers do not know is believed to be gone. */
const unknownTopicMs = 10_000

const refusedOrder = new Set(['OUT_OF_ORDER_SEQUENCE_NUMBER', 'UNKNOWN_PRODUCER_ID', 'INVALID_PRODUCER_EPOCH'])
const unknownTopic = new Set(['UNKNOWN_TOPIC_OR_PARTITION', 'UNKNOWN_TOPIC_ID', 'INCONSISTENT_TOPIC_ID'])

/**
 * Takes batches to the leaders of their partitions over a network. Batches of several partitions of one leader share a
 * request; a partition has up to five batches under way, in order. What fails for reasons that pass (a lost connection, a
 * leader that moved) is sent again after a pause, until `deliveryTimeout`; an idempotent producer's batches are then
 * stored once and in order all the same.
 */
export class ProduceDispatch {
  private readonly lines = new Map<PartitionQueue, PartitionLine>()
  /** Lines with batches that wait, the longest unserved first. */
  private readonly active = new Set<PartitionLine>()
  private readonly requests = new Map<number, number>()
  private sessions: ProducerSessions | null
  /** When a session may be asked for again. */
  private sessionRestsUntilMs = 0
  private sessionFailures = 0
  private sessionFailure: SeglogError | null = null
  private drainQueued = false
  private timer: NodeJS.Timeout | null = null

  constructor(
    private readonly transport: Transport,
    private readonly options: SendOptions,
    private readonly host: DispatchHost,
  ) {
    this.sessions = options.idempotent ? new ProducerSessions(transport) : null
  }

  /** A batch whose bytes are complete but for its numbers. It leaves at the end of this turn, or when it may. */
  add(batch: ProduceBatch): void {
    batch.deadlineMs = performance.now() + this.options.deliveryTimeout
    this.queue(batch)
    this.queueDrain()
  }

  private queue(batch: ProduceBatch): void {
    let line = this.lines.get(batch.queue)
    if (line === undefined) {
      line = new PartitionLine(batch.queue)
      this.lines.set(batch.queue, line)
    }
    line.add(batch)
    this.active.add(line)
  }

  private queueDrain(): void {
    if (this.drainQueued) return
    this.drainQueued = true
    queueMicrotask(this.drain)
  }

  /** Sends what may leave. */
  private readonly drain = (): void => {
    this.drainQueued = false
    const nowMs = performance.now()
    const parcels = new Map<number, Parcel[]>()
    for (const line of [...this.active]) {
      this.expire(line, nowMs)
      if (this.load(line, parcels, nowMs) && line.waiting.length > 0) {
        // Who was served stands behind the others the next time.
        this.active.delete(line)
        this.active.add(line)
      }
      if (line.waiting.length === 0) this.active.delete(line)
    }
    for (const ofNode of parcels.values()) for (const parcel of ofNode) this.send(parcel)
    this.schedule(nowMs)
  }

  /** Puts a line's batches into parcels as far as they may leave; true if one did. */
  private load(line: PartitionLine, parcels: Map<number, Parcel[]>, nowMs: number): boolean {
    const { topic, partition } = line.queue
    const node = this.transport.nodeOf(topic, partition)
    const most = node < 0 ? 1 : rememberedBatches // a leader that is yet to be found gets one
    let hasLoaded = false
    for (let from = 0; line.waiting.length > 0 && line.inFlight.length < most; from++) {
      if (line.isBlocked || nowMs < line.restsUntilMs || line.waiting[0].bytes === null) break
      // The old leader must have answered what it got: two of them would not keep the order.
      if (line.inFlight.length > 0 && line.node !== node) break
      if (line.isTooFarAhead || !this.number(line, nowMs)) break
      const { acks, bytes } = line.waiting[0]
      const at = this.parcelFor(parcels, node, acks, bytes!.length, from)
      if (at < 0) break
      const parcel = parcels.get(node)![at]
      parcel.batches.push(line.depart(node))
      parcel.bytes += bytes!.length
      hasLoaded = true
      from = at
    }
    return hasLoaded
  }

  /** Index of a parcel to the node, from `from` on, that has room; of a new one where none has; -1 where no more may leave. */
  private parcelFor(parcels: Map<number, Parcel[]>, node: number, acks: number, bytes: number, from: number): number {
    let ofNode = parcels.get(node)
    if (ofNode === undefined) {
      ofNode = []
      parcels.set(node, ofNode)
    }
    for (let at = from; at < ofNode.length; at++) {
      if (ofNode[at].acks === acks && ofNode[at].bytes + bytes <= parcelBytesMax) return at
    }
    if ((this.requests.get(node) ?? 0) + ofNode.length >= requestsMax) return -1
    ofNode.push({ node, acks, batches: [], bytes: 0 })
    return ofNode.length - 1
  }

  /** Sees to the number of the line's first batch; false while that has to be waited for. */
  private number(line: PartitionLine, nowMs: number): boolean {
    const { sessions } = this
    // Batches of fewer acks are not numbered: nobody would tell what became of them.
    if (sessions === null || line.waiting[0].acks !== -1) return true
    if (sessions.current !== null) line.number(sessions)
    if (sessions.current !== null) return true
    if (nowMs >= this.sessionRestsUntilMs) sessions.ask((error) => this.sessionAnswered(error))
    return false
  }

  private sessionAnswered(thrown: unknown): void {
    if (thrown === null) {
      this.sessionFailures = 0
      this.sessionFailure = null
    } else {
      const error = asSeglogError(thrown)
      this.sessionFailure = error
      this.sessionRestsUntilMs = performance.now() + backOffMs(this.transport.backOff, ++this.sessionFailures)
      // A broker that knows no producer ids serves all the same, unless they were asked for.
      if (error.code === 'UNSUPPORTED' && !this.options.mustBeIdempotent) this.sessions = null
      else if (!error.retriable) this.failNumbered(error)
    }
    this.drain()
    this.host.progressed()
  }

  private failNumbered(error: SeglogError): void {
    for (const line of this.active) {
      for (const batch of line.waiting.splice(0)) {
        if (batch.acks === -1) this.host.failed(batch, error)
        else line.waiting.push(batch)
      }
    }
  }

  private send(parcel: Parcel): void {
    const { node } = parcel
    this.requests.set(node, (this.requests.get(node) ?? 0) + 1)
    const settle = (settled: () => void) => {
      const left = this.requests.get(node)! - 1
      if (left === 0) this.requests.delete(node)
      else this.requests.set(node, left)
      settled()
      this.drain()
      this.host.progressed()
    }
    const { clientId, timeout } = this.options
    const answer = Promise.resolve(this.transport.request(apiKey.produce, requestOf(parcel, timeout), { clientId }))
    answer.then(
      (response) => settle(() => this.read(parcel, response)),
      (error) => settle(() => this.lose(parcel, asSeglogError(error))),
    )
  }

  private read(parcel: Parcel, response: ProduceResponse): void {
    const answers = new Map<string, PartitionAnswer>()
    for (const { name, partitionResponses } of response.responses) {
      for (const part of partitionResponses) answers.set(`${part.index} ${name}`, part)
    }
    for (const batch of parcel.batches) {
      const { topic, partition } = batch.queue
      const part = answers.get(`${partition} ${topic}`)
      if (part === undefined) this.failed(batch, new SeglogError('UNKNOWN_SERVER_ERROR', 'an answer without it'), true)
      else this.answered(batch, part)
    }
  }

  private answered(batch: ProduceBatch, part: PartitionAnswer): void {
    const line = this.lines.get(batch.queue)!
    const { topic, partition } = batch.queue
    const error = errorOf(part, { topic, partition })
    // What was stored before is stored.
    if (error !== null && error.code !== 'DUPLICATE_SEQUENCE_NUMBER') {
      this.failed(batch, error, true)
      return
    }
    line.arrived(batch)
    line.stored(batch)
    line.unknownSinceMs = 0
    this.host.stored(batch, part.baseOffset, Number(part.logAppendTimeMs))
  }

  /** Nobody knows what became of a request. */
  private lose(parcel: Parcel, error: SeglogError): void {
    for (const batch of parcel.batches) this.failed(batch, placed(error, batch.queue), false)
  }

  /** `isRefused`: the broker said so, hence the batch was not stored. */
  private failed(batch: ProduceBatch, error: SeglogError, isRefused: boolean): void {
    const line = this.lines.get(batch.queue)!
    line.arrived(batch)
    const nowMs = performance.now()
    if (batch.session !== null && refusedOrder.has(error.code)) {
      if (line.isFirst(batch)) line.breakOff()
      this.again(line, batch, error, batch.attempts > 2 ? nowMs : null)
      return
    }
    const division = isRefused ? this.host.divide(batch, error) : null
    if (division !== null) {
      this.awaitHalves(line, division)
      return
    }
    if (error.retriable && this.isWorthwhile(line, batch, error, nowMs)) {
      this.again(line, batch, error, nowMs)
      return
    }
    if (batch.session !== null && isRefused) line.breakOff()
    this.host.failed(batch, error)
  }

  /** The halves take the place of the whole; what stands behind them waits until they can leave. */
  private awaitHalves(line: PartitionLine, { halves, ready }: Division): void {
    for (const half of halves) this.queue(half)
    ready.then(
      () => this.drain(),
      (thrown) => {
        for (const half of halves) {
          line.remove(half)
          if (half.session !== null) line.breakOff()
          this.host.failed(half, asSeglogError(thrown))
        }
        this.drain()
        this.host.progressed()
      },
    )
  }

  private isWorthwhile(line: PartitionLine, batch: ProduceBatch, error: SeglogError, nowMs: number): boolean {
    if (batch.attempts > this.options.retries || nowMs >= batch.deadlineMs) return false
    if (!unknownTopic.has(error.code)) {
      line.unknownSinceMs = 0
      return true
    }
    if (line.unknownSinceMs === 0) line.unknownSinceMs = nowMs
    if (nowMs < line.unknownSinceMs + unknownTopicMs) return true
    line.unknownSinceMs = 0
    return false
  }

  /** The batch takes its place again; with `nowMs` its line rests for a while. */
  private again(line: PartitionLine, batch: ProduceBatch, error: SeglogError, nowMs: number | null): void {
    batch.failure = error
    line.add(batch)
    this.active.add(line)
    if (nowMs !== null)
      line.restsUntilMs = Math.max(line.restsUntilMs, nowMs + backOffMs(this.transport.backOff, batch.attempts))
  }

  /** Fails those that waited too long. Whether those that were sent are stored is not known. */
  private expire(line: PartitionLine, nowMs: number): void {
    while (line.waiting.length > 0 && line.waiting[0].deadlineMs <= nowMs) {
      const batch = line.waiting.shift()!
      const { topic, partition } = batch.queue
      const cause = batch.failure ?? this.sessionFailure
      const sent = batch.attempts === 0 ? 'it was not sent' : `sent ${batch.attempts} times, it may be stored or not`
      const last = cause === null ? '' : `; the last failure was: ${cause.message}`
      const within = `within ${this.options.deliveryTimeout} ms`
      const message = `a batch for ${topic}-${partition} was not acknowledged ${within} (${sent})${last}`
      this.host.failed(batch, new SeglogError('TIMED_OUT', message, { retriable: true, cause, topic, partition }))
    }
  }

  /** Wakes up when the first batch that waits may leave, or must fail; `nowMs` is when they were looked at. */
  private schedule(nowMs: number): void {
    if (this.timer !== null) clearTimeout(this.timer)
    this.timer = null
    let atMs = Number.POSITIVE_INFINITY
    for (const line of this.active) {
      atMs = Math.min(atMs, line.waiting[0].deadlineMs)
      if (line.restsUntilMs > nowMs) atMs = Math.min(atMs, line.restsUntilMs)
      if (this.sessions !== null && this.sessionRestsUntilMs > nowMs) atMs = Math.min(atMs, this.sessionRestsUntilMs)
    }
    if (atMs === Number.POSITIVE_INFINITY) return
    this.timer = setTimeout(
      () => {
        this.timer = null
        this.drain()
        this.host.progressed()
      },
      Math.max(1, Math.ceil(atMs - nowMs)),
    )
  }
}

function requestOf({ acks, batches }: Parcel, timeoutMs: number): ProduceRequest {
  const topics = new Map<string, { index: number; records: Buffer }[]>()
  for (const { queue, bytes } of batches) {
    const part = { index: queue.partition, records: bytes! }
    const ofTopic = topics.get(queue.topic)
    if (ofTopic === undefined) topics.set(queue.topic, [part])
    else ofTopic.push(part)
  }
  const topicData = Array.from(topics, ([name, partitionData]) => ({ name, topicId: zeroUuid, partitionData }))
  return { transactionalId: null, acks, timeoutMs, topicData }
}

function placed(error: SeglogError, { topic, partition }: PartitionQueue): SeglogError {
  const { code, message, retriable, cause } = error
  return new SeglogError(code, message, { retriable, cause: cause ?? error, topic, partition })
}
