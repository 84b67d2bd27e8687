/** Names in a partition's folder, and what Kafka's temporary names mean for it. */

/** Every file of a segment, by suffix; the first is the segment, the rest can be made again or be absent. */
export const segmentSuffixes = ['.log', '.index', '.timeindex', '.txnindex'] as const
export const snapshotSuffix = '.snapshot'
export const leaderEpochFile = 'leader-epoch-checkpoint'

/** Kafka's file name for a base offset: 20 digits. */
export function segmentFileName(baseOffset: number, suffix: string): string {
  return `${String(baseOffset).padStart(20, '0')}${suffix}`
}

interface FoundFile {
  name: string
  baseOffset: number
  /** `.log`, `.snapshot`, ... */
  suffix: string
  /** `.deleted`, `.cleaned`, `.swap` or ''. */
  temporary: string
}

const filePattern = /^(\d{20})(\.log|\.index|\.timeindex|\.txnindex|\.snapshot)(\.deleted|\.cleaned|\.swap)?$/

export function parseFileName(name: string): FoundFile | null {
  const match = filePattern.exec(name)
  if (match === null) return null
  return { name, baseOffset: Number(match[1]), suffix: match[2], temporary: match[3] ?? '' }
}

export interface FolderContents {
  /** Base offsets of the `.log` files, ascending. */
  segments: number[]
  /** Offsets of the producer snapshots, ascending. */
  snapshots: number[]
  /** Index files without their segment. */
  orphans: string[]
  /** Which files of which suffix are there. */
  has(baseOffset: number, suffix: string): boolean
}

export function sortFolder(names: readonly string[]): FolderContents {
  const files = names.map(parseFileName).filter((file) => file !== null && file.temporary === '') as FoundFile[]
  const present = new Set(files.map((file) => file.name))
  const offsets = (suffix: string): number[] =>
    files
      .filter((file) => file.suffix === suffix)
      .map((file) => file.baseOffset)
      .sort((a, b) => a - b)
  const has = (baseOffset: number, suffix: string): boolean => present.has(segmentFileName(baseOffset, suffix))
  return {
    segments: offsets('.log'),
    snapshots: offsets('.snapshot'),
    orphans: files
      .filter((file) => file.suffix !== '.log' && file.suffix !== '.snapshot' && !has(file.baseOffset, '.log'))
      .map((file) => file.name),
    has,
  }
}

/**
 * Kafka deletes by renaming to `.deleted` and replaces segments by way of `.cleaned` and `.swap`. What a crash left of
 * that: `.deleted` and `.cleaned` go, and with them swaps at or above the lowest `.cleaned` (their group was not
 * complete); the other swaps are valid and replace the segments they cover.
 */
export function planTemporaries(names: readonly string[]): { remove: string[]; swaps: string[] } {
  const files = names.map(parseFileName).filter((file) => file !== null) as FoundFile[]
  const cleaned = files.filter((file) => file.temporary === '.cleaned')
  const lowestCleaned = Math.min(...cleaned.map((file) => file.baseOffset))
  const swaps = files.filter((file) => file.temporary === '.swap')
  const invalid = swaps.filter((file) => file.baseOffset >= lowestCleaned)
  const deleted = files.filter((file) => file.temporary === '.deleted')
  return {
    remove: [...deleted, ...invalid, ...cleaned].map((file) => file.name),
    swaps: swaps.filter((file) => file.baseOffset < lowestCleaned).map((file) => file.name),
  }
}

/** The segment files that valid swaps replace: those with a base in [lowest swap, end of the highest swap). */
export function replacedBySwaps(names: readonly string[], swapsFrom: number, swapsEnd: number): string[] {
  return names.filter((name) => {
    const file = parseFileName(name)
    return file !== null && file.temporary === '' && file.baseOffset >= swapsFrom && file.baseOffset < swapsEnd
  })
}
