import { SeglogError } from '../errors/seglog-error.js'
import type { Crc32c } from '../records/message.js'
import { Admin } from './admin.js'
import { Consumer } from './consumer.js'
import type { ConsumerOptions } from './consumer-options.js'
import { Producer } from './producer.js'
import type { ProducerOptions, SendOptions } from './producer-options.js'
import { RecordAccumulator, sharedBy } from './record-accumulator.js'
import { TopicMetadataCache } from './topic-metadata.js'
import type { Transport } from './transport.js'

/** An open log: where admins, producers and consumers come from. Close it when done, or bind it by `await using`. */
export class SeglogLog {
  private readonly metadata: TopicMetadataCache
  private readonly producers = new Set<Producer>()
  private readonly accumulators = new Map<string, RecordAccumulator>()
  private readonly consumers = new Set<Consumer>()
  private closing: Promise<void> | null = null

  /** Use `open()`. */
  constructor(
    private readonly transport: Transport,
    private readonly crc32c: Crc32c,
    /** What was opened: the path of the data directory, or `kafka://` and the addresses as they were given. */
    readonly path: string,
    readonly readOnly: boolean,
    metadataMaxAgeMs?: number,
  ) {
    this.metadata = new TopicMetadataCache(transport, metadataMaxAgeMs)
  }

  /** Topics, configs, offsets and groups. Throws CLOSED, INVALID_OPTION, MISSPELLED_OPTION. */
  admin(options?: { clientId?: string }): Admin {
    this.checkOpen()
    return new Admin({ transport: this.transport, metadata: this.metadata, checkOpen: () => this.checkOpen() }, options)
  }

  /** Writes records. Throws CLOSED, INVALID_OPTION, MISSPELLED_OPTION, UNSUPPORTED. */
  producer(options?: ProducerOptions): Producer {
    this.checkOpen()
    const onClosed = (closed: Producer) => this.producers.delete(closed)
    const accumulator = (settings: SendOptions) => this.accumulatorFor(settings)
    const { metadata, transport } = this
    const producer = new Producer({ metadata, isRemote: transport.isRemote, accumulator, onClosed }, options)
    this.producers.add(producer)
    return producer
  }

  /** Reads records, by itself or as a member of a group. Throws CLOSED, INVALID_OPTION, MISSPELLED_OPTION. */
  consumer(options?: ConsumerOptions): Consumer {
    this.checkOpen()
    const onClosed = (closed: Consumer) => this.consumers.delete(closed)
    const { transport, metadata, crc32c } = this
    const consumer = new Consumer({ transport, metadata, crc32c, onClosed }, options)
    this.consumers.add(consumer)
    return consumer
  }

  /**
   * Lets producers finish what they were given, ends the consumers' loops, and closes the files: after it the next open
   * needs no recovery. Idempotent.
   */
  close(): Promise<void> {
    this.closing ??= this.drainAndClose()
    return this.closing
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.close()
  }

  private async drainAndClose(): Promise<void> {
    await Promise.all([...this.consumers].map((consumer) => consumer.close()))
    await Promise.all([...this.producers].map((producer) => producer.close()))
    await this.transport.close()
  }

  private accumulatorFor(options: SendOptions): RecordAccumulator {
    const key = sharedBy(options)
    let accumulator = key === null ? undefined : this.accumulators.get(key)
    if (accumulator === undefined) {
      const onUnused = key === null ? undefined : () => this.accumulators.delete(key)
      accumulator = new RecordAccumulator(this.transport, this.metadata, options, onUnused)
      if (key !== null) this.accumulators.set(key, accumulator)
    }
    return accumulator
  }

  private checkOpen(): void {
    if (this.closing !== null) throw new SeglogError('CLOSED', `the log at ${this.path} is closed: open it again`)
  }
}
