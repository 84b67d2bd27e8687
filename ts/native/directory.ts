import type { OpenedDirectory } from './binding.js'
import type { Calls } from './calls.js'
import type { Directory, EndsSlot, FileStat, LeftBehind, PartitionEnds } from './engine.js'
import type { NativeSegment } from './segment.js'

/** Implements `Directory` over the addon. Made by `Engine.openDirectory`. */
export class NativeDirectory implements Directory {
  readonly path: string
  readonly readOnly: boolean
  readonly leftBehind: LeftBehind
  readonly live: boolean
  readonly mappedLane: boolean
  readonly ends: readonly PartitionEnds[]
  readonly journalWaits: boolean
  onOffline: ((error: Error) => void) | null = null
  /** Segments open in it: they are closed before it is. */
  readonly segments = new Set<NativeSegment>()
  readonly #calls: Calls
  readonly #offlineTicket: number
  #handle: number
  #offline = false
  #closing: Promise<void> | undefined

  constructor(calls: Calls, opened: OpenedDirectory, readOnly: boolean) {
    this.#calls = calls
    this.#handle = opened.handle
    this.path = opened.path
    this.readOnly = readOnly
    this.leftBehind = opened.leftBehind
    this.live = opened.live
    this.mappedLane = opened.mappedLane
    this.ends = opened.ends
    this.journalWaits = opened.journalWaits
    this.#offlineTicket = opened.offlineTicket
    calls.on(this.#offlineTicket, (error) => this.onOffline?.(error))
  }

  /** Names it to the addon; 0 once closed. */
  get handle(): number {
    return this.#handle
  }

  get offline(): boolean {
    this.#offline ||= this.#calls.native.directoryOffline(this.#handle)
    return this.#offline
  }

  slot(topicId: string, partition: number): NativeSlot {
    return new NativeSlot(this.#calls, this.#calls.native.openSlot(this.#handle, topicId, partition))
  }

  topicsChanged(): void {
    this.#calls.native.topicsChanged(this.#handle)
  }

  list(path: string): Promise<string[]> {
    return this.#calls.run((native) => native.listFiles(this.#handle, path))
  }

  stat(path: string): Promise<FileStat | null> {
    return this.#calls.run((native) => native.statFile(this.#handle, path))
  }

  readFile(path: string): Promise<Buffer> {
    return this.#calls.run((native) => native.readFile(this.#handle, path))
  }

  replaceFile(path: string, bytes: Uint8Array): Promise<void> {
    return this.#calls.run((native) => native.replaceFile(this.#handle, path, bytes))
  }

  makeDirectory(path: string): Promise<void> {
    return this.#calls.run((native) => native.makeDirectory(this.#handle, path))
  }

  rename(from: string, to: string): Promise<void> {
    return this.#calls.run((native) => native.renameFile(this.#handle, from, to))
  }

  remove(path: string): Promise<void> {
    return this.#calls.run((native) => native.removeFile(this.#handle, path))
  }

  removeTree(path: string): Promise<void> {
    return this.#calls.run((native) => native.removeTree(this.#handle, path))
  }

  syncDirectory(path: string): Promise<void> {
    return this.#calls.run((native) => native.syncDirectory(this.#handle, path))
  }

  removeJournal(): Promise<void> {
    return this.#calls.run((native) => native.directoryRemoveJournal(this.#handle))
  }

  /** Idempotent: the first call decides whether it is clean. Segments still open are closed as a kill would. */
  close(clean: boolean): Promise<void> {
    this.#closing ??= this.#close(clean)
    return this.#closing
  }

  async #close(clean: boolean): Promise<void> {
    this.#offline = this.offline
    const handle = this.#handle
    this.#handle = 0
    try {
      await Promise.all([...this.segments].map((segment) => segment.close()))
      await this.#calls.run((native) => native.directoryClose(handle, clean))
    } finally {
      this.#calls.on(this.#offlineTicket, undefined)
    }
  }
}

/** Implements `EndsSlot` over the addon. */
export class NativeSlot implements EndsSlot {
  readonly #calls: Calls
  #handle: number

  constructor(calls: Calls, handle: number) {
    this.#calls = calls
    this.#handle = handle
  }

  /** Names it to the addon; 0 once freed. */
  get handle(): number {
    return this.#handle
  }

  set(fields: { highWatermark?: number; lastStableOffset?: number; logStartOffset?: number }): void {
    const { highWatermark = -1, lastStableOffset = -1, logStartOffset = -1 } = fields
    this.#calls.native.slotSet(this.#handle, highWatermark, lastStableOffset, logStartOffset)
  }

  raiseGeneration(): void {
    this.#calls.native.slotRaiseGeneration(this.#handle)
  }

  free(): void {
    const handle = this.#handle
    this.#handle = 0
    this.#calls.native.slotFree(handle)
  }
}
