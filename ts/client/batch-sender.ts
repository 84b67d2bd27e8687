import { SeglogError } from '../errors/seglog-error.js'
import { isPromise } from '../log/maybe-promise.js'
import { apiKey, type ResponseOf } from '../protocol/apis.js'
import { zeroUuid } from '../protocol/uuid.js'
import { compressBatch } from '../records/compress-batch.js'
import type { BatchFields } from '../records/record-batch-builder.js'
import { BuilderPool } from './builder-pool.js'
import type { BatchRoad, PartitionQueue } from './partition-queue.js'
import { ProduceBatch } from './produce-batch.js'
import { type DispatchHost, type Division, ProduceDispatch } from './produce-dispatch.js'
import { ProducerIdentity } from './producer-identity.js'
import type { SendOptions } from './producer-options.js'
import { errorOf } from './response-error.js'
import { asSeglogError } from './settle-errors.js'
import type { Transport } from './transport.js'
import { turnWatch } from './turn-watch.js'

export interface SenderListener {
  /** Batches were answered, so that others may leave. Not called while a batch is leaving. */
  roomMade: () => void
  /** The broker does not know a topic that a batch was sent to. */
  topicMissing: (topic: string) => void
}

type ProduceResponse = ResponseOf<typeof apiKey.produce>

const noFields: BatchFields = {}

/** Takes a producer's batches to the broker: linger, compression, numbers, requests, answers. */
export class BatchSender implements BatchRoad {
  private readonly pool: BuilderPool
  /** In-process; over a network numbers are the dispatch's business. */
  private readonly identity: ProducerIdentity | null
  /** Takes batches over a network; null in-process, where they are handed to the broker one by one. */
  private readonly dispatch: ProduceDispatch | null
  /** Batches that were begun, oldest first; some have left already because they were full. */
  private begun: ProduceBatch[] = []
  private leaveQueued = false
  /** Flushes under way: meanwhile no batch lingers. */
  private hurries = 0
  private lingerTimer: NodeJS.Timeout | null = null
  /** Batches that wait for a producer id. */
  private held: ProduceBatch[] = []
  /** Of batches that have left and are not answered, those being made ready included. */
  private unansweredBytes = 0
  private readonly unanswered = new Set<ProduceBatch>()
  private awaited: { batches: Set<ProduceBatch>; resolve: () => void }[] = []

  constructor(
    private readonly transport: Transport,
    private readonly options: SendOptions,
    private readonly listener: SenderListener,
  ) {
    this.pool = new BuilderPool(options.batchSize)
    this.identity = options.idempotent && !transport.isRemote ? new ProducerIdentity(transport) : null
    this.dispatch = transport.isRemote ? new ProduceDispatch(transport, options, this.dispatchHost()) : null
  }

  get hasRoom(): boolean {
    return this.unansweredBytes < this.options.bufferBytes
  }

  /** Lets every open batch leave, and until `done` resolves those begun later at the end of their turn. */
  hurryUntil(done: Promise<void>): Promise<void> {
    this.hurries++
    this.leaveAll()
    return done.then(() => {
      this.hurries--
    })
  }

  private readonly leaveAll = (): void => {
    this.leaveQueued = false
    if (this.lingerTimer !== null) clearTimeout(this.lingerTimer)
    this.lingerTimer = null
    const { begun } = this
    this.begun = []
    for (const batch of begun) if (batch.queue.open === batch) batch.queue.seal()
  }

  /** Resolves when every batch that is on its way now has been answered. */
  async answeredSoFar(): Promise<void> {
    const batches = new Set(this.unanswered)
    if (batches.size > 0) await new Promise<void>((resolve) => this.awaited.push({ batches, resolve }))
  }

