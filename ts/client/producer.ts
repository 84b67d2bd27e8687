import { SeglogError } from '../errors/seglog-error.js'
import { isPromise } from '../log/maybe-promise.js'
import type { Bytes } from '../records/message.js'
import type { BatchSender } from './batch-sender.js'
import { FlushGroups } from './flush-groups.js'
import { shown } from './options.js'
import { PendingSend, type RecordMetadata, type SendOutcome, sendError } from './pending-send.js'
import {
  acksNumber,
  checkBatch,
  checkNumbered,
  checkRecord,
  type PartitionedMessage,
  type ProducerBatch,
  type ProducerMessage,
  type ProducerOptions,
  type ProducerRecord,
  producerOptions,
  type SendOptions,
} from './producer-options.js'
import type { RecordAccumulator } from './record-accumulator.js'
import { abortedError, asSeglogError } from './settle-errors.js'
import type { TopicMetadataCache } from './topic-metadata.js'
import type { TopicState } from './topic-state.js'
import { WaitingRoom } from './waiting-room.js'

/** Milliseconds of encoding after which the event loop gets a turn. */
const sliceMs = 4
/** Records between two looks at the clock. */
const recordsPerLook = 128

/** What a producer needs of the log it belongs to. */
export interface ProducerParts {
  metadata: TopicMetadataCache
  /** There is a network between the producer and the brokers. */
  isRemote: boolean
  /** One that producers with the same settings share, or one of its own. */
  accumulator: (options: SendOptions) => RecordAccumulator
  /** Called once, when the producer is closed. */
  onClosed?: (producer: Producer) => void
}

/**
 * Writes records. Sends of one synchronous turn share batches, batches of one partition keep the order of the sends (but
 * for a batch the broker found too large, which leaves again in halves), and several of them may be on their way at once.
 * Producers of one log with the same settings share batches too, so that many small writers cost what one does. Safe to
 * use from any number of async functions; make one per configuration, not one per send.
 */
export class Producer {
  private readonly options: SendOptions
  private readonly metadata: TopicMetadataCache
  private readonly onClosed: ((producer: Producer) => void) | undefined
  private readonly accumulator: RecordAccumulator
  private readonly waiting: WaitingRoom
  private readonly groups = new FlushGroups()
  /** Topics the broker is being asked about. */
  private readonly asking = new Set<string>()
  private draining = false
  private drainQueued = false
  private closing: Promise<void> | null = null
  private readonly scratch: { value: Bytes } = { value: '' }

  /** Use `log.producer()`. Throws INVALID_OPTION, MISSPELLED_OPTION, UNSUPPORTED. */
  constructor(parts: ProducerParts, options?: ProducerOptions) {
    this.options = producerOptions(options, parts.isRemote)
    this.metadata = parts.metadata
    this.onClosed = parts.onClosed
    this.accumulator = parts.accumulator(this.options)
    this.accumulator.join()
    const isUnknown = (topic: string) => this.asking.has(topic)
    this.waiting = new WaitingRoom(this.options.maxWaitingSends, this.options.timeout, isUnknown)
  }

  /**
   * Sends messages to one topic. Resolves to one result per partition written, once they are stored as `acks` asks.
   *
   * Rejects with a SeglogError whose `results` tell what became of each part that was sent. Codes: CLOSED,
   * INVALID_OPTION, INVALID_ARGUMENT (a message of the wrong shape), BUFFER_FULL, TIMED_OUT, ABORTED, and what the
   * partition answers, such as UNKNOWN_TOPIC_OR_PARTITION, MESSAGE_TOO_LARGE, NO_SPACE, READ_ONLY, DIRECTORY_OFFLINE.
   */
  send(record: ProducerRecord): Promise<RecordMetadata[]> {
    try {
      if (this.closing !== null)
        throw new SeglogError('CLOSED', 'this producer is closed: make another by log.producer()')
      checkRecord(record)
      if (this.options.mustBeIdempotent) checkNumbered(record)
    } catch (error) {
      return Promise.reject(error)
    }
    const { topic, messages, signal } = record
    const acks = record.acks === undefined ? this.options.acks : acksNumber(record.acks)
    const send = new PendingSend(topic, messages, acks, this.groups.current, this.onSettled)
    if (signal !== undefined && abandonOnAbort(send, signal)) return send.promise
    const now = Date.now()
    const state = this.waiting.isEmpty && this.sender.hasRoom ? this.stateOf(send, now) : null
    if (!send.isOver && (state === null || !this.encode(send, state, now))) {
      this.waiting.enter(send)
      this.accumulator.wakeByRoom(this.drain)
      this.queueDrain()
    }
    return send.promise
  }

  /**
   * Sends messages to several topics; resolves when all of them are stored. Rejects as `send` does, with the outcomes of
   * all topics in `results`.
   */
  async sendBatch(batch: ProducerBatch): Promise<RecordMetadata[]> {
    checkBatch(batch)
    const { acks, signal } = batch
    const sends = batch.topicMessages.map((part) => this.send({ ...part, acks, signal }))
    const settled = await Promise.allSettled(sends)
    const outcomes = settled.flatMap<SendOutcome>((one) =>
      one.status === 'fulfilled' ? one.value : (one.reason.results ?? []),
    )
    const failed = settled.find((one) => one.status === 'rejected')
    if (failed !== undefined) throw sendError(failed.reason, outcomes)
    return outcomes
  }

