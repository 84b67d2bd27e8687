import type { Logger } from '../log/logger.js'

/** Lines about peers that a window may have. */
const linesMax = 20
const windowMs = 10_000

/**
 * Log lines that a peer can cause, as often as it likes: so many in ten seconds, and then how many were left out.
 */
export class PeerLog {
  readonly #logger: Logger
  #windowStartMs = Number.NEGATIVE_INFINITY
  #lines = 0
  #leftOut = 0

  constructor(logger: Logger) {
    this.#logger = logger
  }

  warn(fields: object, message: string, nowMs: number): void {
    this.tick(nowMs)
    if (this.#lines >= linesMax) {
      this.#leftOut++
      return
    }
    if (this.#lines === 0) this.#windowStartMs = nowMs
    this.#lines++
    this.#logger.warn(fields, message)
  }

  /** Ends the window when its time is over. To be called now and then, so that what was left out is told. */
  tick(nowMs: number): void {
    if (this.#lines === 0 || nowMs - this.#windowStartMs < windowMs) return
    this.#lines = 0
    if (this.#leftOut === 0) return
    const lines = this.#leftOut
    this.#leftOut = 0
    this.#logger.warn({ lines }, 'more lines about misbehaving clients were left out')
  }
}
