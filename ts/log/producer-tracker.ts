import { SeglogError } from '../errors/seglog-error.js'
import { scannedProducers } from '../native/scan.js'
import { attributeBits } from '../records/batch-header.js'
import type { BatchSummary } from './batch-summary.js'
import { codeOf } from './error-code.js'
import type { LogContext } from './log-context.js'
import { type LogSegments, removeIfThere } from './log-segments.js'
import { type ProducerSnapshotEntry, parseProducerSnapshot, serializeProducerSnapshot } from './producer-snapshot.js'
import { ProducerStates, sequenceAfter } from './producer-state.js'
import { segmentFileName, snapshotSuffix } from './segment-files.js'

/** A snapshot is due after this many bytes: what a start has to replay stays bounded. */
const snapshotIntervalBytes = 64 * 1024 * 1024
/** Snapshots kept besides those at segment bases. */
const keptSnapshots = 2

/**
 * Producer state of one log over its files: loaded when the first batch with a producer id comes (newest snapshot, then
 * the headers behind it), written as a snapshot at each roll and every 64 MiB. Batches without a producer id never wait
 * for it, and cannot change it: a replay ends where the log ended when it was opened.
 */
export class ProducerTracker {
  readonly #context: LogContext
  readonly #segments: LogSegments
  readonly #crc32c: (bytes: Uint8Array) => number
  /** Offsets of the snapshot files, ascending. */
  #snapshots: number[]
  #states: ProducerStates | null
  #loading: Promise<void> | null = null
  #replayEnd: { segmentBase: number; position: number; offset: number }
  #bytesSinceSnapshot = 0
  #changed = false
  #writing: Promise<void> = Promise.resolve()

  /** `fresh`: the log has just been made, there is nothing to load. */
  constructor(context: LogContext, segments: LogSegments, snapshots: readonly number[], fresh: boolean) {
    this.#context = context
    this.#segments = segments
    this.#crc32c = (bytes) => context.engine.crc32c(bytes)
    this.#snapshots = [...snapshots]
    this.#states = fresh ? new ProducerStates() : null
    this.#replayEnd = this.#endOfLog()
  }

  get loaded(): boolean {
    return this.#states !== null
  }

