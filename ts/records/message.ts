/** Bytes as a caller gives them: a string is written as UTF-8. */
export type Bytes = Buffer | Uint8Array | string

/** Headers to write: an array repeats the header, in order; an undefined value leaves it out. */
export type MessageHeaders = Record<string, Bytes | null | undefined | readonly (Bytes | null)[]>

/** One record to write. */
export interface Message {
  /** Null or absent: no key. */
  key?: Bytes | null
  /** Null is a tombstone on a compacted topic. */
  value: Bytes | null
  headers?: MessageHeaders
  /** Milliseconds since 1970, -1 for none; absent: now. */
  timestamp?: number
}

/** Headers as read: a header that occurs more than once is an array. */
export type RecordHeaders = Record<string, Buffer | null | (Buffer | null)[]>

/** CRC-32C (Castagnoli) of bytes, e.g. the engine's. */
export type Crc32c = (bytes: Uint8Array) => number
