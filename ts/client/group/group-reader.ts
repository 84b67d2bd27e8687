import type { SeglogError } from '../../errors/seglog-error.js'
import type { CommittedOffset, From, OffsetToCommit, TopicPartition } from '../consumer-options.js'
import { patiently } from '../patiently.js'
import type { Subscribed } from '../subscription.js'
import { GroupCalls, type OffsetOf } from './group-calls.js'
import type { GroupProtocol } from './group-options.js'
import { GroupSession, type SessionParts } from './group-session.js'
import { OffsetCommitter } from './offset-committer.js'
import { Signal } from './signal.js'

const timeoutMs = 60_000

/** The group side of one consumer: a member by subscription, or one who only keeps offsets there. */
export class GroupReader {
  private readonly calls: GroupCalls
  private session: GroupSession | null = null
  /** Of a consumer that assigns its own partitions. */
  private ownCommitter: OffsetCommitter | null = null

  constructor(private readonly parts: Omit<SessionParts, 'calls'>) {
    const { transport, options, settings } = parts
    const { groupId, groupInstanceId, sessionTimeout, rebalanceTimeout } = settings
    const { clientId } = options
    this.calls = new GroupCalls(transport, {
      ...{ groupId, groupInstanceId, clientId },
      ...{ sessionTimeoutMs: sessionTimeout, rebalanceTimeoutMs: rebalanceTimeout },
    })
  }

  get protocol(): GroupProtocol {
    return this.parts.settings.groupProtocol
  }

  /** Subscribes; the group is joined when a loop asks for records. */
  async subscribe(topics: readonly Subscribed[], from: From): Promise<void> {
    await this.parts.subscription.add(topics, from)
    if (this.session === null) this.session = new GroupSession({ ...this.parts, calls: this.calls })
    else this.session.subscriptionChanged()
  }

  /** A loop asks for records. */
  demand(): void {
    this.session?.demand()
  }

  topicIsGone(topic: string, error: SeglogError): void {
    this.session?.topicIsGone(topic, error)
  }

  /** Commits what was read of an earlier assignment; the group's offsets of these partitions by `topic-partition`. */
  async beforeAssign(places: readonly TopicPartition[]): Promise<Map<string, number>> {
    const { partitions, settings, clock, fail } = this.parts
    if (this.ownCommitter === null) {
      this.ownCommitter = new OffsetCommitter(this.calls, partitions, null, clock, fail)
      if (settings.autoCommit) this.ownCommitter.commitEvery(settings.autoCommitInterval)
    } else if (settings.autoCommit) await this.ownCommitter.commitPositions(partitions.list)
    if (places.length === 0) return new Map()
    const found = await this.offsetsOf(places)
    return new Map(found.map(({ topic, partition, offset }) => [`${topic}-${partition}`, Number(offset)]))
  }

  /** Null stands for the positions. */
  async commit(offsets: readonly OffsetToCommit[] | null): Promise<void> {
    const given = offsets?.map(
      ({ topic, partition, offset, leaderEpoch = -1, metadata = '' }): OffsetOf => ({
        ...{ topic, partition, leaderEpoch, metadata },
        offset: BigInt(offset),
      }),
    )
    await this.committer?.commit(given ?? null)
  }

  /** In the order given. */
  async committed(places: readonly TopicPartition[]): Promise<CommittedOffset[]> {
    if (places.length === 0) return []
    const found = await this.offsetsOf(places)
    return places.map(({ topic, partition }) => {
      const known = found.find((one) => one.topic === topic && one.partition === partition)
      return known ?? { topic, partition, offset: null, leaderEpoch: null, metadata: null }
    })
  }

  private offsetsOf(places: readonly TopicPartition[]): Promise<OffsetOf[]> {
    const ask = async () => {
      await this.calls.find()
      return this.calls.offsets(places)
    }
    return patiently(ask, timeoutMs, this.parts.clock)
  }

  async close(withinMs: number): Promise<void> {
    await this.session?.close(withinMs)
    if (this.ownCommitter !== null) await this.closeOwn(this.ownCommitter, withinMs)
  }

  private async closeOwn(committer: OffsetCommitter, withinMs: number): Promise<void> {
    const { partitions, hands, clock, settings } = this.parts
    committer.stop()
    const late = new Signal()
    const alarm = clock.after(withinMs, () => late.set())
    await hands.untilFree(partitions.list, late)
    if (settings.autoCommit) await late.unless(committer.commitFinally(partitions.list, late).catch(() => {}))
    alarm.cancel()
  }

  private get committer(): OffsetCommitter | null {
    return this.session?.committer ?? this.ownCommitter
  }
}
