import type { SeglogError } from '../errors/seglog-error.js'
import type { Message } from '../records/message.js'
import { RecordBatch } from '../records/record-batch.js'
import { patchNumbers, type RecordBatchBuilder } from '../records/record-batch-builder.js'
import type { PartitionQueue } from './partition-queue.js'
import type { PendingSend } from './pending-send.js'
import type { ProducerSession } from './producer-sessions.js'

/** Records of one partition on their way into one record batch, and the sends they belong to. */
export class ProduceBatch {
  /** The batch as it goes out (compressed, if so asked); null until then. */
  bytes: Buffer | null = null
  /** Why it cannot go out. */
  failure: SeglogError | null = null
  /** When it leaves at the latest, in milliseconds of `performance.now`. */
  leavesAtMs = 0
  /** What it counts for in the producer's buffer. */
  bufferedBytes = 0
  /** Number of its first record for an idempotent producer, -1 while it has none. */
  baseSequence = -1
  /** Over a network: its place among the batches of its partition, -1 before it has one. */
  order = -1
  /** How far the next whole number is: halves of a batch stand between it and the next. */
  private orderSpan = 1
  /** How often it was sent. */
  attempts = 0
  /** When it fails unless it is stored, in milliseconds of `performance.now`. */
  deadlineMs = 0
  /** What `baseSequence` is counted in; null while it has no number there. */
  session: ProducerSession | null = null
  /** Which numbered batch of its partition it is; what a batch was divided into begins one before it. */
  place = -1
  private readonly sends: PendingSend[] = []
  /** Index in the batch of each send's first record. */
  private readonly starts: number[] = []
  private lastSend: PendingSend | null = null

  constructor(
    readonly queue: PartitionQueue,
    readonly acks: number,
    readonly builder: RecordBatchBuilder,
  ) {}

  get count(): number {
    return this.builder.recordCount
  }

  /** Sends that have records in it. */
  get sendCount(): number {
    return this.sends.length
  }

  /** False, and nothing changed, if the record does not fit. */
  append(send: PendingSend, message: Message, now: number): boolean {
    const { builder } = this
    if (!builder.append(message, now)) return false
    if (this.lastSend !== send) {
      this.begin(send, builder.recordCount - 1)
      send.addPart()
    }
    return true
  }

  /** Appends messages[from..to) as far as they fit; returns the index after the last. */
  appendAll(send: PendingSend, messages: readonly Message[], from: number, to: number, now: number): number {
    const { builder } = this
    const start = builder.recordCount
    try {
      return builder.appendAll(messages, from, now, to)
    } finally {
      // Also when a message is refused: those before it are in.
      if (builder.recordCount > start && this.lastSend !== send) {
        this.begin(send, start)
        send.addPart()
      }
    }
  }

  /** Writes its numbers into its bytes. */
  give(session: ProducerSession, baseSequence: number): void {
    this.session = session
    this.baseSequence = baseSequence
    patchNumbers(this.bytes!, session.producerId, session.producerEpoch, baseSequence)
  }

  /** Tells every send where its records are; a base offset of -1 says that nobody knows (acks 0). */
  stored(baseOffset: bigint, appendTimeMs: number): void {
    const { sends, starts, queue } = this
    for (let index = 0; index < sends.length; index++) {
      const start = starts[index]
      const offset = baseOffset < 0n || start === 0 ? baseOffset : baseOffset + BigInt(start)
      sends[index].partStored(queue.partition, offset, this.countOf(index), appendTimeMs)
    }
  }

  failed(error: SeglogError): void {
    for (let index = 0; index < this.sends.length; index++) {
      this.sends[index].partFailed(this.queue.partition, this.countOf(index), error)
    }
  }

  /**
   * The same records in two batches, for a partition that refused them together. `uncompressed` are this
   * batch's own bytes. This batch must not be answered any more.
   */
  split(uncompressed: Buffer, newBuilder: () => RecordBatchBuilder): [ProduceBatch, ProduceBatch] {
    const middle = this.count >> 1
    const halves: [ProduceBatch, ProduceBatch] = [
      new ProduceBatch(this.queue, this.acks, newBuilder()),
      new ProduceBatch(this.queue, this.acks, newBuilder()),
    ]
    let index = 0
    for (const record of new RecordBatch(uncompressed)) {
      const { key, value, timestamp } = record
      const headers = Object.keys(record.headers).length === 0 ? undefined : record.headers
      halves[index++ < middle ? 0 : 1].builder.append({ key, value, timestamp, headers })
    }
    for (let index = 0; index < this.sends.length; index++) {
      const send = this.sends[index]
      const start = this.starts[index]
      const end = start + this.countOf(index)
      if (start < middle) halves[0].begin(send, start)
      if (end > middle) halves[1].begin(send, Math.max(0, start - middle))
      if (start < middle && end > middle) send.addPart()
    }
    for (const [at, half] of halves.entries()) {
      half.orderSpan = this.orderSpan / 2
      half.order = this.order + at * half.orderSpan
      half.deadlineMs = this.deadlineMs
      half.attempts = this.attempts
      half.session = this.session
      half.place = this.place - 1 + at
    }
    if (this.baseSequence >= 0) {
      halves[0].baseSequence = this.baseSequence
      halves[1].baseSequence = (this.baseSequence + middle) % 0x8000_0000
    }
    return halves
  }

  private begin(send: PendingSend, start: number): void {
    this.lastSend = send
    this.sends.push(send)
    this.starts.push(start)
  }

  private countOf(index: number): number {
    return (this.starts[index + 1] ?? this.count) - this.starts[index]
  }
}
