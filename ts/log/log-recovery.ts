import { SeglogError } from '../errors/seglog-error.js'
import type { PartitionEnds, ScanResult, Segment } from '../native/engine.js'
import { codeOf } from './error-code.js'
import { clearTemporaries } from './kafka-temporaries.js'
import { LeaderEpochs } from './leader-epochs.js'
import type { LogContext } from './log-context.js'
import { openActiveSegment, openClosedSegment, removeIfThere } from './log-segments.js'
import { type FolderContents, leaderEpochFile, segmentFileName, segmentSuffixes, sortFolder } from './segment-files.js'

/** What is known of a partition before its folder is looked at. */
export interface LeftBehindLog {
  /**
   * 'exact': closed cleanly. 'ends': killed, `ends` may be believed. 'untouched': killed, but that process never opened
   * this log. 'scan': look at the bytes.
   */
  readonly how: 'exact' | 'ends' | 'untouched' | 'scan'
  /** The partition's record in `.ends`; when it is not to be believed its durable end is still a lower bound. */
  readonly ends: PartitionEnds | null
  /** From the checkpoint; everything below it was on disk. */
  readonly recoveryPoint: number
  readonly logStartOffset: number
}

export interface RecoveredLog {
  /** Segments before the active one. */
  readonly closed: readonly { baseOffset: number; sizeBytes: number }[]
  readonly active: Segment
  /** Where the log ends; a read-only open may find bytes behind it. */
  readonly end: { position: number; offset: number }
  readonly epochs: LeaderEpochs
  /** The newest leader epoch that was ever noted, also where its records are lost. */
  readonly highestEpoch: number
  /** Records behind the end may have been seen and lost: a new leader epoch must begin before the first append. */
  readonly mayHaveLost: boolean
  /** Closed segments from here on may not be on disk yet. */
  readonly flushFrom: number
  /** Offsets of the producer snapshots at or below the end. */
  readonly snapshots: readonly number[]
  readonly logStartOffset: number
}

interface End {
  position: number
  offset: number
}

/**
 * Brings an existing partition folder into order and opens its active segment. A clean or killed log costs a few calls
 * per partition whatever its size; a scan reads from the recovery point on. Read-only, nothing is written: what a writer
 * would cut is left out in memory.
 *
 * CORRUPT_LOG (path, position, offset) if something is missing or wrong below the durable end: then nothing is cut.
 */
export async function recoverLog(context: LogContext, left: LeftBehindLog): Promise<RecoveredLog> {
  const folder = await openFolder(context)
  const epochs = await readEpochs(context)
  if (folder.segments.length === 0) {
    const bound = durableBound(left)
    if (bound > left.logStartOffset) throw missing(context, 'no segment is there', left.logStartOffset, bound)
    return startOver(context, left, epochs, folder.snapshots)
  }
  if (left.how === 'ends' && left.ends !== null) {
    const believed = await believeEnds(context, left, left.ends, folder, epochs)
    if (believed !== null) return believed
  }
  if (left.how === 'exact') await rebuildMissingIndexes(context, left, folder)
  const highestEpoch = epochs.latest
  const untouched = left.how === 'exact' ? null : await endOfUntouched(context, left, folder)
  const scan = left.how !== 'exact' && untouched === null
  const end = scan ? await scanFrom(context, left, folder, epochs) : (untouched ?? 'exact')
  const active = await openActiveSegment(context, folder.segments.at(-1)!, { end })
  const offset = end === 'exact' ? active.endOffset : end.offset
  await checkBound(context, left, active, offset)
  if (offset < left.logStartOffset && !context.readOnly) {
    await active.close()
    for (const base of folder.segments) await removeSegment(context, base)
    return startOver(
      context,
      left,
      new LeaderEpochs([{ epoch: Math.max(highestEpoch, 0), startOffset: 0 }]),
      folder.snapshots,
    )
  }
  const flushFrom = scan ? Math.min(left.recoveryPoint, offset) : offset
  // After a power loss a log that looks untouched may have lost what was behind its recovery point; and a kill may have
  // followed a power loss before this log's turn to be put in order came.
  const mayHaveLost = scan || left.how === 'scan' || left.how === 'untouched'
  const position = end === 'exact' ? active.endPosition : end.position
  return finish(context, left, folder, epochs, active, {
    end: { position, offset },
    mayHaveLost,
    flushFrom,
    highestEpoch,
  })
}

