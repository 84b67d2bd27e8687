/**
 * The addon's calls for wires: TCP connections whose descriptor the addon owns. It receives and cuts what comes into
 * frames on the loop thread; answers leave on the loop thread where the socket takes them at once, and by the transfer
 * thread otherwise. Missing where the platform has none.
 */
export interface WireBinding {
  /** Once, before the first wireAdopt. The array's length bounds what one delivery tells. */
  wireStart(events: Float64Array, deliver: DeliverWires): void
  /**
   * Takes a connected non-blocking socket over by a descriptor of its own; the caller closes its. Throws UNSUPPORTED,
   * TOO_MANY_OPEN_FILES, IO_ERROR. It is received from until it is paused.
   */
  wireAdopt(descriptor: number, maxRequestBytes: number): number
  /** Nothing more is received; an error of the connection is still told. */
  wirePause(wire: number): void
  /** After a length that cannot be one: what comes is dropped from now on. */
  wireResume(wire: number): void
  /**
   * Parts in order: bytes, or three numbers (segment, position, length). True when all was given to the system. False when
   * the transfer has it: `WireFlag.sent` follows, and nothing may be sent before. `force` gives the transfer all of it.
   * Throws CLOSED for a closed wire or segment; nothing was sent then.
   */
  wireSend(wire: number, parts: readonly (Uint8Array | number)[], force: boolean): boolean
  /** Closes our end. Only when nothing is with the transfer. */
  wireEnd(wire: number): void
  /** Cancels what is with the transfer and closes; no event follows. */
  wireClose(wire: number): void
  /** Fills in the `WireState` fields. */
  wireState(wire: number, state: Float64Array): void
  /** Gives the memory of a large frame back, exactly once; what is forgotten is freed by the garbage collector. */
  wireFree(block: ArrayBuffer): void
  /** Fills in the `WireCount` fields, of the whole process. */
  wireCounts(counts: Float64Array): void
}

/** Called when there is something: `count` numbers of the event array are filled; `chunk` has small frames and heads. */
export type DeliverWires = (count: number, chunk: Uint8Array | null, blocks: ArrayBuffer[]) => void

/** Where the numbers of an event are; `frames` times `FrameField` follow them. */
export const WireField = {
  wire: 0,
  flags: 1,
  receivedBytes: 2,
  detail: 3,
  headStart: 4,
  headLength: 5,
  frames: 6,
} as const
export const wireFieldCount = 7

/** A frame lies in `chunk` where its source is -1, else in the block of that number. */
export const FrameField = { source: 0, start: 1, length: 2 } as const
export const frameFieldCount = 3

export const WireFlag = {
  /** The other end sends no more. */
  ended: 1,
  /** `detail` is the errno. */
  lost: 2,
  /** `detail` is the announced length. Receiving has stopped. */
  badLength: 4,
  /** No whole frame has come yet: the first bytes of what came. */
  head: 8,
  /** The transfer is done; `detail` is a `SentDetail`. */
  sent: 16,
} as const

export const SentDetail = { all: 0, segmentClosed: 1, cutShort: 2, lost: 3 } as const

export const WireState = {
  /** Bytes held of a request that is not whole. */
  heldBytes: 0,
  /** Bytes sent since the beginning. */
  sentBytes: 1,
  /** Bytes with the transfer. */
  unsentBytes: 2,
  /** API key of the request that is not whole, -1 while it is not there. */
  unfinishedKey: 3,
} as const
export const wireStateCount = 4

export const WireCount = {
  loopBytes: 0,
  copiedBytes: 1,
  sendfileBytes: 2,
  prefetches: 3,
  loopSends: 4,
  transferCalls: 5,
  receivedBytes: 6,
  receives: 7,
  blockBytes: 8,
  wires: 9,
} as const
export const wireCountCount = 10
