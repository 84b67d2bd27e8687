import { type BackOffTimes, backOffMs } from '../back-off.js'
import type { From, TopicPartition } from '../consumer-options.js'
import { lookUpOffsets } from '../offset-lookup.js'
import { byTopic } from '../partition-lists.js'
import { asSeglogError } from '../settle-errors.js'
import type { Subscription } from '../subscription.js'
import type { TopicMetadataCache } from '../topic-metadata.js'
import type { Transport } from '../transport.js'
import { type Clock, pause } from './clock.js'
import type { IdentifiedPartition } from './consumer/told-assignment.js'
import type { GroupCalls, OffsetOf } from './group-calls.js'
import type { TakingUp } from './group-membership.js'
import { troubleOf } from './group-trouble.js'
import type { MemberIdentity } from './member-identity.js'

/** Where a member begins in a partition. */
export interface StartingPoint extends TopicPartition {
  readonly topicId: string
  readonly offset: number
  /** What the group has committed; -1 for nothing. */
  readonly committed: number
  readonly leaderEpoch: number
}

interface StartingPointParts {
  readonly transport: Transport
  readonly metadata: TopicMetadataCache
  readonly calls: GroupCalls
  readonly subscription: Subscription
  readonly clock: Clock
}

const backOff: BackOffTimes = { initialMs: 100, maxMs: 2_000 }
/** A topic that other brokers have not heard of yet is there after a few attempts; one that was deleted never. */
const unknownTopicAttempts = 8

/** Finds where to begin: where the group has come to, else where the consumer's `from` says. */
export class StartingPoints {
  constructor(private readonly parts: StartingPointParts) {}

  /** Tries until it is known, or the taking up ends: then null. Rejects with what trying again does not mend. */
  async of(
    places: readonly (TopicPartition | IdentifiedPartition)[],
    takingUp: TakingUp,
  ): Promise<StartingPoint[] | null> {
    if (places.length === 0) return []
    for (let attempts = 1; ; attempts++) {
      try {
        return await this.find(places, takingUp.reader)
      } catch (thrown) {
        const error = asSeglogError(thrown)
        const trouble = troubleOf(error)
        if (trouble === 'fatal') throw error
        if (trouble !== 'retry') takingUp.report(error)
        if (error.code === 'UNKNOWN_TOPIC_OR_PARTITION' && attempts >= unknownTopicAttempts) {
          takingUp.topicIsGone(error.topic ?? '')
        }
      }
      await pause(this.parts.clock, backOffMs(backOff, attempts), takingUp.ended)
      if (takingUp.ended.isSet) return null
    }
  }

  private async find(places: readonly TopicPartition[], reader: MemberIdentity | null): Promise<StartingPoint[]> {
    const committed = new Map((await this.parts.calls.offsets(places, reader)).map((one) => [nameOf(one), one]))
    const ofTopics = await Promise.all(
      [...byTopic(places)].map(([topic, some]) => this.inTopic(topic, some, committed)),
    )
    return ofTopics.flat()
  }

  private async inTopic(
    topic: string,
    places: readonly TopicPartition[],
    committed: ReadonlyMap<string, OffsetOf>,
  ): Promise<StartingPoint[]> {
    const { metadata, transport, subscription } = this.parts
    const topicId = idOf(places) ?? (metadata.get(topic) ?? (await metadata.fetch(topic, false))).topicId
    const points: StartingPoint[] = []
    const open = new Map<From, number[]>()
    for (const { partition } of places) {
      const known = committed.get(nameOf({ topic, partition }))
      if (known === undefined) {
        const from = subscription.fromOf(topic, partition)
        open.set(from, [...(open.get(from) ?? []), partition])
      } else {
        const offset = Number(known.offset)
        points.push({ topic, topicId, partition, offset, committed: offset, leaderEpoch: known.leaderEpoch })
      }
    }
    for (const [from, partitions] of open) {
      const offsets = await lookUpOffsets(transport, topic, partitions, from)
      for (const [index, partition] of partitions.entries()) {
        points.push({ topic, topicId, partition, offset: offsets[index], committed: -1, leaderEpoch: -1 })
      }
    }
    return points
  }
}

function nameOf({ topic, partition }: TopicPartition): string {
  return `${topic}:${partition}`
}

/** Where the coordinator says it: what is known of the name may be of an earlier topic. */
function idOf([first]: readonly (TopicPartition | IdentifiedPartition)[]): string | undefined {
  return 'topicId' in first ? first.topicId : undefined
}