async function finish(
  context: LogContext,
  left: LeftBehindLog,
  folder: FolderContents,
  epochs: LeaderEpochs,
  active: Segment,
  outcome: { end: End; mayHaveLost: boolean; flushFrom: number; highestEpoch: number },
): Promise<RecoveredLog> {
  const { segments } = folder
  const bases = segments.slice(0, segments.indexOf(active.baseOffset))
  const closed = await Promise.all(
    bases.map(async (baseOffset) => ({ baseOffset, sizeBytes: await logSize(context, baseOffset) })),
  )
  const { offset: endOffset } = outcome.end
  const logStartOffset = Math.min(Math.max(left.logStartOffset, segments[0]), endOffset)
  epochs.truncateFromEnd(endOffset + 1)
  epochs.truncateFromStart(logStartOffset)
  const snapshots = folder.snapshots.filter((offset) => offset <= endOffset)
  if (!context.readOnly) {
    for (const offset of folder.snapshots) {
      if (offset > endOffset) await removeIfThere(context.directory, pathOf(context, offset, '.snapshot'))
    }
  }
  return { closed, active, epochs, snapshots, logStartOffset, ...outcome }
}

async function openFolder(context: LogContext): Promise<FolderContents> {
  const { directory, folder, readOnly } = context
  const names = await directory.list(folder)
  if (readOnly) return sortFolder(names)
  const changed = await clearTemporaries(directory, folder, names)
  const contents = sortFolder(changed ? await directory.list(folder) : names)
  for (const orphan of contents.orphans) await removeIfThere(directory, `${folder}/${orphan}`)
  return contents
}

async function readEpochs(context: LogContext): Promise<LeaderEpochs> {
  const path = `${context.folder}/${leaderEpochFile}`
  try {
    return LeaderEpochs.parse(await context.directory.readFile(path), path)
  } catch (error) {
    if (codeOf(error) === 'FILE_NOT_FOUND') return new LeaderEpochs()
    throw error
  }
}

/** No segment at all: a partition just made, or one whose records were all deleted. */
async function startOver(
  context: LogContext,
  left: LeftBehindLog,
  epochs: LeaderEpochs,
  snapshots: readonly number[],
): Promise<RecoveredLog> {
  const base = left.logStartOffset
  if (context.readOnly) {
    const { topic, partition, folder } = context
    throw new SeglogError('FILE_NOT_FOUND', `${folder} has no segment yet; its writer makes one`, { topic, partition })
  }
  for (const offset of snapshots) await removeIfThere(context.directory, pathOf(context, offset, '.snapshot'))
  const active = await openActiveSegment(context, base, { create: true })
  const highestEpoch = epochs.latest
  epochs.truncateFromEnd(base + 1)
  const end = { position: 0, offset: base }
  const outcome = { end, highestEpoch, mayHaveLost: true, flushFrom: base, logStartOffset: base }
  return { closed: [], active, epochs, snapshots: [], ...outcome }
}

