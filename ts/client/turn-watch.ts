/** Milliseconds for which promises that are resolved already may keep up one turn of the event loop. */
const turnMsMax = 5

/**
 * Knows when a turn of the event loop has lasted too long. What memory can serve is answered at once, so that a loop
 * awaiting one answer after the other would never let timers and sockets have their turn.
 *
 * Those that find it too long wait in line, and each is resumed in a turn of its own: whoever came first in every turn
 * would otherwise use it up, and the others would find it too long for ever.
 */
class TurnWatch {
  private beganMs = -1
  private readonly line: (() => void)[] = []

  /** Ask often: a turn begins with the first question in it. */
  get isLong(): boolean {
    const nowMs = performance.now()
    if (this.beganMs >= 0) return nowMs - this.beganMs > turnMsMax
    this.begin(nowMs)
    return false
  }

  /** Calls `resume` in a turn that has just begun, after those that asked before. */
  defer(resume: () => void): void {
    this.line.push(resume)
    if (this.line.length === 1) setImmediate(this.resumeFirst)
  }

  private begin(nowMs: number): void {
    if (this.beganMs < 0) setImmediate(this.ended)
    this.beganMs = nowMs
  }

  private readonly ended = (): void => {
    this.beganMs = -1
  }

  private readonly resumeFirst = (): void => {
    const resume = this.line.shift()
    this.begin(performance.now())
    if (this.line.length > 0) setImmediate(this.resumeFirst)
    resume?.()
  }
}

/** One for all: a turn that several of them keep up together is long for each. */
export const turnWatch = new TurnWatch()
