import type { FileStat, LeftBehind, PartitionEnds, ScanResult, TimestampLocated } from './engine.js'
import type { WireBinding } from './wire-binding.js'

/**
 * The raw shape of the addon (`native/addon/addon.cc`): positional arguments, numbers for open things, tickets for
 * promises. Only this folder uses it; the checked, typed classes over it are beside this file.
 *
 * A handle is a number above 0 that names something open; after it is closed every call with it throws CLOSED. A
 * `Ticket` is answered later through `complete`; nothing moves before `kick`.
 */

declare const ticketOf: unique symbol
/** Names a call that was begun; the type says what it will be answered with. */
export type Ticket<T> = number & { readonly [ticketOf]?: T }

/** Called once per batch of finished calls, arrays side by side: an error or null, and the value. */
export type Complete = (tickets: number[], errors: (Error | null)[], values: unknown[]) => void

/** Makes the error the addon throws or answers with. Empty path, -1 and 0 mean none. */
export type MakeError = (
  code: string,
  message: string,
  path: string,
  position: number,
  offset: number,
  errno: number,
) => Error

export interface NativeModule {
  /** A new engine for this thread; it lives until the thread ends. */
  start(complete: Complete, makeError: MakeError): Binding
}

export interface OpenedDirectory {
  handle: number
  path: string
  leftBehind: LeftBehind
  live: boolean
  mappedLane: boolean
  journalWaits: boolean
  ends: PartitionEnds[]
  /** Answered with an error when the directory goes offline. */
  offlineTicket: number
}

/** Where a segment's numbers are in its state array, which the addon fills. */
export const StateField = {
  endPosition: 0,
  endOffset: 1,
  durableOffset: 2,
  maxTimestamp: 3,
  maxTimestampOffset: 4,
  firstTimestamp: 5,
  createdMs: 6,
  flushedOffset: 7,
  /** Four results of the last `appendNow`, or two of the last `locateNow`. */
  result: 8,
} as const
export const stateFieldCount = 12

export const AppendFlag = { verifyCrc: 1, keepOffsets: 2, checkRecords: 4, keyedRecords: 8 } as const
export const ScanFlag = { checkCrc: 1, walkRecords: 2, rebuildIndexes: 4, truncate: 8, verifyIndexes: 16 } as const

export interface Binding extends Partial<WireBinding> {
  kick(): void

  openDirectory(path: string, readOnly: boolean, create: boolean, journalBytes: number): Ticket<OpenedDirectory>
  directoryOffline(directory: number): boolean
  directoryRemoveJournal(directory: number): Ticket<void>
  directoryClose(directory: number, clean: boolean): Ticket<void>
  topicsChanged(directory: number): void

  openSlot(directory: number, topicId: string, partition: number): number
  /** -1 leaves a mark as it is. */
  slotSet(slot: number, highWatermark: number, lastStableOffset: number, logStartOffset: number): void
  slotRaiseGeneration(slot: number): void
  slotFree(slot: number): void

  listFiles(directory: number, path: string): Ticket<string[]>
  statFile(directory: number, path: string): Ticket<FileStat | null>
  readFile(directory: number, path: string): Ticket<Buffer>
  replaceFile(directory: number, path: string, bytes: Uint8Array): Ticket<void>
  makeDirectory(directory: number, path: string): Ticket<void>
  renameFile(directory: number, from: string, to: string): Ticket<void>
  removeFile(directory: number, path: string): Ticket<void>
  removeTree(directory: number, path: string): Ticket<void>
  syncDirectory(directory: number, path: string): Ticket<void>

  openSegment(
    directory: number,
    folder: string,
    baseOffset: number,
    active: boolean,
    create: boolean,
    segmentBytes: number,
    indexBytes: number,
    indexIntervalBytes: number,
    slot: number,
    endPosition: number,
    endOffset: number,
  ): Ticket<number>
  segmentState(segment: number, state: Float64Array): void
  appendNow(
    segment: number,
    buffers: Uint8Array | readonly Uint8Array[],
    leaderEpoch: number,
    appendTime: number,
    flags: number,
    oldest?: number,
    newest?: number,
  ): number
  segmentAppend(
    segment: number,
    buffers: readonly Uint8Array[],
    leaderEpoch: number,
    appendTime: number,
    flags: number,
    oldest?: number,
    newest?: number,
  ): Ticket<[baseOffset: number, lastOffset: number, maxTimestamp: number, endPosition: number]>
  segmentFlush(segment: number): Ticket<void>
  readNow(segment: number, offset: number, maxPosition: number, target: Uint8Array): number
  segmentRead(segment: number, offset: number, maxPosition: number, target: Uint8Array): Ticket<number>
  readAtNow(segment: number, position: number, target: Uint8Array): boolean
  segmentReadAt(segment: number, position: number, target: Uint8Array): Ticket<void>
  locateNow(segment: number, offset: number): number
  segmentLocate(segment: number, offset: number): Ticket<[baseOffset: number, position: number] | null>
  segmentLocateTimestamp(segment: number, timestamp: number): Ticket<TimestampLocated | null>
  segmentSeal(segment: number): Ticket<void>
  segmentTruncate(segment: number, offset: number): Ticket<void>
  segmentClose(segment: number): Ticket<void>

  scanSegment(
    directory: number,
    folder: string,
    baseOffset: number,
    fromPosition: number,
    fromOffset: number,
    toPosition: number,
    flags: number,
    indexIntervalBytes: number,
    indexBytes: number,
  ): Ticket<ScanResult & { indexFaults: string[] }>

  crc32c(bytes: Uint8Array, crc: number): number
  liveMappings(): number
  injectFaults(failNth: number, sticky: boolean, kinds: string, pathIncludes: string, errno: number): void
  ioCalls(): number
}
