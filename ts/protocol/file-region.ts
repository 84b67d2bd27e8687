/**
 * A run of bytes in a segment file, held ready for a reader: the file keeps these bytes until the region is released,
 * whatever retention does meanwhile. What a fetch answers with where the bytes need not pass through this process
 * (design, section 4): the server sends regions by copying or by `sendfile`, as it measures.
 */
export interface FileRegion {
  /** Bytes of the region; never changes. */
  readonly length: number
  /**
   * The bytes from `from` up to `to` (relative to the region); at once where they are in memory, else by a promise.
   * Fails with CORRUPT_LOG where the file turns out shorter, CLOSED after release.
   */
  read(from: number, to: number): Uint8Array | Promise<Uint8Array>
  /** Gives the file back. Idempotent; must be called once the bytes were sent, or will never be. */
  release(): void
}

/** True for a region, false for bytes in memory. */
export function isFileRegion(value: object): value is FileRegion {
  return typeof (value as Partial<FileRegion>).release === 'function'
}

/** What a broker answers to readers that take no regions. Throws TypeError for a region: the context asked for none. */
export function inMemory<T extends object>(records: T | FileRegion | null): T | null {
  if (records !== null && isFileRegion(records)) throw new TypeError('a file region for a reader that takes none')
  return records
}
