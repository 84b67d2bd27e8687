/**
 * The typed door to the native engine: what `ts/log` may ask of it. The classes that implement these interfaces
 * are beside this file; nothing above this folder touches the addon.
 *
 * Numbers: offsets, positions and timestamps are safe integers (below 2^53, checked at the border; a log that counts
 * past it is refused). The public library shows offsets as bigint.
 *
 * Threads: methods ending in `Now` run on the calling thread and never wait for the disk. Everything that returns a
 * promise runs on a storage thread. Appends, seal and truncation of one segment run and complete in the order they were
 * called; flushes complete in theirs; reads run beside all of them. Closing waits for what is pending.
 */

import type { Wires } from './wires.js'

/** How a directory was left behind, decided by `.ends` and the clean-shutdown marker. */
export type LeftBehind =
  /** No log was ever here. */
  | 'new'
  /** Closed cleanly: every file is exact. */
  | 'clean'
  /** The writer died, the page cache did not: `.ends` may be believed. */
  | 'killed'
  /** Anything else (power loss, copied directory, failed flush): scan from the recovery point. */
  | 'scan'

/** What `.ends` held for one partition when the directory was opened. */
export interface PartitionEnds {
  topicId: string // 32 hex digits
  partition: number
  segmentBase: number
  endPosition: number
  endOffset: number
  /** Lower bound of what is on disk (segment base of that bound, position in it, offset). */
  durableSegmentBase: number
  durablePosition: number
  durableOffset: number
  highWatermark: number
  lastStableOffset: number
  logStartOffset: number
  generation: number
}

export interface DirectoryOptions {
  readOnly?: boolean
  /** Create the directory if it does not exist (default true). */
  create?: boolean
  /** How large `.journal` may become, at most 128 MiB; 0 (the default): none is made, every segment is flushed by itself. */
  journalBytes?: number
}

export interface FileStat {
  size: number
  modifiedMs: number
  isDirectory: boolean
}

/** A data directory: its lock, its `.ends`, and durable file operations on storage threads. */
export interface Directory {
  readonly path: string
  readonly readOnly: boolean
  readonly leftBehind: LeftBehind
  /** True while a process (for readOnly opens: another one) holds the write lock. */
  readonly live: boolean
  /** The mapped lane is allowed here (file system kind, MADV_POPULATE_WRITE probed). */
  readonly mappedLane: boolean
  /** Set by a failed write or flush (not by a full disk): every write fails with DIRECTORY_OFFLINE, reads go on. */
  readonly offline: boolean
  /** What `.ends` held at open. */
  readonly ends: readonly PartitionEnds[]
  /**
   * Read-only opens after a power loss: acknowledged records wait in `.journal` until the directory is opened for
   * writing. The files do not have them yet, and `ends` may speak of them.
   */
  readonly journalWaits: boolean
  /** Called once when the directory goes offline. */
  onOffline: ((error: Error) => void) | null

  /** A partition's record in `.ends`: found or made. Segments opened with it publish into it. */
  slot(topicId: string, partition: number): EndsSlot
  /** Raises the topics generation in `.ends` (readers re-read `seglog.json`). */
  topicsChanged(): void

  list(path: string): Promise<string[]>
  stat(path: string): Promise<FileStat | null>
  readFile(path: string): Promise<Buffer>
  /** Temporary file, fsync, rename, fsync of the folder. Uses the ballast when the disk is full. */
  replaceFile(path: string, bytes: Uint8Array): Promise<void>
  /** mkdir -p and fsync of the parent. */
  makeDirectory(path: string): Promise<void>
  rename(from: string, to: string): Promise<void>
  remove(path: string): Promise<void>
  removeTree(path: string): Promise<void>
  syncDirectory(path: string): Promise<void>
  /** Flushes what was only journaled and removes `.journal`; before the clean-shutdown marker is written. */
  removeJournal(): Promise<void>
  /**
   * Releases `.ends` and the lock. `clean` says every segment was sealed and flushed and every checkpoint written;
   * the caller has written `.kafka_cleanshutdown` last (replaceFile) before.
   */
  close(clean: boolean): Promise<void>
}

export interface EndsSlot {
  /** Sets what the segment's appends do not: high watermark, last stable offset, log start. */
  set(fields: { highWatermark?: number; lastStableOffset?: number; logStartOffset?: number }): void
  /** Raises the generation: every truncation does. */
  raiseGeneration(): void
  /** Frees the record (partition deleted). */
  free(): void
}

