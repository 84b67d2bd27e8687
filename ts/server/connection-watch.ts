import { isTooSlow, type ServerLimits } from './limits.js'
import type { RequestBudget } from './request-budget.js'

/** Of a request whose rest is waited for while memory is short, so much may be held, and so little come a second. */
const stalledHeldBytes = 1024
const stalledBytesPerTick = 16 * 1024
/** Looks without more than that. After a stall of the event loop the first says nothing: what came lies unread. */
const stalledTicksMax = 2
/** How long the other end may take to close after we have. */
const lingerMs = 2000
/** How long the last of the last answer may take to leave. */
const lastAnswerMs = 60_000

/** How a connection stands at the moment of a look. */
export interface ConnectionState {
  /** Bytes passed on to the other end; only grows. */
  readonly sentBytes: number
  /** Bytes wait to be taken by the other end. */
  readonly isSending: boolean
  /** Bytes that came and are no request yet. */
  readonly heldBytes: number
  /** They have to wait for requests that came before them. */
  readonly isHeldUp: boolean
  /** The rest of a request is read for. */
  readonly isReceiving: boolean
  /** Requests are under way whose answers nobody keeps from leaving. */
  readonly isWaiting: boolean
}

/** Why a connection is closed; null where that needs no line. */
export type Ending = { readonly message: string; readonly isComplaint: boolean } | { readonly message: null }

/** Sees to it that a connection's time is not up: that what is expected of its other end comes in time. */
export class ConnectionWatch {
  /** Only grows. */
  receivedBytes = 0
  readonly #limits: ServerLimits
  readonly #budget: RequestBudget
  #lastMovedMs = performance.now()
  /** Since when the next request is expected to come on. */
  #expectedSinceMs = this.#lastMovedMs
  /** When our end was closed; infinite before. */
  #finishedMs = Number.POSITIVE_INFINITY
  /** What had been sent, and had come, at the last look; how often in a row that was next to nothing while others waited. */
  #sentBytes = 0
  #lookedAtBytes = 0
  #stalledTicks = 0

  constructor(limits: ServerLimits, budget: RequestBudget) {
    this.#limits = limits
    this.#budget = budget
  }

  /** Something came or went. */
  moved(): void {
    this.#lastMovedMs = performance.now()
  }

  /** `isBegun`: with these bytes a request begins. */
  received(bytes: number, isBegun: boolean): void {
    this.receivedBytes += bytes
    if (isBegun) this.#expectedSinceMs = this.#lastMovedMs
  }

  /** A request was taken: what is there behind it came with what moved last. */
  taken(): void {
    this.#expectedSinceMs = this.#lastMovedMs
  }

  /** It is read from again. */
  resumed(): void {
    this.#expectedSinceMs = performance.now()
  }

  /** Our end was closed. */
  finished(): void {
    this.#finishedMs = performance.now()
  }

  /** How long a request that has begun is on its way. */
  receivingMs(nowMs: number): number {
    return nowMs - this.#expectedSinceMs
  }

  /** Null while all is well. To be called about once a second. */
  look(nowMs: number, state: ConnectionState): Ending | null {
    if (state.sentBytes !== this.#sentBytes) {
      this.#sentBytes = state.sentBytes
      this.#lastMovedMs = nowMs
    }
    if (nowMs - this.#finishedMs > (state.isSending ? lastAnswerMs : lingerMs)) return { message: null }
    if (state.isHeldUp) this.#expectedSinceMs = nowMs
    const elapsedMs = this.receivingMs(nowMs)
    if (state.isReceiving && isTooSlow(this.#limits, elapsedMs, state.heldBytes)) {
      const message = `connection closed: of a request that began ${(elapsedMs / 1000).toFixed(1)} s ago only ${state.heldBytes} bytes have come`
      return { message, isComplaint: true }
    }
    if (this.#isInTheWay(state)) {
      const message = `connection closed: others wait for the memory of a request of which ${state.heldBytes} bytes came and the rest does not (queued.max.request.bytes)`
      return { message, isComplaint: true }
    }
    if (!state.isWaiting && nowMs - this.#lastMovedMs > this.#limits.idleMs) {
      return { message: 'connection closed: nothing moved on it for connections.max.idle.ms', isComplaint: false }
    }
    return null
  }

  /** Memory for requests is short, and the rest of the one that is held here does not come. */
  #isInTheWay({ isReceiving, heldBytes }: ConnectionState): boolean {
    const came = this.receivedBytes - this.#lookedAtBytes
    this.#lookedAtBytes = this.receivedBytes
    const isStalled = isReceiving && heldBytes > stalledHeldBytes && came < stalledBytesPerTick && this.#budget.isShort
    this.#stalledTicks = isStalled ? this.#stalledTicks + 1 : 0
    return this.#stalledTicks >= stalledTicksMax
  }
}
