import { parseCheckpoint, serializeCheckpoint } from './checkpoint-text.js'

export interface EpochEntry {
  epoch: number
  /** Offset of the first record written under it. */
  startOffset: number
}

/**
 * Which leader wrote from which offset on (KIP-101, KIP-320). Epochs and start offsets both grow strictly. Kept in
 * `leader-epoch-checkpoint` beside the segments; the caller writes it, and before the first append under a new epoch.
 */
export class LeaderEpochs {
  readonly #entries: EpochEntry[]

  constructor(entries: readonly EpochEntry[] = []) {
    this.#entries = []
    for (const { epoch, startOffset } of entries) this.assign(epoch, startOffset)
  }

  get entries(): readonly EpochEntry[] {
    return this.#entries
  }

  /** The newest epoch, -1 if there is none. */
  get latest(): number {
    return this.#entries.at(-1)?.epoch ?? -1
  }

  /**
   * Notes that `epoch` begins at `startOffset`. An epoch already known keeps its start; entries that the new one
   * contradicts (same or later start, same or later epoch) give way. Returns true if anything changed.
   */
  assign(epoch: number, startOffset: number): boolean {
    const last = this.#entries.at(-1)
    if (last !== undefined && epoch === last.epoch && startOffset >= last.startOffset) return false
    let end = this.#entries.length
    while (end > 0 && (this.#entries[end - 1].epoch >= epoch || this.#entries[end - 1].startOffset >= startOffset))
      end--
    this.#entries.length = end
    this.#entries.push({ epoch, startOffset })
    return true
  }

  /** Forgets every epoch that begins at or after `endOffset`. Returns true if anything changed. */
  truncateFromEnd(endOffset: number): boolean {
    const before = this.#entries.length
    while (this.#entries.length > 0 && this.#entries[this.#entries.length - 1].startOffset >= endOffset) {
      this.#entries.pop()
    }
    return this.#entries.length !== before
  }

  /** Forgets epochs that end at or before `startOffset`; the one in force there then begins at it. */
  truncateFromStart(startOffset: number): boolean {
    let count = 0
    while (count < this.#entries.length && this.#entries[count].startOffset <= startOffset) count++
    if (count === 0 || (count === 1 && this.#entries[0].startOffset === startOffset)) return false
    const inForce = this.#entries[count - 1]
    this.#entries.splice(0, count, { epoch: inForce.epoch, startOffset })
    return true
  }

  /** The epoch a record at `offset` was written under, -1 if none is known. */
  epochAt(offset: number): number {
    for (let i = this.#entries.length - 1; i >= 0; i--) {
      if (this.#entries[i].startOffset <= offset) return this.#entries[i].epoch
    }
    return -1
  }

  /**
   * Kafka's OffsetForLeaderEpoch: the largest known epoch not above the one asked for, and where it ends. Null for an
   * epoch newer than the newest, or if nothing is known.
   */
  endOffsetFor(epoch: number, logEndOffset: number): { epoch: number; endOffset: number } | null {
    if (epoch < 0 || this.#entries.length === 0 || epoch > this.latest) return null
    if (epoch === this.latest) return { epoch, endOffset: logEndOffset }
    const next = this.#entries.findIndex((entry) => entry.epoch > epoch)
    const end = this.#entries[next].startOffset
    return next === 0 ? { epoch, endOffset: end } : { epoch: this.#entries[next - 1].epoch, endOffset: end }
  }

  serialize(): Buffer {
    return serializeCheckpoint(this.#entries.map(({ epoch, startOffset }) => `${epoch} ${startOffset}`))
  }

  /** Reads the checkpoint file's text. Throws CORRUPT_LOG naming `path` if it is not one. */
  static parse(bytes: Buffer, path: string): LeaderEpochs {
    const lines = parseCheckpoint(bytes, path, /^(\d+) (\d+)$/)
    return new LeaderEpochs(lines.map(([epoch, start]) => ({ epoch: Number(epoch), startOffset: Number(start) })))
  }
}