  /** Lets every batch leave now; resolves when all sends made before are settled, well or badly. Never rejects. */
  flush(): Promise<void> {
    return this.sender.hurryUntil(this.groups.flushed())
  }

  /** Flushes, then refuses further sends with CLOSED. Idempotent; never rejects. */
  close(): Promise<void> {
    this.closing ??= this.drainAndClose()
    return this.closing
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.close()
  }

  private async drainAndClose(): Promise<void> {
    await this.flush()
    await this.sender.answeredSoFar()
    this.accumulator.leave(this.drain)
    this.onClosed?.(this)
  }

  private get sender(): BatchSender {
    return this.accumulator.sender
  }

  private readonly onSettled = (send: PendingSend): void => {
    this.groups.settled(send.group)
  }

  /** The state of the send's topic, or null if the broker has to be waited for; a refusal fails the send. */
  private stateOf(send: PendingSend, now: number): TopicState | null {
    const { topic } = send
    const known = this.accumulator.topic(topic, now)
    if (known !== undefined) return known
    const metadata = this.metadata.get(topic, now)
    if (metadata !== undefined) return this.accumulator.learn(metadata)
    if (this.asking.has(topic)) return null
    try {
      const answer = this.metadata.fetch(topic, this.options.allowAutoTopicCreation)
      if (!isPromise(answer)) return this.accumulator.learn(answer)
      this.asking.add(topic)
      answer
        .catch((error) => this.waiting.fail(asSeglogError(error), topic))
        .then(() => {
          this.asking.delete(topic)
          this.drain()
        })
    } catch (error) {
      send.fail(asSeglogError(error))
    }
    return null
  }

  /** Puts messages into batches; false if it stopped for want of room or time. */
  private encode(send: PendingSend, state: TopicState, now: number): boolean {
    const { messages } = send
    let sliceEndMs = 0
    let unlooked = 0
    try {
      while (send.next < messages.length) {
        const first = messages[send.next]
        if (send.timestamp < 0) send.timestamp = this.asMessage(first).timestamp ?? now
        const runEnd = Math.min(messages.length, send.next + recordsPerLook)
        const next = state.appendRun(send, messages, send.next, runEnd, now)
        if (next === send.next) state.append(send, this.asMessage(first), now)
        unlooked += Math.max(1, next - send.next)
        send.next = Math.max(next, send.next + 1)
        if (!this.sender.hasRoom) break
        if (unlooked < recordsPerLook) continue
        unlooked = 0
        const lookMs = performance.now()
        if (sliceEndMs === 0) sliceEndMs = lookMs + sliceMs
        else if (lookMs > sliceEndMs) break
      }
    } catch (error) {
      send.fail(asSeglogError(error))
      return true
    }
    if (send.next < messages.length) return false
    send.finishEncoding()
    return true
  }

  private asMessage(message: ProducerMessage): PartitionedMessage {
    if (typeof message === 'string' || message instanceof Uint8Array) {
      this.scratch.value = message
      return this.scratch
    }
    if (typeof message === 'object' && message !== null) return message
    const hint = 'give { key, value, headers, timestamp, partition }, a string or bytes'
    throw new SeglogError('INVALID_ARGUMENT', `a message is ${shown(message)}: ${hint}`, { key: 'messages' })
  }

  /** Goes on with the sends that wait, after the event loop had its turn. */
  private queueDrain(): void {
    if (this.drainQueued) return
    this.drainQueued = true
    setImmediate(() => {
      this.drainQueued = false
      this.drain()
    })
  }

  private readonly drain = (): void => {
    if (this.draining || this.drainQueued) return
    this.draining = true
    const sliceEndMs = performance.now() + sliceMs
    let outOfTime = false
    for (let send = this.waiting.first; send !== null && this.sender.hasRoom && !outOfTime; send = this.waiting.first) {
      const now = Date.now()
      const state = this.stateOf(send, now)
      if (state === null) {
        if (send.isOver) continue
        break
      }
      const before = send.next
      this.encode(send, state, now)
      if (send.next > before) this.waiting.renew(send)
      outOfTime = performance.now() > sliceEndMs
    }
    this.draining = false
    if (this.waiting.first === null) this.accumulator.stopWaking(this.drain)
    else if (outOfTime) this.queueDrain()
  }
}

/** Ends the send's wait when the signal says so; true if it has said so already. */
function abandonOnAbort(send: PendingSend, signal: AbortSignal): boolean {
  const abandon = () => send.abandon(abortedError(`the send to ${send.topic} was aborted`, signal))
  if (signal.aborted) {
    abandon()
    return true
  }
  signal.addEventListener('abort', abandon, { once: true })
  send.stopListening = () => signal.removeEventListener('abort', abandon)
  return false
}
