import { codeOf } from '../log/error-code.js'
import { LeaderEpochs } from '../log/leader-epochs.js'
import { defaultLogConfig } from '../log/log-config.js'
import { parseProducerSnapshot } from '../log/producer-snapshot.js'
import { type FolderContents, leaderEpochFile, segmentFileName, sortFolder } from '../log/segment-files.js'
import type { Directory, Engine, PartitionEnds, ScanResult } from '../native/engine.js'

/** Something wrong in a data directory. */
export interface Fault {
  topic: string
  partition: number
  /** The file at fault, relative to the data directory. */
  path: string
  /** Byte position in it, where there is one. */
  position?: number
  /** Offset of the record that should be there, where there is one. */
  offset?: number
  what: string
  /** What `--repair` would do about it, null if it cannot do anything. */
  repair: 'truncate' | 'rebuild index' | 'rewrite checkpoint' | null
}

/** What is known of a partition before its folder is looked at. */
export interface PartitionState {
  topic: string
  partition: number
  folder: string
  /** Closed cleanly: every file has to be exact. */
  isClean: boolean
  /** Where a killed or running writer says its log ends; null if nothing does. */
  ends: PartitionEnds | null
  /** Everything before it was on disk. */
  durableOffset: number
  logStartOffset: number
  /** Offsets may be missing. */
  isCompacted: boolean
}

export interface PartitionReport {
  faults: Fault[]
  segments: number
  batches: number
  bytes: number
  endOffset: number
}

/** Reads every byte of a partition and compares all its files with each other. Writes nothing. */
export class PartitionCheck {
  private readonly faults: Fault[] = []
  private batches = 0
  private bytes = 0
  private readonly epochs: { epoch: number; startOffset: number }[] = []

  constructor(
    private readonly engine: Engine,
    private readonly directory: Directory,
    private readonly state: PartitionState,
    private readonly onProgress: (bytes: number) => void,
  ) {}

  async run(): Promise<PartitionReport> {
    const contents = sortFolder(await this.directory.list(this.state.folder))
    const { segments } = contents
    for (const orphan of contents.orphans) this.fault(orphan, 'an index without its segment', 'rebuild index')
    if (segments.length === 0) {
      // A folder made just before a kill is empty, and stays so until the partition is first used.
      if (this.state.durableOffset > 0) this.fault('', 'there is no segment in this folder', 'truncate')
      return this.report(contents, this.state.logStartOffset)
    }
    let endOffset = segments[0]
    for (const [index, baseOffset] of segments.entries()) {
      if (index > 0) this.compareNeighbours(baseOffset, endOffset)
      const isLast = index === segments.length - 1
      const scan = await this.checkSegment(contents, baseOffset, isLast)
      endOffset = Math.max(endOffset, scan.endOffset)
    }
    this.checkMarks(segments[0], endOffset)
    await this.checkEpochs(endOffset)
    for (const offset of contents.snapshots) await this.checkSnapshot(offset)
    return this.report(contents, endOffset)
  }

  private async checkSegment(contents: FolderContents, baseOffset: number, isLast: boolean): Promise<ScanResult> {
    const { state, engine, directory } = this
    const name = segmentFileName(baseOffset, '.log')
    const isExact = state.isClean || !isLast
    for (const suffix of ['.index', '.timeindex']) {
      if (isExact && !contents.has(baseOffset, suffix)) {
        this.fault(segmentFileName(baseOffset, suffix), 'this index is missing', 'rebuild index')
      }
    }
    const hasIndexes = contents.has(baseOffset, '.index') && contents.has(baseOffset, '.timeindex')
    const end = isLast && state.ends?.segmentBase === baseOffset ? state.ends : null
    const scan = await engine.scanSegment(directory, {
      folder: state.folder,
      baseOffset,
      indexBytes: defaultLogConfig.indexBytes,
      indexIntervalBytes: defaultLogConfig.indexIntervalBytes,
      walkRecords: true,
      // The indexes of a segment that was being written are behind it by design.
      verifyIndexes: isExact && hasIndexes,
      ...(end !== null && !state.isClean ? { toPosition: end.endPosition } : {}),
    })
    const { stopped } = scan
    if (stopped !== null && !this.isTail(stopped, isLast)) {
      this.fault(name, stopped.reason, 'truncate', { position: stopped.position, offset: stopped.offset })
    }
    for (const what of scan.indexFaults) {
      this.fault(segmentFileName(baseOffset, /time/i.test(what) ? '.timeindex' : '.index'), what, 'rebuild index')
    }
    this.batches += scan.batches
    this.bytes += scan.endPosition
    this.onProgress(scan.endPosition)
    for (const one of scan.epochs) if (one.epoch !== this.epochs.at(-1)?.epoch) this.epochs.push(one)
    return scan
  }