  begin(queue: PartitionQueue, acks: number): ProduceBatch {
    const batch = new ProduceBatch(queue, acks, this.pool.take())
    this.begun.push(batch)
    const { linger } = this.options
    if (linger > 0 && this.hurries === 0) {
      batch.leavesAtMs = performance.now() + linger
      this.lingerTimer ??= setTimeout(this.leaveDue, linger)
    } else if (!this.leaveQueued) {
      this.leaveQueued = true
      if (turnWatch.isLong) turnWatch.defer(this.leaveAll)
      else queueMicrotask(this.leaveAll)
    }
    return batch
  }

  prepare(batch: ProduceBatch): void {
    batch.bufferedBytes = batch.builder.sizeBytes
    this.unansweredBytes += batch.bufferedBytes
    this.unanswered.add(batch)
    if (this.identity === null || this.identity.ready) this.finish(batch)
    else {
      this.held.push(batch)
      this.takeIdentity()
    }
  }

  depart(batch: ProduceBatch): void {
    const { queue, acks, bytes, failure } = batch
    if (bytes === null) {
      this.answered(batch, failure)
      return
    }
    if (this.dispatch !== null) {
      this.dispatch.add(batch)
      return
    }
    const partitionData = [{ index: queue.partition, records: bytes }]
    const request = {
      transactionalId: null,
      acks,
      timeoutMs: this.options.timeout,
      topicData: [{ name: queue.topic, topicId: zeroUuid, partitionData }],
    }
    try {
      const response = this.transport.request(apiKey.produce, request, this.options)
      if (isPromise(response)) this.wait(batch, response)
      else this.read(batch, response)
    } catch (error) {
      this.answered(batch, asSeglogError(error))
    }
  }

  private dispatchHost(): DispatchHost {
    return {
      stored: (batch, baseOffset, appendTimeMs) => {
        batch.stored(baseOffset, appendTimeMs)
        this.forget(batch)
      },
      failed: (batch, error) => this.answered(batch, error),
      divide: (batch, error) => (canDivide(batch, error) ? this.divide(batch) : null),
      progressed: () => this.listener.roomMade(),
    }
  }

  /** As `split`, for the dispatch. */
  private divide(batch: ProduceBatch): Division {
    const halves = batch.split(batch.builder.finish(), () => this.pool.take())
    this.forget(batch)
    const made = halves.map(async (half) => {
      half.bufferedBytes = half.builder.sizeBytes
      this.unansweredBytes += half.bufferedBytes
      this.unanswered.add(half)
      half.bytes = await compressBatch(half.builder.finish(), this.options.compression)
      if (half.session !== null) half.give(half.session, half.baseSequence)
    })
    return { halves, ready: Promise.all(made).then(() => {}) }
  }

  private wait(batch: ProduceBatch, response: Promise<ProduceResponse>): void {
    if (batch.acks === 0) {
      // Accepted is all that acks 0 promises; the batch's memory is in use until the answer all the same.
      batch.stored(-1n, -1)
      const forget = () => {
        this.forget(batch)
        this.listener.roomMade()
      }
      response.then(forget, forget)
      return
    }
    response.then(
      (late) => {
        this.read(batch, late)
        this.listener.roomMade()
      },
      (error: unknown) => {
        this.answered(batch, asSeglogError(error))
        this.listener.roomMade()
      },
    )
  }

  private readonly leaveDue = (): void => {
    this.lingerTimer = null
    const nowMs = performance.now()
    // Timers may fire a fraction early; such a batch is due all the same.
    const isDue = (batch: ProduceBatch) => batch.leavesAtMs <= nowMs + 1
    let count = 0
    while (
      count < this.begun.length &&
      (this.begun[count].queue.open !== this.begun[count] || isDue(this.begun[count]))
    )
      count++
    const due = this.begun.splice(0, count)
    for (const batch of due) if (batch.queue.open === batch) batch.queue.seal()
    if (this.begun.length > 0) this.lingerTimer = setTimeout(this.leaveDue, this.begun[0].leavesAtMs - nowMs)
  }

