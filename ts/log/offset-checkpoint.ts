import { parseCheckpoint, serializeCheckpoint } from './checkpoint-text.js'

/** Kafka's names of the checkpoints of a log directory. */
export const checkpointFiles = {
  recoveryPoint: 'recovery-point-offset-checkpoint',
  highWatermark: 'replication-offset-checkpoint',
  logStart: 'log-start-offset-checkpoint',
  cleaner: 'cleaner-offset-checkpoint',
} as const

/** One offset per partition, as in Kafka's `*-offset-checkpoint` files: `topic partition offset` lines. */
export class OffsetCheckpoint {
  readonly #offsets = new Map<string, number>()

  get size(): number {
    return this.#offsets.size
  }

  get(topic: string, partition: number): number | undefined {
    return this.#offsets.get(`${topic} ${partition}`)
  }

  /** Returns true if that changed anything. */
  set(topic: string, partition: number, offset: number): boolean {
    const key = `${topic} ${partition}`
    if (this.#offsets.get(key) === offset) return false
    this.#offsets.set(key, offset)
    return true
  }

  delete(topic: string, partition: number): boolean {
    return this.#offsets.delete(`${topic} ${partition}`)
  }

  /** Every partition of a topic; returns true if there was one. */
  deleteTopic(topic: string): boolean {
    const keys = [...this.#offsets.keys()].filter((key) => key.startsWith(`${topic} `))
    for (const key of keys) this.#offsets.delete(key)
    return keys.length > 0
  }

  get entries(): { topic: string; partition: number; offset: number }[] {
    return [...this.#offsets].map(([key, offset]) => {
      const [topic, partition] = key.split(' ')
      return { topic, partition: Number(partition), offset }
    })
  }

  serialize(): Buffer {
    return serializeCheckpoint([...this.#offsets].map(([key, offset]) => `${key} ${offset}`))
  }

  /** Reads such a file. Throws CORRUPT_LOG naming `path` if it is not one. */
  static parse(bytes: Buffer, path: string): OffsetCheckpoint {
    const checkpoint = new OffsetCheckpoint()
    for (const [topic, partition, offset] of parseCheckpoint(bytes, path, /^(\S+) (\d+) (\d+)$/)) {
      checkpoint.set(topic, Number(partition), Number(offset))
    }
    return checkpoint
  }
}
