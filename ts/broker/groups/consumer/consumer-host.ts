import type { Logger } from '../../../log/logger.js'
import type { Timers } from '../../timers.js'
import type { Topics } from '../../topics.js'
import type { GroupHost } from '../group-host.js'
import type { ConsumerGroup } from './consumer-group.js'
import type { Expected } from './member-timers.js'
import type { TopicPatterns } from './topic-patterns.js'

/** What the configs say about groups of the consumer protocol. */
export interface ConsumerSettings {
  /** How long a member of the group may be silent. */
  sessionTimeoutMs(group: string): number
  /** What its members are told. */
  heartbeatIntervalMs(group: string): number
  readonly maxSize: number
  /** Names of the assignors that may be asked for; the first is the default. */
  readonly assignors: readonly string[]
  /** A classic group becomes a consumer group when somebody joins it as one. */
  readonly upgrades: boolean
  /** And the other way when the last member leaves that is none of the classic protocol. */
  readonly downgrades: boolean
}

/** What the life of consumer groups needs from around it. */
export interface ConsumerHost {
  readonly timers: Timers
  readonly logger: Logger
  readonly topics: Topics
  readonly patterns: TopicPatterns
  readonly settings: ConsumerSettings
  /** Of groups that change their protocol. */
  readonly classic: GroupHost
  /** Milliseconds since 1970. */
  clock(): number
  /** A member did not do in time what was expected of it. */
  expired(group: ConsumerGroup, memberId: string, expected: Expected): void
}
