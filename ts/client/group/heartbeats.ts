import type { SeglogError } from '../../errors/seglog-error.js'
import { asSeglogError } from '../settle-errors.js'
import type { Alarm, Clock } from './clock.js'
import { troubleOf } from './group-trouble.js'

/** Before a heartbeat that could not be delivered is tried again. */
const retryMs = 500

/**
 * The signs of life of one generation's member, on a timer of their own: whatever the loops and handlers of the consumer
 * wait for, they go on. Only a blocked event loop stops them.
 */
export class Heartbeats {
  private alarm: Alarm | null = null
  private stopped = false
  private isUnderWay = false
  /** Another is to follow the one under way. */
  private isDue = false

  constructor(
    private readonly clock: Clock,
    /** Asked before each wait: it may change. */
    private readonly intervalMs: () => number,
    private readonly send: () => Promise<void>,
    /** Called for what a further heartbeat would not mend. */
    private readonly onError: (error: SeglogError) => void,
  ) {}

  start(): void {
    this.wait(this.intervalMs())
  }

  /** The next one now, or right behind the one under way. */
  soon(): void {
    if (this.isUnderWay) this.isDue = true
    else if (this.alarm !== null && !this.stopped) {
      this.alarm.cancel()
      void this.beat()
    }
  }

  stop(): void {
    this.stopped = true
    this.alarm?.cancel()
  }

  private wait(ms: number): void {
    if (!this.stopped) this.alarm = this.clock.after(ms, () => void this.beat())
  }

  private async beat(): Promise<void> {
    const beganMs = this.clock.now()
    this.isUnderWay = true
    this.isDue = false
    const error = await this.failureOf(this.send)
    this.isUnderWay = false
    if (this.stopped) return
    if (error !== null && troubleOf(error) === 'retry') return this.wait(Math.min(retryMs, this.intervalMs()))
    // While the group waits for this member to join again, heartbeats keep its session.
    if (error !== null) this.onError(error)
    if (this.isDue) return this.beat()
    this.wait(Math.max(0, this.intervalMs() - (this.clock.now() - beganMs)))
  }

  private async failureOf(work: () => Promise<void>): Promise<SeglogError | null> {
    try {
      await work()
      return null
    } catch (thrown) {
      return asSeglogError(thrown)
    }
  }
}
