import { AppendFlag, type Binding, StateField, stateFieldCount } from './binding.js'
import type { Calls } from './calls.js'
import type { Appended, AppendOptions, Located, Segment, TimestampLocated } from './engine.js'

/** Implements `Segment` over the addon. Made by `Engine.openSegment`. */
export class NativeSegment implements Segment {
  readonly baseOffset: number
  readonly #calls: Calls
  readonly #native: Binding
  readonly #state = new Float64Array(stateFieldCount)
  #handle: number
  #flush: { readonly turn: number; readonly done: Promise<void> } | undefined
  #closing: Promise<void> | undefined
  readonly #onClosed: (segment: NativeSegment) => void

  constructor(calls: Calls, handle: number, baseOffset: number, onClosed: (segment: NativeSegment) => void) {
    this.#calls = calls
    this.#native = calls.native
    this.#handle = handle
    this.baseOffset = baseOffset
    this.#onClosed = onClosed
    this.#native.segmentState(handle, this.#state)
  }

  /** Names it to the addon; 0 once it is closed. */
  get handle(): number {
    return this.#handle
  }

  get endPosition(): number {
    return this.#state[StateField.endPosition]!
  }

  get endOffset(): number {
    return this.#state[StateField.endOffset]!
  }

  get durableOffset(): number {
    return this.#state[StateField.durableOffset]!
  }

  get flushedOffset(): number {
    return this.#state[StateField.flushedOffset]!
  }

  get maxTimestamp(): number {
    return this.#state[StateField.maxTimestamp]!
  }

  get maxTimestampOffset(): number {
    return this.#state[StateField.maxTimestampOffset]!
  }

  get firstTimestamp(): number {
    return this.#state[StateField.firstTimestamp]!
  }

  get createdMs(): number {
    return this.#state[StateField.createdMs]!
  }

  appendNow(buffers: Uint8Array | readonly Uint8Array[], options: AppendOptions, out: Float64Array): number {
    const { leaderEpoch, appendTime } = options
    const { records } = options
    const flags = appendFlags(options)
    const outcome = records
      ? this.#native.appendNow(this.#handle, buffers, leaderEpoch, appendTime, flags, records.oldest, records.newest)
      : this.#native.appendNow(this.#handle, buffers, leaderEpoch, appendTime, flags)
    if (outcome === 0) {
      const state = this.#state
      out[0] = state[StateField.result]!
      out[1] = state[StateField.result + 1]!
      out[2] = state[StateField.result + 2]!
      out[3] = state[StateField.result + 3]!
    }
    return outcome
  }

  async append(buffers: readonly Uint8Array[], options: AppendOptions): Promise<Appended> {
    const { leaderEpoch, appendTime, records } = options
    const flags = appendFlags(options)
    const { oldest, newest } = records ?? anyTime
    const [baseOffset, lastOffset, maxTimestamp, endPosition] = await this.#calls.run(
      (native) => native.segmentAppend(this.#handle, buffers, leaderEpoch, appendTime, flags, oldest, newest),
      buffers,
    )
    return { baseOffset, lastOffset, maxTimestamp, endPosition }
  }

  /** Calls of one turn share one promise: the round that serves them begins after all of them. */
  flush(): Promise<void> {
    if (this.#flush?.turn !== this.#calls.turn) {
      const done = this.#calls.run((native) => native.segmentFlush(this.#handle))
      this.#flush = { turn: this.#calls.turn, done }
    }
    return this.#flush.done
  }

  readNow(offset: number, maxPosition: number, target: Uint8Array): number {
    return this.#native.readNow(this.#handle, offset, maxPosition, target)
  }

  async read(offset: number, maxPosition: number, maxBytes: number): Promise<Buffer> {
    let size = Math.max(0, Math.min(maxBytes, maxPosition, this.endPosition))
    for (;;) {
      const target = Buffer.allocUnsafeSlow(size)
      const bytes = await this.#readInto(offset, maxPosition, target)
      if (bytes >= 0) return trimmed(target, bytes)
      size = -bytes // the first batch is given whole, even where it is larger than asked for
    }
  }

  #readInto(offset: number, maxPosition: number, target: Uint8Array): Promise<number> {
    return this.#calls.run((native) => native.segmentRead(this.#handle, offset, maxPosition, target), target)
  }

  readAtNow(position: number, target: Uint8Array): boolean {
    return this.#native.readAtNow(this.#handle, position, target)
  }

  readAt(position: number, target: Uint8Array): Promise<void> {
    return this.#calls.run((native) => native.segmentReadAt(this.#handle, position, target), target)
  }

  locateNow(offset: number): Located | null | undefined {
    const found = this.#native.locateNow(this.#handle, offset)
    if (found < 0) return undefined
    if (found === 0) return null
    return { baseOffset: this.#state[StateField.result]!, position: this.#state[StateField.result + 1]! }
  }

  async locate(offset: number): Promise<Located | null> {
    const found = await this.#calls.run((native) => native.segmentLocate(this.#handle, offset))
    return found && { baseOffset: found[0], position: found[1] }
  }

  locateTimestamp(timestamp: number): Promise<TimestampLocated | null> {
    return this.#calls.run((native) => native.segmentLocateTimestamp(this.#handle, timestamp))
  }

  seal(): Promise<void> {
    return this.#calls.run((native) => native.segmentSeal(this.#handle))
  }

  truncateTo(offset: number): Promise<void> {
    return this.#calls.run((native) => native.segmentTruncate(this.#handle, offset))
  }

  /** Idempotent; waits for what is pending. */
  close(): Promise<void> {
    this.#closing ??= this.#close()
    return this.#closing
  }

  async #close(): Promise<void> {
    const handle = this.#handle
    this.#handle = 0
    this.#flush = undefined
    try {
      await this.#calls.run((native) => native.segmentClose(handle))
    } finally {
      this.#onClosed(this)
    }
  }
}

const anyTime = { oldest: 0, newest: 0 } as const

function appendFlags(options: AppendOptions): number {
  const { crc, keepOffsets, records } = options
  let flags = crc === 'verify' ? AppendFlag.verifyCrc : 0
  if (keepOffsets) flags |= AppendFlag.keepOffsets
  if (records) flags |= AppendFlag.checkRecords | (records.keyed ? AppendFlag.keyedRecords : 0)
  return flags
}

/** The first bytes of a buffer; a copy where the rest would be kept alive for little. */
function trimmed(target: Buffer, bytes: number): Buffer {
  if (bytes === target.length) return target
  const used = target.subarray(0, bytes)
  return bytes * 2 < target.length ? Buffer.from(used) : used
}
