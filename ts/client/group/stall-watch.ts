import type { ConsumerHands, InHand } from '../consumer-hands.js'
import type { Alarm, Clock } from './clock.js'

export interface StallLimits {
  /** The event loop may not stand still for longer: heartbeats would be missed. */
  readonly eventLoopMs: () => number
  /** A record may not be in hand for longer, nor may nobody ask for any. */
  readonly handlerMs: number
}

export interface StallReports {
  eventLoop(durationMs: number): void
  /** Null if nothing is in hand: no loop has asked for so long. Called once per record. */
  handler(durationMs: number, inHand: InHand | null): void
}

const lookMsMax = 1_000

/** What a hand held at the last look, and since which look. */
interface Seen {
  readonly inHand: InHand | null
  readonly sinceMs: number
  reported: boolean
}

/**
 * Sees that a consumer stands still, by looking every so often: at the clock, which is far ahead where the event loop was
 * blocked, and at what is in hand, which is the same record look after look where a handler has not come back. Reading
 * costs nothing by it.
 */
export class StallWatch {
  private alarm: Alarm | null = null
  private expectedMs = 0
  private seen: Seen[] = []

  constructor(
    private readonly clock: Clock,
    private readonly hands: ConsumerHands,
    private readonly limits: StallLimits,
    private readonly reports: StallReports,
  ) {}

  start(): void {
    if (this.alarm === null) this.wait()
  }

  stop(): void {
    this.alarm?.cancel()
    this.alarm = null
    this.seen = []
  }

  private wait(): void {
    const { eventLoopMs, handlerMs } = this.limits
    const ms = Math.min(lookMsMax, Math.max(1, Math.min(eventLoopMs(), handlerMs) / 3))
    this.expectedMs = this.clock.now() + ms
    this.alarm = this.clock.after(ms, () => {
      this.look()
      if (this.alarm !== null) this.wait()
    })
  }

  private look(): void {
    const nowMs = this.clock.now()
    const lateMs = nowMs - this.expectedMs
    if (lateMs > this.limits.eventLoopMs()) this.reports.eventLoop(Math.round(lateMs))
    const { held, isReading } = this.hands
    // A loop that waits for records is no idler.
    const now: (InHand | null)[] = held.length > 0 || isReading ? held : [null]
    this.seen = now.map((inHand) => this.seen.find((one) => isSame(one.inHand, inHand)) ?? seenNow(inHand, nowMs))
    for (const one of this.seen) {
      const durationMs = nowMs - one.sinceMs
      if (one.reported || durationMs <= this.limits.handlerMs) continue
      one.reported = true
      this.reports.handler(Math.round(durationMs), one.inHand)
    }
  }
}

function seenNow(inHand: InHand | null, sinceMs: number): Seen {
  return { inHand, sinceMs, reported: false }
}

function isSame(a: InHand | null, b: InHand | null): boolean {
  return a?.partition === b?.partition && a?.offset === b?.offset
}
