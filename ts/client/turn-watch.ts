/** Milliseconds for which promises that are resolved already may keep up one turn of the event loop. */
const turnMsMax = 5

/**
 * Knows when a turn of the event loop has lasted too long. What memory can serve is answered at once, so that a loop
 * awaiting one answer after the other would never let timers and sockets have their turn.
 */
class TurnWatch {
  private beganMs = -1

  /** Ask often: a turn begins with the first question in it. */
  get isLong(): boolean {
    const nowMs = performance.now()
    if (this.beganMs >= 0) return nowMs - this.beganMs > turnMsMax
    this.beganMs = nowMs
    setImmediate(this.ended)
    return false
  }

  private readonly ended = (): void => {
    this.beganMs = -1
  }
}

/** One for all: a turn that several of them keep up together is long for each. */
export const turnWatch = new TurnWatch()
