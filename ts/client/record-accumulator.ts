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
  private readonly waiting = new Set<() => void>()

  constructor(
    transport: Transport,
    private readonly metadata: TopicMetadataCache,
    private readonly options: SendOptions,
  ) {
    this.sender = new BatchSender(transport, options, {
      roomMade: () => {
        for (const wake of this.waiting) wake()
      },
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

  /** Calls `wake` whenever batches were answered, until `stopWaking`. */
  wakeByRoom(wake: () => void): void {
    this.waiting.add(wake)
  }

  stopWaking(wake: () => void): void {
    this.waiting.delete(wake)
  }
}

/**
 * What producers must have in common to share an accumulator; null for one that must keep to itself: its numbers, its
 * partitioner, or batches that linger until it says otherwise are its own.
 */
export function sharedBy(options: SendOptions): string | null {
  const { idempotent, partitioner, linger, acks, batchSize, bufferBytes, timeout, compression, clientId } = options
  if (idempotent || partitioner !== null || linger > 0) return null
  return JSON.stringify([acks, batchSize, bufferBytes, timeout, compression, clientId])
}
