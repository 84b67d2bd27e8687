/** Bytes that may be under way at a time. */
export class Allowance {
  private leftBytes: number

  constructor(bytes: number) {
    this.leftBytes = bytes
  }

  /** False, and nothing taken, where there are not as many left. */
  take(bytes: number): boolean {
    if (bytes > this.leftBytes) return false
    this.leftBytes -= bytes
    return true
  }

  give(bytes: number): void {
    this.leftBytes += bytes
  }
}