export interface SegmentOptions {
  /** The partition's folder. */
  folder: string
  baseOffset: number
  /** The active segment is appended to; a closed one is only read. */
  active: boolean
  /** segment.bytes: an append that would pass it answers SEGMENT_FULL. */
  segmentBytes: number
  /** segment.index.bytes: index full is SEGMENT_FULL too. */
  indexBytes: number
  indexIntervalBytes: number
  slot: EndsSlot | null
  /** Create the files (a roll or a new partition); they must not exist. */
  create?: boolean
  /**
   * How to find the end of an existing active segment. 'exact': the file's size is the end (clean). A position and
   * offset: believed (from `.ends`, killed process), bytes behind it are zeroed. Default 'exact'.
   */
  end?: 'exact' | { position: number; offset: number }
}

/** Result slots of `appendNow`, by index into its Float64Array. */
export const AppendField = {
  baseOffset: 0,
  lastOffset: 1,
  /** Largest timestamp in this append, -1 none. */
  maxTimestamp: 2,
  /** Published end of the segment in bytes after this append. */
  endPosition: 3,
} as const
export const appendFieldCount = 4

export interface Appended {
  baseOffset: number
  lastOffset: number
  maxTimestamp: number
  endPosition: number
}

/** How an append may treat the bytes it is given. */
export interface AppendOptions {
  /** Stamped into every batch. */
  leaderEpoch: number
  /** Milliseconds to stamp as log append time (bit 3), or -1 to keep create time. */
  appendTime: number
  /** 'compute': in-process batches come without one. 'verify': batches from outside (CORRUPT_BATCH when wrong). */
  crc: 'compute' | 'verify'
  /** Keep the offsets in the batches (replication, import) and require them to be >= the end; else assign from the end. */
  keepOffsets?: boolean
  /** Only with 'verify': the records of uncompressed batches are checked too (INVALID_BATCH). */
  records?: RecordRules | null
}

/**
 * What the records of batches from outside have to be, besides whole, with dense offset deltas and as many as the header
 * says. A header whose largest timestamp is not that of the records is corrected. Compressed batches are not looked into.
 */
export interface RecordRules {
  /** Timestamps lie between these, both included (a record without one, -1, passes). Safe integers. */
  readonly oldest: number
  readonly newest: number
  /** Every record has a key. */
  readonly keyed: boolean
}

/** `appendNow` outcomes: anything but `done` left the segment untouched. */
export const AppendOutcome = {
  done: 0,
  /** Not ready for the mapped lane (too large, idle, not populated, operations pending): use `append`. */
  storageLane: 1,
  /** Roll first: segment.bytes, index full, relative offset overflow. */
  segmentFull: 2,
} as const

export interface SegmentStart {
  /** First batch's max timestamp (for segment.ms), -1 while empty. */
  firstTimestamp: number
  createdMs: number
}

/** One index hit: the batch that holds a position in the log. */
export interface Located {
  /** First offset of the batch. */
  baseOffset: number
  position: number
}

export interface TimestampLocated {
  offset: number
  timestamp: number
  leaderEpoch: number
  /** The batch is compressed: offset and timestamp are its base offset and largest timestamp; decode it for the record. */
  compressed: boolean
}

/** One segment: its `.log` and its two indexes. */
export interface Segment {
  readonly baseOffset: number
  /** Published bytes. */
  readonly endPosition: number
  /** Offset after the last published record; baseOffset while empty. */
  readonly endOffset: number
  /** Everything before this offset in this segment is on disk, in its file or in the journal. */
  readonly durableOffset: number
  /** Everything before this offset is on disk in the segment's own file; what a journal's background flush adds shows late. */
  readonly flushedOffset: number
  /** Largest timestamp in the segment and the last offset of the batch that holds it; -1 while empty. */
  readonly maxTimestamp: number
  readonly maxTimestampOffset: number
  readonly firstTimestamp: number
  readonly createdMs: number

  /**
   * The mapped lane: whole batches (their bytes may be spread over several buffers), appended on this thread. Returns an
   * AppendOutcome; throws for INVALID_BATCH, CORRUPT_BATCH, BATCH_TOO_LARGE, DIRECTORY_OFFLINE, CLOSED. Results go to
   * `out` (appendFieldCount slots). The bytes are copied: the buffers may be reused at once.
   */
  appendNow(buffers: Uint8Array | readonly Uint8Array[], options: AppendOptions, out: Float64Array): number
  /** The storage lane. The buffers must not change until it settles. Rejects with SEGMENT_FULL, NO_SPACE, IO_ERROR... */
  append(buffers: readonly Uint8Array[], options: AppendOptions): Promise<Appended>
  /** Resolves when everything published before this call is on disk. Waiters of one partition share a flush. */
  flush(): Promise<void>