  /** Loads the state unless it is there. */
  load(): Promise<void> {
    if (this.#states !== null) return Promise.resolve()
    this.#loading ??= this.#replay().finally(() => {
      this.#loading = null
    })
    return this.#loading
  }

  /**
   * Judges the producers' batches of an append; the state must be loaded. Returns the first and last offset of the first
   * time if it is a retry. Throws what `ProducerStates.check` throws.
   */
  check(summary: BatchSummary): { baseOffset: number; lastOffset: number; timestamp: number } | null {
    const { producers } = summary
    if (producers === null) return null
    const first = this.#states!.check(producers[0])
    if (first === null) return null
    const last = producers.length === 1 ? first : this.#states!.check(producers[producers.length - 1])
    return { ...first, lastOffset: (last ?? first).lastOffset }
  }

  /** Notes an append whose batches begin at `baseOffset`. */
  apply(summary: BatchSummary, baseOffset: number): void {
    if (summary.producers === null) return
    this.#changed = true
    for (const batch of summary.producers) {
      this.#states!.apply({
        ...batch,
        firstOffset: baseOffset + batch.firstOffset,
        lastOffset: baseOffset + batch.lastOffset,
      })
    }
  }

  /** Counts what was appended; starts a snapshot when one is due. Call it when offsets and state agree. */
  grew(bytes: number): void {
    this.#bytesSinceSnapshot += bytes
    if (this.#bytesSinceSnapshot < snapshotIntervalBytes) return
    this.#bytesSinceSnapshot = 0
    this.#inBackground(this.load().then(() => this.#write()))
  }

  /** A segment begins at the end of the log: Kafka keeps a snapshot there. */
  rolled(): void {
    if (this.#states !== null) this.#inBackground(this.#write())
  }

  /** Before a clean close: what the snapshots lack. `unclean`: the log was not opened clean, so much may be missing. */
  async finish(unclean: boolean): Promise<void> {
    if (unclean) await this.load()
    if (this.#changed || (unclean && this.#states!.size > 0)) await this.#write()
    await this.#writing
  }

  async entries(): Promise<ProducerSnapshotEntry[]> {
    await this.load()
    return this.#states!.snapshot()
  }

  expire(now: number, expirationMs: number): void {
    if (this.#states !== null && this.#states.expire(now, expirationMs) > 0) this.#changed = true
  }

  /** The log was cut: snapshots behind its end are wrong, and the state is read again when it is needed. */
  async truncated(): Promise<void> {
    await this.#writing
    const end = this.#endOfLog()
    for (const offset of this.#snapshots.filter((snapshot) => snapshot > end.offset)) await this.#remove(offset)
    this.#states = null
    this.#changed = false
    this.#replayEnd = end
  }

  /** Segments with these bases are gone. */
  async removed(bases: readonly number[]): Promise<void> {
    await this.#writing
    for (const base of bases) if (this.#snapshots.includes(base)) await this.#remove(base)
  }

  #endOfLog(): { segmentBase: number; position: number; offset: number } {
    const { active, endPosition, endOffset } = this.#segments
    return { segmentBase: active.baseOffset, position: endPosition, offset: endOffset }
  }

  async #replay(): Promise<void> {
    const { engine, directory, folder, config } = this.#context
    const { from, entries } = await this.#newestSnapshot()
    const states = new ProducerStates(entries)
    const end = this.#replayEnd
    for (const entry of [...this.#segments.list]) {
      if (entry.baseOffset > end.segmentBase || this.#segments.endOffsetOf(entry) <= from) continue
      const located =
        entry.baseOffset < from ? await entry.use((segment) => segment.locate(from)) : { position: 0, baseOffset: 0 }
      const toPosition = entry.baseOffset === end.segmentBase ? end.position : entry.sizeBytes
      if (located === null || located.position >= toPosition) continue
      const scan = await engine.scanSegment(directory, {
        folder,
        baseOffset: entry.baseOffset,
        fromPosition: located.position,
        toPosition,
        checkCrc: false,
        indexBytes: config.indexBytes,
        indexIntervalBytes: config.indexIntervalBytes,
      })
      if (scan.stopped !== null) throw this.#damaged(entry.baseOffset, scan.stopped)
      for (const batch of scannedProducers(scan.producers)) {
        if (batch.lastOffset < from) continue
        states.apply({
          producerId: batch.producerId,
          producerEpoch: batch.producerEpoch,
          firstSequence: batch.baseSequence,
          lastSequence: batch.baseSequence < 0 ? -1 : sequenceAfter(batch.baseSequence, batch.lastOffsetDelta),
          firstOffset: batch.baseOffset,
          lastOffset: batch.lastOffset,
          timestamp: batch.maxTimestamp,
          transactional: (batch.attributes & attributeBits.transactional) !== 0,
          control: (batch.attributes & attributeBits.control) !== 0,
        })
      }
    }
    this.#states = states
  }

  async #newestSnapshot(): Promise<{ from: number; entries: ProducerSnapshotEntry[] }> {
    for (const offset of [...this.#snapshots].reverse()) {
      if (offset > this.#replayEnd.offset) continue
      const path = this.#path(offset)
      try {
        const bytes = await this.#context.directory.readFile(path)
        return { from: offset, entries: parseProducerSnapshot(bytes, this.#crc32c, path) }
      } catch (error) {
        if (codeOf(error) !== 'CORRUPT_LOG' && codeOf(error) !== 'FILE_NOT_FOUND') throw error
        this.#context.logger.warn({ path, err: error }, 'a producer snapshot is unusable; an older one serves')
      }
    }
    return { from: this.#segments.list.first!.baseOffset, entries: [] }
  }

  /** Writes the state as of now; the file follows when those before it are written. */
  #write(): Promise<void> {
    const offset = this.#segments.endOffset
    if (this.#snapshots.at(-1) === offset) {
      this.#changed = false
      return this.#writing
    }
    const bytes = serializeProducerSnapshot(this.#states!.snapshot(), this.#crc32c)
    this.#changed = false
    this.#writing = this.#writing
      .catch(() => {})
      .then(async () => {
        await this.#context.directory.replaceFile(this.#path(offset), bytes)
        this.#snapshots.push(offset)
        await this.#prune()
      })
    return this.#writing
  }

  async #prune(): Promise<void> {
    const bases = new Set([...this.#segments.list].map((entry) => entry.baseOffset))
    for (const offset of this.#snapshots.slice(0, -keptSnapshots)) {
      if (!bases.has(offset)) await this.#remove(offset)
    }
  }

  async #remove(offset: number): Promise<void> {
    this.#snapshots = this.#snapshots.filter((other) => other !== offset)
    await removeIfThere(this.#context.directory, this.#path(offset))
  }

  #path(offset: number): string {
    return `${this.#context.folder}/${segmentFileName(offset, snapshotSuffix)}`
  }

  #inBackground(work: Promise<void>): void {
    work.catch((error: unknown) => {
      const { topic, partition, logger } = this.#context
      this.#changed = true
      logger.warn(
        { topic, partition, err: error },
        'a producer snapshot could not be written; the next start replays more',
      )
    })
  }

  #damaged(segmentBase: number, stopped: { position: number; offset: number; reason: string }): SeglogError {
    const { topic, partition, folder } = this.#context
    const path = `${folder}/${segmentFileName(segmentBase, '.log')}`
    return new SeglogError(
      'CORRUPT_LOG',
      `${path}: ${stopped.reason} at byte ${stopped.position}; run \`seglog log verify\``,
      { topic, partition, path, position: stopped.position, offset: BigInt(stopped.offset) },
    )
  }
}