/** After a kill on the same boot: `.ends` says where the log ended. Null if the files do not agree with it. */
async function believeEnds(
  context: LogContext,
  left: LeftBehindLog,
  ends: PartitionEnds,
  folder: FolderContents,
  epochs: LeaderEpochs,
): Promise<RecoveredLog | null> {
  if (!folder.segments.includes(ends.segmentBase)) return null
  const end = { position: ends.endPosition, offset: ends.endOffset }
  // A segment made but not yet published held nothing that anyone was promised.
  const unpublished = folder.segments.filter((base) => base > ends.segmentBase)
  if (!context.readOnly) for (const base of unpublished) await removeSegment(context, base)
  const segments = folder.segments.filter((base) => base <= ends.segmentBase)
  const published = { ...folder, segments }
  if (!context.readOnly) await rebuildMissingIndexes(context, left, { ...published, segments: segments.slice(0, -1) })
  let active: Segment
  try {
    active = await openActiveSegment(context, ends.segmentBase, { end })
  } catch (error) {
    if (codeOf(error) !== 'CORRUPT_LOG') throw error
    context.logger.warn({ folder: context.folder, err: error }, 'the end noted at the kill does not fit; scanning')
    return null
  }
  await checkBound(context, left, active, end.offset)
  const logStartOffset = Math.max(left.logStartOffset, ends.logStartOffset)
  const flushFrom = Math.min(end.offset, durableBound(left))
  const outcome = { end, mayHaveLost: false, flushFrom, highestEpoch: epochs.latest }
  return finish(context, { ...left, logStartOffset }, published, epochs, active, outcome)
}

/**
 * Everything below this offset was promised to be on disk. A durable end at the very start of a segment is what a roll
 * notes before the segment in front of it is flushed: it promises nothing.
 */
function durableBound({ recoveryPoint, ends }: LeftBehindLog): number {
  return ends !== null && ends.durablePosition > 0 ? Math.max(recoveryPoint, ends.durableOffset) : recoveryPoint
}

/** A file cut at a batch's end looks whole. CORRUPT_LOG, with the segment closed, if the log ends below its bound. */
async function checkBound(context: LogContext, left: LeftBehindLog, active: Segment, endOffset: number): Promise<void> {
  const bound = durableBound(left)
  if (endOffset >= bound) return
  await active.close()
  throw missing(context, 'the log is shorter than what was acknowledged', endOffset, bound)
}

/** Indexes can be made again from their segment. */
async function rebuildMissingIndexes(context: LogContext, left: LeftBehindLog, folder: FolderContents): Promise<void> {
  for (const base of folder.segments) {
    if (folder.has(base, '.index') && folder.has(base, '.timeindex')) continue
    if (context.readOnly) continue
    context.logger.info({ folder: context.folder, baseOffset: base }, 'rebuilding a missing index')
    const scan = await scanSegment(context, base, { rebuildIndexes: true })
    if (scan.stopped !== null) throw damaged(context, base, scan.stopped, left)
  }
}

/**
 * Reads every segment that reaches above the recovery point, CRCs included, and makes its indexes again. The first bad
 * byte above the durable end is where a torn write ends the log: it is cut there, later segments go. `folder.segments`
 * keeps what stays.
 */
async function scanFrom(
  context: LogContext,
  left: LeftBehindLog,
  folder: FolderContents,
  epochs: LeaderEpochs,
): Promise<End> {
  const bound = durableBound(left)
  const { segments } = folder
  let end = { position: 0, offset: segments[0] }
  for (let i = 0; i < segments.length; i++) {
    const base = segments[i]
    const next = segments[i + 1]
    if (next !== undefined && next <= left.recoveryPoint) {
      if (!context.readOnly) await rebuildMissingIndexes(context, left, { ...folder, segments: [base] })
      continue
    }
    const scan = await scanSegment(context, base, { rebuildIndexes: !context.readOnly })
    end = { position: scan.endPosition, offset: scan.endOffset }
    epochs.truncateFromEnd(base)
    for (const { epoch, startOffset } of scan.epochs) epochs.assign(epoch, startOffset)
    if (next !== undefined && end.offset > next) {
      throw damaged(context, base, { ...end, reason: `offsets reach past the next segment (${next})` }, left)
    }
    if (scan.stopped === null) continue
    const { stopped } = scan
    if (stopped.offset < bound) throw damaged(context, base, stopped, left)
    const lost = next !== undefined && end.offset < next ? segments.slice(i + 1) : []
    context.logger.warn(
      { folder: context.folder, baseOffset: base, ...stopped, segmentsRemoved: lost.length },
      'the log ends in a torn write; cutting it there',
    )
    if (!context.readOnly) {
      await scanSegment(context, base, { fromPosition: end.position, truncate: true })
      for (const later of [...lost].reverse()) await removeSegment(context, later)
    }
    segments.length -= lost.length
    if (lost.length > 0) break
  }
  if (end.offset < bound) throw missing(context, 'the log is shorter than what was acknowledged', end.offset, bound)
  return end
}