  /** What an unclean stop leaves behind the end: reserved space, or a write that nobody was promised. */
  private isTail(stopped: { offset: number; zeros: boolean }, isLast: boolean): boolean {
    const { isClean, ends, durableOffset } = this.state
    if (isClean || !isLast) return false
    return ends === null ? stopped.offset >= durableOffset : stopped.offset >= ends.endOffset
  }

  private compareNeighbours(baseOffset: number, endBefore: number): void {
    const name = segmentFileName(baseOffset, '.log')
    if (endBefore > baseOffset) {
      const what = `the segment before it ends at offset ${endBefore}, this one begins at ${baseOffset}`
      this.fault(name, what, null, { offset: baseOffset })
    } else if (endBefore < baseOffset && !this.state.isCompacted) {
      const what = `offsets ${endBefore} to ${baseOffset - 1} are missing before this segment`
      this.fault(name, what, null, { offset: endBefore })
    }
  }

  private checkMarks(firstOffset: number, endOffset: number): void {
    const { durableOffset, logStartOffset, ends, isClean } = this.state
    if (durableOffset > endOffset) {
      const what = `the log ends at offset ${endOffset}, but ${durableOffset} had reached the disk`
      this.fault('', what, 'truncate', { offset: endOffset })
    }
    if (!isClean && ends !== null && ends.endOffset > endOffset && durableOffset <= endOffset) {
      const what = `the log ends at offset ${endOffset}, its writer had reached ${ends.endOffset}`
      this.fault('', what, 'truncate', { offset: endOffset })
    }
    if (logStartOffset > endOffset) {
      this.fault('', `the log start ${logStartOffset} lies behind the end ${endOffset}`, null, {
        offset: logStartOffset,
      })
    }
    if (firstOffset > logStartOffset && logStartOffset > 0) {
      const what = `offsets ${logStartOffset} to ${firstOffset - 1} are missing at the log's start`
      this.fault('', what, null, { offset: logStartOffset })
    }
  }

  /** The checkpoint has to say of every batch which leader wrote it. */
  private async checkEpochs(endOffset: number): Promise<void> {
    const found = await this.readEpochs()
    if (found === null) return
    for (let index = 1; index < this.epochs.length; index++) {
      const [before, after] = [this.epochs[index - 1], this.epochs[index]]
      if (after.epoch > before.epoch) continue
      const what = `leader epoch ${after.epoch} follows ${before.epoch} at offset ${after.startOffset}`
      this.fault('', what, null, { offset: after.startOffset })
    }
    for (const { epoch, startOffset } of this.epochs) {
      if (found.epochAt(startOffset) === epoch) continue
      const noted = found.epochAt(startOffset)
      const what = `the batch at offset ${startOffset} has leader epoch ${epoch}, the checkpoint says ${noted < 0 ? 'nothing' : noted}`
      this.fault(leaderEpochFile, what, 'rewrite checkpoint', { offset: startOffset })
    }
    for (const { epoch, startOffset } of found.entries) {
      if (startOffset <= endOffset || !this.state.isClean) continue
      const what = `leader epoch ${epoch} begins at offset ${startOffset}, behind the end ${endOffset}`
      this.fault(leaderEpochFile, what, 'rewrite checkpoint', { offset: startOffset })
    }
  }

  private async readEpochs(): Promise<LeaderEpochs | null> {
    const path = `${this.state.folder}/${leaderEpochFile}`
    try {
      return LeaderEpochs.parse(await this.directory.readFile(path), path)
    } catch (error) {
      // An empty log has none.
      if (codeOf(error) === 'FILE_NOT_FOUND') return new LeaderEpochs()
      if (codeOf(error) !== 'CORRUPT_LOG') throw error
      this.fault(leaderEpochFile, messageOf(error), 'rewrite checkpoint')
      return null
    }
  }

  private async checkSnapshot(offset: number): Promise<void> {
    const name = segmentFileName(offset, '.snapshot')
    const path = `${this.state.folder}/${name}`
    try {
      const bytes = await this.directory.readFile(path)
      for (const entry of parseProducerSnapshot(bytes, (part) => this.engine.crc32c(part), path)) {
        if (entry.lastOffset < offset) continue
        const what = `producer ${entry.producerId} has written offset ${entry.lastOffset}, which this snapshot lies before`
        this.fault(name, what, 'rewrite checkpoint', { offset })
      }
    } catch (error) {
      if (codeOf(error) !== 'CORRUPT_LOG') throw error
      this.fault(name, messageOf(error), 'rewrite checkpoint', { offset })
    }
  }

  private fault(
    name: string,
    what: string,
    repair: Fault['repair'],
    place: { position?: number; offset?: number } = {},
  ): void {
    const { topic, partition, folder } = this.state
    this.faults.push({ topic, partition, path: name === '' ? folder : `${folder}/${name}`, ...place, what, repair })
  }

  private report(contents: FolderContents, endOffset: number): PartitionReport {
    const { faults, batches, bytes } = this
    return { faults, segments: contents.segments.length, batches, bytes, endOffset }
  }
}

function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error)
}
