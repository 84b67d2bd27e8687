import { type BackOffTimes, backOffMs } from '../client/back-off.js'

interface Asked {
  count: number
  lastMs: number
}

/**
 * Puts off questions about topics that were asked about a moment ago: leaders are elected in their own time, and a client
 * that asks without a pause would not hurry them.
 */
export class RefreshPacing {
  private readonly asked = new Map<string, Asked>()

  constructor(private readonly times: BackOffTimes) {}

  /** Milliseconds to wait before these topics are asked about at `nowMs`. */
  pauseMs(topics: readonly string[], nowMs: number): number {
    let pause = 0
    for (const topic of topics) {
      const asked = this.asked.get(topic)
      if (asked !== undefined) pause = Math.max(pause, asked.lastMs + backOffMs(this.times, asked.count) - nowMs)
    }
    return pause
  }

  /** They are asked about now. */
  note(topics: readonly string[], nowMs: number): void {
    const calmMs = nowMs - 2 * this.times.maxMs
    for (const [topic, { lastMs }] of this.asked) if (lastMs < calmMs) this.asked.delete(topic)
    for (const topic of topics) {
      const asked = this.asked.get(topic)
      if (asked === undefined) this.asked.set(topic, { count: 1, lastMs: nowMs })
      else {
        asked.count++
        asked.lastMs = nowMs
      }
    }
  }
}
