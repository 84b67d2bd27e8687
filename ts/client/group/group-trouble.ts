import type { SeglogError } from '../../errors/seglog-error.js'

/**
 * What an error of the coordinator means to a member. `retry`: the coordinator moves, loads or cannot be reached; or the
 * next heartbeat tells a new epoch, with which it goes.
 * `rebalance`: join again, nothing is lost. `outdated`: the group went on without this member, which keeps its id.
 * `unknown`: it has not even that. `fatal`: trying again would not help.
 */
export type Trouble = 'retry' | 'rebalance' | 'outdated' | 'unknown' | 'fatal'

export function troubleOf({ code, retriable }: SeglogError): Trouble {
  switch (code) {
    case 'REBALANCE_IN_PROGRESS':
      return 'rebalance'
    case 'STALE_MEMBER_EPOCH':
      return 'retry'
    case 'ILLEGAL_GENERATION':
    case 'FENCED_MEMBER_EPOCH':
      return 'outdated'
    case 'UNKNOWN_MEMBER_ID':
    case 'GROUP_ID_NOT_FOUND':
      return 'unknown'
    default:
      return retriable ? 'retry' : 'fatal'
  }
}
