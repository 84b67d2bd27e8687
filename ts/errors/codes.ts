// Generated from native/core/errors.def by scripts/generate-errors.mjs; change that table, not this file.

export interface EngineErrorInfo {
  /** True if the same call may succeed later without a change. */
  readonly retriable: boolean
  /** What the user can do, as a clause that follows the message. */
  readonly advice: string
}

/** Every error code the native engine answers with. */
export const engineErrors = {
  IO_ERROR: {
    retriable: false,
    advice: 'see the system error; the log directory goes offline for writes until it is opened again',
  },
  NO_SPACE: { retriable: true, advice: 'free space on the file system; nothing of this write was stored' },
  TOO_MANY_OPEN_FILES: {
    retriable: true,
    advice: "raise the process's descriptor limit (ulimit -n) or keep fewer partitions open",
  },
  FILE_NOT_FOUND: { retriable: false, advice: 'check the path' },
  NOT_A_DIRECTORY: { retriable: false, advice: 'name a directory, or a path that does not exist yet' },
  ACCESS_DENIED: { retriable: false, advice: 'check the owner and mode of the path' },
  DIRECTORY_IN_USE: {
    retriable: false,
    advice: 'another open writes this directory; share it through `seglog serve`, or open it with readOnly',
  },
  READ_ONLY: { retriable: false, advice: 'open the directory without readOnly to write' },
  DIRECTORY_OFFLINE: {
    retriable: false,
    advice: 'a write or flush failed earlier; close, check the disk, and open again',
  },
  CLOSED: { retriable: false, advice: 'open it again' },
  CORRUPT_LOG: { retriable: false, advice: 'run `seglog log verify`; `--repair` truncates at the damaged batch' },
  CORRUPT_BATCH: { retriable: false, advice: 'the batch was damaged on its way; encode and send it again' },
  INVALID_BATCH: { retriable: false, advice: 'the batch breaks a rule of record batch v2' },
  BATCH_TOO_LARGE: { retriable: false, advice: 'send smaller batches or raise segment.bytes' },
  SEGMENT_FULL: { retriable: true, advice: 'roll to a new segment and append again' },
  NOT_READY: { retriable: true, advice: 'append through the storage lane' },
  COLD: { retriable: true, advice: 'read through a storage thread' },
  OFFSET_OUT_OF_RANGE: { retriable: false, advice: 'seek to an offset between the log start and the log end' },
  INVALID_ARGUMENT: { retriable: false, advice: 'see the message' },
  CANCELLED: { retriable: true, advice: 'the operation was cancelled before it began' },
  UNSUPPORTED: { retriable: false, advice: 'this platform or file system cannot do it' },
  CONNECTION_LOST: { retriable: true, advice: 'connect again' },
} as const satisfies Record<string, EngineErrorInfo>

export type EngineErrorCode = keyof typeof engineErrors
