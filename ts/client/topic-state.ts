import type { BatchRoad } from './partition-queue.js'
import { PartitionQueue } from './partition-queue.js'
import { explicitPartition, partitionForKey, StickyPartitioner } from './partitioners.js'
import type { PendingSend } from './pending-send.js'
import type { PartitionedMessage, Partitioner, ProducerMessage } from './producer-options.js'
import type { TopicMetadata } from './topic-metadata.js'

/** One topic as a producer sees it: a queue per partition, and the choice between them. */
export class TopicState {
  private readonly queues: PartitionQueue[] = []
  private known: TopicMetadata
  /** Of the cache, when the metadata was got from it. */
  version = -1
  private readonly sticky = new StickyPartitioner()

  constructor(
    metadata: TopicMetadata,
    private readonly partitioner: Partitioner | null,
    private readonly road: BatchRoad,
  ) {
    this.known = metadata
    this.update(metadata)
  }

  get metadata(): TopicMetadata {
    return this.known
  }

  /** Takes over a newer answer of the broker; queues stay, since sends may be on their way through them. */
  update(metadata: TopicMetadata): void {
    this.known = metadata
    for (let partition = this.queues.length; partition < metadata.partitionCount; partition++) {
      this.queues.push(new PartitionQueue(metadata.topic, partition, this.road))
    }
  }

  /** Puts a message into the batch of its partition. Throws INVALID_ARGUMENT for a partition or message that cannot be. */
  append(send: PendingSend, message: PartitionedMessage, now: number): void {
    const { topic, partitionCount } = this.known
    const partition = this.partitionOf(message)
    if (partition >= 0) {
      this.queues[partition].append(send, message, now)
      return
    }
    const chosen = this.sticky.partition(topic, partitionCount)
    // Only a full batch moves the records on: one that left early for want of company would scatter them.
    if (this.queues[chosen].append(send, message, now)) this.sticky.moveOn(topic, chosen, partitionCount)
  }

  /**
   * Puts the run of messages from `from` that need no look at each one (no partition named, and no key where the topic
   * has several) into one batch. Returns the index after the last it took: `from` if there is no such run.
   */
  appendRun(send: PendingSend, messages: readonly ProducerMessage[], from: number, to: number, now: number): number {
    if (this.partitioner !== null) return from
    const { topic, partitionCount } = this.known
    const end = runEnd(messages, from, to, partitionCount > 1)
    if (end === from) return from
    const run = messages as readonly PartitionedMessage[]
    if (partitionCount === 1) return this.queues[0].appendAll(send, run, from, end, now)
    const chosen = this.sticky.partition(topic, partitionCount)
    const next = this.queues[chosen].appendAll(send, run, from, end, now)
    if (next < end) this.sticky.moveOn(topic, chosen, partitionCount)
    return next
  }

  /** -1 where neither message nor partitioner says. */
  private partitionOf(message: PartitionedMessage): number {
    const { topic, partitionCount } = this.known
    const { partition, key } = message
    if (partition !== undefined) return explicitPartition(partition, topic, partitionCount)
    if (this.partitioner !== null)
      return explicitPartition(this.partitioner({ topic, partitionCount, message }), topic, partitionCount)
    if (partitionCount === 1) return 0
    return key === undefined || key === null ? -1 : partitionForKey(key, partitionCount)
  }
}

function runEnd(messages: readonly ProducerMessage[], from: number, to: number, keyless: boolean): number {
  for (let index = from; index < to; index++) {
    const message = messages[index]
    if (typeof message !== 'object' || message === null || message instanceof Uint8Array) return index
    if (message.partition !== undefined) return index
    if (keyless && message.key !== undefined && message.key !== null) return index
  }
  return to
}
