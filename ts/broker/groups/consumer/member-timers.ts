import { Deadline } from '../../deadline.js'
import type { Timers } from '../../timers.js'

/** What a member is waited for; each ends its membership when it does not come in time. */
export type Expected = 'session' | 'revocation' | 'join' | 'sync'

/** The deadlines of one member of a consumer group. */
export class MemberTimers {
  readonly #timers: Timers
  readonly #expired: (expected: Expected) => void
  readonly #deadlines: { [expected in Expected]?: Deadline } = {}
  #changes = 0

  constructor(timers: Timers, expired: (expected: Expected) => void) {
    this.#timers = timers
    this.#expired = expired
  }

  /** Another number after each change. */
  get changes(): number {
    return this.#changes
  }

  expect(expected: Expected, ms: number): void {
    this.#changes++
    this.#deadlines[expected] ??= new Deadline(this.#timers, () => this.#expired(expected))
    this.#deadlines[expected].set(ms)
  }

  /** As `expect`, unless it is expected already. */
  keepExpecting(expected: Expected, ms: number): void {
    if (this.#deadlines[expected]?.isSet !== true) this.expect(expected, ms)
  }

  came(expected: Expected): void {
    this.#changes++
    this.#deadlines[expected]?.clear()
  }

  clear(): void {
    for (const deadline of Object.values(this.#deadlines)) deadline.clear()
  }
}
