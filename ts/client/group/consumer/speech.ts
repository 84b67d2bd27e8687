import type { RequestOf } from '../../../protocol/apis.js'
import { type IdentifiedPartition, toTopicPartitionIds } from './told-assignment.js'

type HeartbeatRequest = RequestOf<68>

/** What a member says of itself that does not change. */
export interface Constants {
  readonly groupId: string
  readonly memberId: string
  readonly instanceId: string | null
  readonly rackId: string | null
  readonly rebalanceTimeoutMs: number
  /** The assignor that the broker is to use; null for its own choice. */
  readonly serverAssignor: string | null
}

/** What it says that may change. */
export interface Facts {
  readonly topics: readonly string[]
  /** The regular expression that the broker is to match topics with; null for none. */
  readonly expression: string | null
  readonly held: readonly IdentifiedPartition[]
}

/**
 * Words a member's heartbeats: each thing is said again only when it is another, or when it may not have been heard. All
 * at once where nothing is known to have been heard; such a heartbeat is answered with the whole assignment.
 */
export class Speech {
  /** What was heard last, by field; null after a heartbeat without an answer. */
  private heard: Readonly<Record<string, string>> | null = null
  private mustAcknowledge = false

  constructor(private readonly constants: Constants) {}

  /** The next one says what the member has, though it be the same: it has taken up what it was told. */
  acknowledge(): void {
    this.mustAcknowledge = true
  }

  /** A heartbeat in the given epoch, and what to call once it was answered. */
  say(memberEpoch: number, { topics, expression, held }: Facts): { request: HeartbeatRequest; heard: () => void } {
    const { groupId, memberId, instanceId, rackId, rebalanceTimeoutMs, serverAssignor } = this.constants
    const { heard, mustAcknowledge } = this
    const sorted = [...topics].sort()
    const owned = toTopicPartitionIds(held)
    const now = { topics: JSON.stringify(sorted), expression: JSON.stringify(expression), owned: JSON.stringify(owned) }
    const isNews = (field: keyof typeof now) => heard === null || heard[field] !== now[field]
    const constants = { rebalanceTimeoutMs, rackId, serverAssignor }
    const request: HeartbeatRequest = {
      ...{ groupId, memberId, memberEpoch, instanceId },
      ...(heard === null ? constants : { rebalanceTimeoutMs: -1, rackId: null, serverAssignor: null }),
      subscribedTopicNames: isNews('topics') ? sorted : null,
      subscribedTopicRegex: isNews('expression') ? expression : null,
      topicPartitions: mustAcknowledge || isNews('owned') ? owned : null,
    }
    this.heard = null
    this.mustAcknowledge = false
    const confirm = () => {
      this.heard = now
    }
    return { request, heard: confirm }
  }
}
