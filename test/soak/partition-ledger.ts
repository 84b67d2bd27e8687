import type { BatchName } from './content.js'

/** What stands at an offset. */
export interface Entry {
  readonly writer: number
  readonly sequence: number
  /** Records. */
  readonly count: number
}

interface Known extends Entry {
  /** It was acknowledged, or was read once: from then on it has to be there. */
  readonly how: 'acknowledged' | 'read'
}

/**
 * What is known of one partition: what was sent to it, what has been acknowledged at which offset, and what was read
 * there. Each method throws where two of these do not go together.
 */
export class PartitionLedger {
  /** Records below it were deleted. */
  startOffset = 0
  /** Behind the last record that was acknowledged, or read. */
  endOffset = 0
  readonly #known = new Map<number, Known>()
  /** Of each writer, how many batches it has sent. */
  readonly #sent = new Map<number, number>()
  /** Batches, by writer, that nothing was answered to but that must be there. */
  readonly #owed = new Map<number, Set<number>>()

  constructor(
    readonly incarnation: number,
    readonly partition: number,
  ) {}

  /** The name of the next batch of this writer. */
  send(writer: number): BatchName {
    const sequence = this.#sent.get(writer) ?? 0
    this.#sent.set(writer, sequence + 1)
    return { incarnation: this.incarnation, partition: this.partition, writer, sequence }
  }

  acknowledged(baseOffset: number, entry: Entry): void {
    this.#owed.get(entry.writer)?.delete(entry.sequence)
    this.#note(baseOffset, { ...entry, how: 'acknowledged' })
  }

  read(baseOffset: number, entry: Entry): void {
    this.#note(baseOffset, { ...entry, how: 'read' })
  }

  /** Nothing is answered to this batch, but what came behind it on its connection was. */
  owe(writer: number, sequence: number): void {
    const sequences = this.#owed.get(writer) ?? new Set()
    this.#owed.set(writer, sequences.add(sequence))
  }

  /** Where some batch begins that is there, for readers to begin at; the start where none is known. */
  someOffset(fraction: number): number {
    const place = this.startOffset + Math.floor(fraction * (this.endOffset - this.startOffset))
    return Math.min(place, Math.max(this.startOffset, this.endOffset - 1))
  }

  /** To be told all batches of the partition, in order, while nothing is sent. */
  audit(): PartitionAudit {
    return new PartitionAudit(this, new Map(this.#known), this.#owed)
  }

  /** Everything was deleted up to here, while nothing was sent: there is nothing left to know. */
  restart(offset: number): void {
    this.startOffset = offset
    this.endOffset = offset
    this.#known.clear()
    this.#sent.clear()
    this.#owed.clear()
  }

  #note(baseOffset: number, entry: Known): void {
    const { writer, sequence, count } = entry
    if (sequence >= (this.#sent.get(writer) ?? 0))
      throw new Error(`${this.#at(baseOffset)}: ${named(entry)} was not sent`)
    const known = this.#known.get(baseOffset)
    if (known !== undefined && (known.writer !== writer || known.sequence !== sequence || known.count !== count)) {
      throw new Error(
        `${this.#at(baseOffset)}: ${named(entry)} is ${entry.how}, ${named(known)} was ${known.how} before`,
      )
    }
    if (known === undefined || entry.how === 'acknowledged') this.#known.set(baseOffset, entry)
    this.endOffset = Math.max(this.endOffset, baseOffset + count)
  }

  #at(offset: number): string {
    return `topic ${this.incarnation}, partition ${this.partition}, offset ${offset}`
  }
}

/** One reading of a whole partition, held against what is known of it. */
export class PartitionAudit {
  batches = 0
  records = 0
  readonly #ledger: PartitionLedger
  readonly #missing: Map<number, Known>
  readonly #owed: Map<number, Set<number>>
  readonly #last = new Map<number, number>()

  constructor(ledger: PartitionLedger, known: Map<number, Known>, owed: Map<number, Set<number>>) {
    this.#ledger = ledger
    this.#missing = known
    this.#owed = owed
  }

  take(baseOffset: number, entry: Entry): void {
    const { writer, sequence, count } = entry
    this.#ledger.read(baseOffset, entry)
    const last = this.#last.get(writer) ?? -1
    if (sequence <= last)
      throw new Error(`offset ${baseOffset}: ${named(entry)} stands behind batch ${last} of the same`)
    this.#last.set(writer, sequence)
    this.#missing.delete(baseOffset)
    this.#owed.get(writer)?.delete(sequence)
    this.batches += 1
    this.records += count
  }

  /** The partition ends here. Throws where something of it is missing. */
  end(offset: number): void {
    const { startOffset, endOffset } = this.#ledger
    if (offset < endOffset) throw new Error(`the partition ends at ${offset}, it had reached ${endOffset}`)
    for (const [baseOffset, entry] of this.#missing) {
      if (baseOffset + entry.count <= startOffset) continue
      throw new Error(`${named(entry)} is not at offset ${baseOffset}, where it was ${entry.how}`)
    }
    // What was deleted by its offset cannot be told from what never came.
    if (startOffset > 0) return
    for (const [writer, sequences] of this.#owed) {
      const [sequence] = sequences
      if (sequence !== undefined) throw new Error(`batch ${sequence} of writer ${writer} is nowhere`)
    }
  }
}

function named({ writer, sequence, count }: Entry): string {
  return `batch ${sequence} of writer ${writer} (${count} records)`
}