  /** Completes a batch's bytes; with compression they come later. */
  private finish(batch: ProduceBatch): void {
    const { compression } = this.options
    const bytes = batch.builder.finish(this.identity === null ? noFields : this.numbered(batch, this.identity))
    if (compression === 'none') {
      batch.bytes = bytes
      return
    }
    compressBatch(bytes, compression)
      .then(
        (compressed) => {
          batch.bytes = compressed
        },
        (error) => {
          batch.failure = asSeglogError(error)
        },
      )
      .then(() => {
        batch.queue.departReady()
        this.listener.roomMade()
      })
  }

  private numbered(batch: ProduceBatch, identity: ProducerIdentity): BatchFields {
    const { producerId, producerEpoch } = identity
    const { queue, count } = batch
    if (batch.baseSequence < 0) batch.baseSequence = identity.nextSequence(queue.topic, queue.partition, count)
    return { producerId, producerEpoch, baseSequence: batch.baseSequence }
  }

  private takeIdentity(): void {
    const { identity } = this
    // Batches under the old id must be answered first: the new one knows nothing of their numbers.
    if (identity === null || identity.ready || this.held.length === 0 || this.unanswered.size > this.held.length) return
    identity.ask((error) => {
      const { held } = this
      this.held = []
      for (const batch of held) {
        batch.baseSequence = -1
        if (error === null) this.finish(batch)
        else batch.failure = asSeglogError(error)
        batch.queue.departReady()
      }
      this.listener.roomMade()
    })
  }

  private read(batch: ProduceBatch, response: ProduceResponse): void {
    const part = response.responses[0]?.partitionResponses[0]
    const { topic, partition } = batch.queue
    const error =
      part === undefined
        ? new SeglogError('UNKNOWN_SERVER_ERROR', 'the broker gave an empty answer')
        : errorOf(part, { topic, partition })
    if (error !== null && canDivide(batch, error)) {
      this.split(batch)
      return
    }
    if (error === null) batch.stored(batch.acks === 0 ? -1n : part.baseOffset, Number(part.logAppendTimeMs))
    this.answered(batch, error)
  }

  /** Good records must not fail for the company they were put in. */
  private split(batch: ProduceBatch): void {
    const uncompressed = batch.builder.finish(this.identity === null ? noFields : this.numbered(batch, this.identity))
    const halves = batch.split(uncompressed, () => this.pool.take())
    this.forget(batch)
    for (const half of halves) this.prepare(half)
    batch.queue.rejoin(halves)
  }

  private answered(batch: ProduceBatch, error: SeglogError | null): void {
    if (error !== null) {
      if (error.code === 'UNKNOWN_TOPIC_OR_PARTITION' || error.code === 'UNKNOWN_TOPIC_ID')
        this.listener.topicMissing(batch.queue.topic)
      this.identity?.lost()
      batch.failed(error)
    }
    this.forget(batch)
    this.takeIdentity()
  }

  private forget(batch: ProduceBatch): void {
    this.unansweredBytes -= batch.bufferedBytes
    this.pool.giveBack(batch.builder)
    this.unanswered.delete(batch)
    if (this.awaited.length === 0) return
    this.awaited = this.awaited.filter(({ batches, resolve }) => {
      batches.delete(batch)
      if (batches.size === 0) resolve()
      return batches.size > 0
    })
  }
}

/** Whether a part of the batch may be taken where the whole was refused. */
function canDivide(batch: ProduceBatch, error: SeglogError): boolean {
  if (error.code === 'INVALID_TIMESTAMP') return batch.sendCount > 1
  return isTooLarge(error) && batch.count > 1
}

function isTooLarge(error: SeglogError): boolean {
  return (
    error.code === 'MESSAGE_TOO_LARGE' || error.code === 'RECORD_LIST_TOO_LARGE' || error.code === 'BATCH_TOO_LARGE'
  )
}