/**
 * A log that nobody has touched since its recovery point was its end is exact: reading its last batches shows it. Null if
 * it must be scanned.
 */
async function endOfUntouched(context: LogContext, left: LeftBehindLog, folder: FolderContents): Promise<End | null> {
  const base = folder.segments.at(-1)!
  const { recoveryPoint } = left
  if (recoveryPoint < base || durableBound(left) !== recoveryPoint) return null
  if (!folder.segments.every((each) => folder.has(each, '.index') && folder.has(each, '.timeindex'))) return null
  if (recoveryPoint === base) return (await logSize(context, base)) === 0 ? { position: 0, offset: base } : null
  try {
    const segment = await openClosedSegment(context, base)
    const located = await segment.locate(recoveryPoint - 1).finally(() => segment.close())
    if (located === null) return null
    const scan = await scanSegment(context, base, { fromPosition: located.position })
    const untouched = scan.stopped === null && scan.endOffset === recoveryPoint
    return untouched ? { position: scan.endPosition, offset: scan.endOffset } : null
  } catch (error) {
    if (codeOf(error) !== 'CORRUPT_LOG') throw error
    return null
  }
}

function scanSegment(
  context: LogContext,
  baseOffset: number,
  how: { fromPosition?: number; rebuildIndexes?: boolean; truncate?: boolean },
): Promise<ScanResult> {
  const { engine, directory, folder, config } = context
  const { indexBytes, indexIntervalBytes } = config
  return engine.scanSegment(directory, { folder, baseOffset, indexBytes, indexIntervalBytes, ...how })
}

async function removeSegment(context: LogContext, baseOffset: number): Promise<void> {
  for (const suffix of segmentSuffixes) await removeIfThere(context.directory, pathOf(context, baseOffset, suffix))
  await context.directory.syncDirectory(context.folder)
}

async function logSize(context: LogContext, baseOffset: number): Promise<number> {
  return (await context.directory.stat(pathOf(context, baseOffset, '.log')))?.size ?? 0
}

function pathOf(context: LogContext, offset: number, suffix: string): string {
  return `${context.folder}/${segmentFileName(offset, suffix)}`
}

function damaged(
  context: LogContext,
  baseOffset: number,
  stopped: { position: number; offset: number; reason: string },
  left: LeftBehindLog,
): SeglogError {
  const { topic, partition } = context
  const path = pathOf(context, baseOffset, '.log')
  const { position, offset, reason } = stopped
  return new SeglogError(
    'CORRUPT_LOG',
    `${path} is damaged at byte ${position} (offset ${offset}): ${reason}. Records up to offset ${durableBound(left)} were ` +
      'acknowledged, so nothing was cut; run `seglog log verify`, `--repair` truncates there',
    { topic, partition, path, position, offset: BigInt(offset) },
  )
}

function missing(context: LogContext, what: string, endOffset: number, bound: number): SeglogError {
  const { topic, partition, folder } = context
  return new SeglogError(
    'CORRUPT_LOG',
    `${folder}: ${what}: it ends at offset ${endOffset}, ${bound} was reached on disk; restore the folder, or run ` +
      '`seglog log verify --repair` to go on without',
    { topic, partition, path: folder, offset: BigInt(endOffset) },
  )
}