  /**
   * Reads whole batches from the one that holds `offset` (or the next one after it), below `maxPosition`, at most
   * `target.length` bytes. Returns the byte count, 0 if there is none, -1 when cold or not yet loaded (use `read`),
   * and -(n) for n > 1 when the first batch needs n bytes and does not fit.
   */
  readNow(offset: number, maxPosition: number, target: Uint8Array): number
  /** As readNow through a storage thread; the first batch is always whole, whatever maxBytes says. Empty at the end. */
  read(offset: number, maxPosition: number, maxBytes: number): Promise<Buffer>
  /**
   * Fills `target` with the published bytes from `position` on; false where the page cache does not have them all. Throws
   * CORRUPT_LOG where the segment ends before, CLOSED.
   */
  readAtNow(position: number, target: Uint8Array): boolean
  /** As readAtNow through a storage thread; the target must not be used until it settles. */
  readAt(position: number, target: Uint8Array): Promise<void>
  /** Position of the batch that holds `offset` or the next after it; null behind the end; undefined when cold. */
  locateNow(offset: number): Located | null | undefined
  locate(offset: number): Promise<Located | null>
  /** First record (or for compressed data: batch base offset) with a timestamp >= the given one; null if none. */
  locateTimestamp(timestamp: number): Promise<TimestampLocated | null>

  /** Roll or close, part one: final time-index entry, trim `.log`, write indexes, let the mapping go. Not yet on disk. */
  seal(): Promise<void>
  /** Cuts everything from `offset` on (a batch boundary at or below it), index entries too. */
  truncateTo(offset: number): Promise<void>
  /** Closes the files; unpublished or unsealed state of an active segment stays as after a kill. */
  close(): Promise<void>
}

/** One thing a scan learned, in log order. */
export interface ScanResult {
  /** End of the good prefix. */
  endPosition: number
  endOffset: number
  maxTimestamp: number
  maxTimestampOffset: number
  batches: number
  /** Where each new leader epoch begins. */
  epochs: { epoch: number; startOffset: number }[]
  /** Batches with a producer id, packed: see `ts/native/scan.ts` for the reader. */
  producers: Buffer
  /**
   * What stopped the scan before the end of the file, if anything. `zeros`: nothing but zeros follows, which is reserved
   * space and not damage.
   */
  stopped: { position: number; offset: number; reason: string; zeros: boolean } | null
}

export interface ScanOptions {
  folder: string
  baseOffset: number
  /** Start here instead of the beginning (a batch boundary), e.g. to replay producers behind a snapshot. */
  fromPosition?: number
  /** The first offset expected there: a lower one is a fault. */
  fromOffset?: number
  /** Stop here instead of at the end of the file. */
  toPosition?: number
  /** Check every CRC (default true). */
  checkCrc?: boolean
  /** Also walk the records of uncompressed batches. */
  walkRecords?: boolean
  indexIntervalBytes: number
  indexBytes: number
  /** Write fresh `.index` and `.timeindex` from what is found. Only with fromPosition 0. */
  rebuildIndexes?: boolean
  /** Truncate `.log` to the good prefix and fsync it. */
  truncate?: boolean
  /** Compare `.index` and `.timeindex` with the batches and list every difference (log verify). */
  verifyIndexes?: boolean
}

export interface Engine {
  openDirectory(path: string, options?: DirectoryOptions): Promise<Directory>
  openSegment(directory: Directory, options: SegmentOptions): Promise<Segment>
  /** Walks a segment from disk: recovery and `log verify`. */
  scanSegment(directory: Directory, options: ScanOptions): Promise<ScanResult & { indexFaults: string[] }>
  crc32c(bytes: Uint8Array, crc?: number): number
  /** Connected sockets that the engine receives from and sends to; null where the platform has none. */
  readonly wires: Wires | null
  /** Mappings alive in this process. */
  liveMappings(): number
  /** Test hook: the next I/O calls matching `calls` fail; see `native/core/fault_io.h`. Null ends it. */
  injectFaults(plan: FaultPlan | null): void
  /** I/O calls counted since injectFaults. */
  ioCalls(): number
}

export interface FaultPlan {
  /** Fail the n-th I/O call from now (1 = the next). */
  failNth?: number
  /** ... and every one after it. */
  sticky?: boolean
  /** Only calls of these kinds count: open, read, write, reserve, truncate, sync, msync, populate, map, rename, remove, ... */
  kinds?: string[]
  /** Only paths that contain this. */
  pathIncludes?: string
  /** errno name, default EIO. */
  errno?: 'EIO' | 'ENOSPC' | 'EMFILE'
  /** Instead of failing, the process dies at that call, as by kill -9. */
  kill?: boolean
}
