import type { SeglogError } from '../../../errors/seglog-error.js'
import type { Tenure } from '../group-membership.js'
import { troubleOf } from '../group-trouble.js'
import { Signal } from '../signal.js'

/** One stay of a member in its group, from its join on: its epoch goes up while it stays. */
export class Stay implements Tenure {
  /** Its epoch, which every answer to a heartbeat tells; 0 before it has joined. */
  generation = 0
  /** The broker shares out the partitions. */
  readonly isLeader = false
  readonly lost = new Signal<SeglogError>()
  /** The member leaves by its own will. */
  readonly left = new Signal()
  /** It is over, in one way or the other. */
  readonly ended = new Signal()

  constructor(readonly memberId: string) {
    const end = () => this.ended.set()
    this.lost.listen(end)
    this.left.listen(end)
  }

  report(error: SeglogError): void {
    if (troubleOf(error) !== 'retry') this.lost.set(error)
  }
}
