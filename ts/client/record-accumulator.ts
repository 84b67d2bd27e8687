import { BatchSender } from './batch-sender.js'
import type { SendOptions } from './producer-options.js'
import type { TopicMetadata, TopicMetadataCache } from './topic-metadata.js'
import { TopicState } from './topic-state.js'
import type { Transport } from './transport.js'

/**
 * Where records gather: the open batches of every partition, and the sender that takes them to the broker. Producers of
 * one log with the same settings share one, so that what they send in one turn of the event loop travels together.
 */
export class RecordAccumulator {
  readonly sender: BatchSender
  private readonly topics = new Map<string, TopicState>()
  /** In the order in which they may take room. */
  private readonly waiting = new Set<() => void>()
  private producers = 0

  constructor(
    transport: Transport,
    private readonly metadata: TopicMetadataCache,
    private readonly options: SendOptions,
    /** Called when the last of its producers is closed. */
    private readonly onUnused?: () => void,
  ) {
    this.sender = new BatchSender(transport, options, {
      roomMade: () => this.wakeAll(),
      topicMissing: (topic) => metadata.forget(topic),
    })
  }

  /** The topic as it was last learned, unless the metadata has changed or aged since. */
  topic(name: string, now: number): TopicState | undefined {
    const known = this.topics.get(name)
    if (known === undefined || known.version !== this.metadata.version) return undefined
    return now < known.metadata.freshUntilMs ? known : undefined
  }

  learn(metadata: TopicMetadata): TopicState {
    let state = this.topics.get(metadata.topic)
    if (state === undefined) {
      state = new TopicState(metadata, this.options.partitioner, this.sender)
      this.topics.set(metadata.topic, state)
    } else state.update(metadata)
    state.version = this.metadata.version
    return state
  }

  /** A producer begins to use it. */
  join(): void {
    this.producers++
  }

  /** A producer, with its `wake`, is closed. */
  leave(wake: () => void): void {
    this.stopWaking(wake)
    if (--this.producers === 0) this.onUnused?.()
  }

  /** Calls `wake` whenever batches were answered, until `stopWaking`. */
  wakeByRoom(wake: () => void): void {
    this.waiting.add(wake)
  }

  stopWaking(wake: () => void): void {
    this.waiting.delete(wake)
  }

  private wakeAll(): void {
    for (const wake of [...this.waiting]) {
      if (!this.sender.hasRoom) return
      // Who takes room now stands behind the others the next time: one that always has more must not starve them.
      this.waiting.delete(wake)
      this.waiting.add(wake)
      wake()
    }
  }
}

/**
 * What producers must have in common to share an accumulator; null for one that must keep to itself: its numbers, its
 * partitioner, or batches that linger until it says otherwise are its own.
 */
export function sharedBy(options: SendOptions): string | null {
  const { idempotent, partitioner, linger, acks, batchSize, bufferBytes, timeout, compression, clientId } = options
  const { deliveryTimeout, retries } = options
  if (idempotent || partitioner !== null || linger > 0) return null
  return JSON.stringify([acks, batchSize, bufferBytes, timeout, compression, clientId, deliveryTimeout, retries])
}
