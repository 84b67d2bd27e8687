import { type AssignorName, assignors } from '../assignors/assignors.js'
import { flag, integer, invalidOption, type OptionRules, oneOf, rule, text } from '../options.js'

/** Options of a consumer with a `groupId`, or that only make sense with one. */
export interface GroupOptions {
  /** Members of one group share the partitions of their topics, and its committed offsets. */
  groupId?: string
  /** A lasting name: a member that comes back under it within the session gets its partitions back, without a rebalance. */
  groupInstanceId?: string
  /**
   * Who shares out the partitions: by 'classic' (default) a member of the group, by 'consumer' (KIP-848) the broker, which
   * tells each member its own while the others go on. A broker or a group that does not take 'consumer' is an error
   * (GROUP_PROTOCOL_REFUSED): nothing falls back by itself.
   */
  groupProtocol?: 'classic' | 'consumer'
  /** By 'consumer': the broker's assignor, such as 'uniform' or 'range' (default: the broker's choice). */
  groupRemoteAssignor?: string
  /** By 'classic': how partitions are shared out, in order of preference (default ['range', 'cooperative-sticky'], as in Java). */
  partitionAssigners?: readonly AssignorName[]
  /**
   * By 'classic': milliseconds without a heartbeat until the group goes on without this member (default 30,000). By
   * 'consumer' the broker says how often to send one, and how long it waits.
   */
  sessionTimeout?: number
  /** By 'classic': milliseconds between heartbeats (default 3,000, at most a third of the session's). */
  heartbeatInterval?: number
  /**
   * Milliseconds that a rebalance waits for this member to finish what is in hand (default 60,000). What is in hand
   * longer is left uncommitted, to be read again by the next owner.
   */
  rebalanceTimeout?: number
  /**
   * Milliseconds a record may be in hand, or the consumer without a loop, until `stalled` is told and the member leaves
   * its group, to join again when the next record is asked for (default 300,000). Heartbeats go on until then.
   */
  maxPollInterval?: number
  /** Commit what was consumed every `autoCommitInterval`, before partitions are given up, and at close (default true). */
  autoCommit?: boolean
  /** Milliseconds (default 5,000). */
  autoCommitInterval?: number
  /** Where this consumer runs: told to the group's leader and to brokers, which may let it read from a replica nearby. */
  rackId?: string
}

export type GroupProtocol = NonNullable<GroupOptions['groupProtocol']>

export interface GroupSettings {
  readonly groupId: string
  readonly groupInstanceId: string | null
  readonly groupProtocol: GroupProtocol
  readonly groupRemoteAssignor: string | null
  readonly partitionAssigners: readonly AssignorName[]
  readonly sessionTimeout: number
  readonly heartbeatInterval: number
  readonly rebalanceTimeout: number
  readonly maxPollInterval: number
  readonly autoCommit: boolean
  readonly autoCommitInterval: number
}

const int32Max = 0x7fffffff
const names = Object.keys(assignors)

const onlyInGroups = [
  'groupInstanceId',
  'groupProtocol',
  'groupRemoteAssignor',
  'partitionAssigners',
  'sessionTimeout',
  'heartbeatInterval',
  'rebalanceTimeout',
  'maxPollInterval',
  'autoCommit',
  'autoCommitInterval',
] as const satisfies (keyof GroupOptions)[]

/** What only members of one protocol can choose. */
const onlyBy: Readonly<Record<GroupProtocol, readonly (keyof GroupOptions)[]>> = {
  classic: ['partitionAssigners', 'sessionTimeout', 'heartbeatInterval'],
  consumer: ['groupRemoteAssignor'],
}

export const groupRules: OptionRules = {
  groupId: text,
  groupInstanceId: text,
  groupProtocol: oneOf('classic', 'consumer'),
  groupRemoteAssignor: text,
  partitionAssigners: rule(`an array of ${names.map((name) => `'${name}'`).join(', ')}`, (value) => {
    return Array.isArray(value) && value.length > 0 && value.every((one) => names.includes(one))
  }),
  sessionTimeout: integer(1, int32Max),
  heartbeatInterval: integer(1, int32Max),
  rebalanceTimeout: integer(1, int32Max),
  maxPollInterval: integer(1, int32Max),
  autoCommit: flag,
  autoCommitInterval: integer(1, int32Max),
  rackId: text,
}

/** Null without a `groupId`. Throws INVALID_OPTION for what only a group understands, or what cannot work together. */
export function groupSettings(given: GroupOptions): GroupSettings | null {
  if (given.groupId === undefined) {
    for (const name of onlyInGroups) {
      if (given[name] === undefined) continue
      throw invalidOption('log.consumer()', name, 'left out where there is no `groupId`', given[name])
    }
    return null
  }
  const groupProtocol = given.groupProtocol ?? 'classic'
  checkProtocol(given, groupProtocol)
  const sessionTimeout = given.sessionTimeout ?? 30_000
  const heartbeatInterval = given.heartbeatInterval ?? Math.max(1, Math.min(3_000, Math.floor(sessionTimeout / 3)))
  if (heartbeatInterval >= sessionTimeout) {
    const expected = `less than sessionTimeout (${sessionTimeout})`
    throw invalidOption('log.consumer()', 'heartbeatInterval', expected, heartbeatInterval)
  }
  return {
    groupId: given.groupId,
    groupInstanceId: given.groupInstanceId ?? null,
    groupProtocol,
    groupRemoteAssignor: given.groupRemoteAssignor ?? null,
    partitionAssigners: [...new Set(given.partitionAssigners ?? (['range', 'cooperative-sticky'] as const))],
    sessionTimeout,
    heartbeatInterval,
    rebalanceTimeout: given.rebalanceTimeout ?? 60_000,
    maxPollInterval: given.maxPollInterval ?? 300_000,
    autoCommit: given.autoCommit ?? true,
    autoCommitInterval: given.autoCommitInterval ?? 5_000,
  }
}

function checkProtocol(given: GroupOptions, protocol: GroupProtocol): void {
  const other = protocol === 'classic' ? 'consumer' : 'classic'
  for (const name of onlyBy[other]) {
    if (given[name] === undefined) continue
    const why = other === 'classic' ? "left out where `groupProtocol` is 'consumer': the broker decides it" : ''
    const expected = why || "left out unless `groupProtocol` is 'consumer'"
    throw invalidOption('log.consumer()', name, expected, given[name])
  }
}
