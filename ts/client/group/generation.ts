import type { SeglogError } from '../../errors/seglog-error.js'
import type { Assignor } from '../assignors/assignor.js'
import type { TakingUp, Tenure } from './group-membership.js'
import { troubleOf } from './group-trouble.js'
import { Signal } from './signal.js'

/** One generation of a group as one of its members lives it, from its assignment to the next join. */
export class Generation implements Tenure, TakingUp {
  /** Why the member is to join again. */
  readonly rebalance = new Signal<string>()
  /** Why the member is none any more, and what it had may be another's already. */
  readonly lost = new Signal<SeglogError>()
  /** The member leaves by its own will. */
  readonly left = new Signal()
  /** It is to be left, in one way or the other. */
  readonly ended = new Signal()

  /** Offsets of groups of the classic protocol are anybody's to fetch. */
  readonly reader = null

  constructor(
    readonly memberId: string,
    readonly generation: number,
    readonly assignor: Assignor,
    readonly isLeader: boolean,
  ) {
    const end = () => this.ended.set()
    this.rebalance.listen(end)
    this.lost.listen(end)
    this.left.listen(end)
  }

  /** Takes what the coordinator said to a heartbeat or a commit. */
  report(error: SeglogError): void {
    const trouble = troubleOf(error)
    if (trouble === 'rebalance') this.rebalance.set('the group rebalances')
    else if (trouble !== 'retry') this.lost.set(error)
  }

  topicIsGone(topic: string): void {
    this.rebalance.set(`topic ${topic} is gone`)
  }
}
