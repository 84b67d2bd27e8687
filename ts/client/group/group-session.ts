import type { SeglogError } from '../../errors/seglog-error.js'
import { AssignedPartition } from '../assigned-partition.js'
import { type AssignedPartitions, placeOf } from '../assigned-partitions.js'
import type { PartitionCounts } from '../assignors/assignor.js'
import { assignors } from '../assignors/assignors.js'
import type { ConsumerEvents } from '../consumer-events.js'
import type { ConsumerHands, InHand } from '../consumer-hands.js'
import type { ReadOptions, TopicPartition } from '../consumer-options.js'
import { partitionCounts, type Subscription } from '../subscription.js'
import type { TopicMetadataCache } from '../topic-metadata.js'
import type { Transport } from '../transport.js'
import { type Clock, pause } from './clock.js'
import { ConsumerMembership, type ConsumerMembershipHost } from './consumer/consumer-membership.js'
import type { IdentifiedPartition } from './consumer/told-assignment.js'
import type { Generation } from './generation.js'
import type { GroupCalls } from './group-calls.js'
import type { GroupMembership, TakingUp, Tenure } from './group-membership.js'
import type { GroupSettings } from './group-options.js'
import { Membership, type MembershipHost } from './membership.js'
import { OffsetCommitter } from './offset-committer.js'
import { Signal } from './signal.js'
import { StallWatch } from './stall-watch.js'
import { StartingPoints } from './starting-points.js'

/** What a session needs of its consumer. */
export interface SessionParts {
  readonly transport: Transport
  readonly metadata: TopicMetadataCache
  readonly calls: GroupCalls
  readonly partitions: AssignedPartitions
  readonly hands: ConsumerHands
  readonly subscription: Subscription
  readonly events: ConsumerEvents
  readonly clock: Clock
  readonly options: ReadOptions
  readonly settings: GroupSettings
  /** Has the loops of the consumer throw it. */
  readonly fail: (error: unknown) => void
}

/** A consumer as a member of its group: what membership, offsets and loops have to do with each other. */
export class GroupSession {
  readonly committer: OffsetCommitter
  private readonly membership: GroupMembership
  private readonly watch: StallWatch
  private readonly startingPoints: StartingPoints
  /** Nobody waits any longer for what is in hand. */
  private impatient = new Signal()
  /** The member leaves for want of anybody who asks for records. */
  private idling: Promise<void> | null = null
  private isClosing = false

  constructor(private readonly parts: SessionParts) {
    const { calls, clock, partitions, settings, hands, fail } = parts
    this.startingPoints = new StartingPoints(parts)
    this.membership = settings.groupProtocol === 'consumer' ? this.consumerMembership() : this.classicMembership()
    this.committer = new OffsetCommitter(calls, partitions, this.membership, clock, fail)
    this.watch = new StallWatch(
      clock,
      hands,
      { eventLoopMs: () => this.membership.heartbeatIntervalMs, handlerMs: settings.maxPollInterval },
      {
        eventLoop: (duration) => void parts.events.tell('stalled', { kind: 'event-loop', duration }),
        handler: (duration, inHand) => this.standsStill(duration, inHand),
      },
    )
  }

  /** Somebody asks for records: joins the group, unless it has. */
  demand(): void {
    if (this.isClosing || this.idling !== null || !this.membership.isOut) return
    const { autoCommit, autoCommitInterval } = this.parts.settings
    this.impatient = new Signal()
    if (autoCommit) this.committer.commitEvery(autoCommitInterval)
    this.watch.start()
    this.membership.start()
  }

  /** The topics are others now. */
  subscriptionChanged(): void {
    this.membership.rejoin('the subscription has changed')
  }

  /** Its partitions are lost; there may be another of its name, for the leader to find. */
  topicIsGone(topic: string, error: SeglogError): void {
    const { partitions, events } = this.parts
    const gone = partitions.list.filter((one) => one.topic === topic)
    if (gone.length === 0) return
    partitions.drop(gone)
    void events.tell('lost', { ...this.names(), partitions: gone.map(placeOf), error })
    this.membership.rejoin(`topic ${topic} is not there any more`)
  }

  /** Waits for what is in hand, at most `withinMs`; commits; says goodbye. */
  async close(withinMs: number): Promise<void> {
    this.isClosing = true
    const left = new Signal()
    void this.membership.leave('the consumer is closed').then(() => left.set())
    await pause(this.parts.clock, withinMs, left)
    this.impatient.set()
    // The coordinator may be out of reach: then the session ends by itself.
    await pause(this.parts.clock, withinMs, left)
    this.committer.stop()
    this.watch.stop()
  }

  private classicMembership(): Membership {
    const { calls, clock, settings, options } = this.parts
    const membershipOptions = {
      assignors: settings.partitionAssigners.map((name) => assignors[name]),
      heartbeatIntervalMs: settings.heartbeatInterval,
      rackId: options.rackId || null,
      metadataMaxAgeMs: options.metadataMaxAge,
    }
    return new Membership(calls, this.hostOf(), membershipOptions, clock)
  }

  private consumerMembership(): ConsumerMembership {
    const { calls, clock, transport, settings, options } = this.parts
    const membershipOptions = {
      serverAssignor: settings.groupRemoteAssignor,
      rackId: options.rackId || null,
      metadataMaxAgeMs: options.metadataMaxAge,
    }
    return new ConsumerMembership(calls, transport, this.hostOf(), membershipOptions, clock)
  }

  private hostOf(): MembershipHost & ConsumerMembershipHost {
    const { transport, partitions, subscription, events, fail } = this.parts
    return {
      topics: () => subscription.topics(),
      expression: () => subscription.expression,
      owned: () => partitions.places,
      held: () => partitions.list,
      partitionCounts: (topics): Promise<PartitionCounts> => partitionCounts(transport, topics),
      rebalancing: (reason) => void events.tell('rebalance', { ...this.names(), reason }),
      receive: (assignment, generation) => this.receive(assignment, generation),
      giveUp: (places, stay, withinMs) => {
        const given = new Set(places)
        const gone = partitions.list.filter((one) => given.has(one))
        return this.giveUp(gone, stay, withinMs)
      },
      takeUp: (places, stay, takingUp) => this.takeUp(places, stay, takingUp),
      yieldAll: (generation, withinMs) => this.giveUp(partitions.list, generation, withinMs),
      lose: (error) => this.lose(error),
      fail: (error) => {
        this.committer.stop()
        this.watch.stop()
        fail(error)
      },
    }
  }

  private async receive(assignment: readonly TopicPartition[], generation: Generation): Promise<boolean> {
    const { partitions, subscription, settings } = this.parts
    const wanted = assignment.filter(({ topic }) => subscription.includes(topic))
    const gone = partitions.list.filter((one) => !wanted.some((place) => isSame(place, one)))
    if (gone.length > 0) await this.giveUp(gone, generation, settings.rebalanceTimeout)
    if (generation.lost.isSet) return false
    await this.takeUp(
      wanted.filter((place) => partitions.find(place) === undefined),
      generation,
      generation,
    )
    return gone.length > 0
  }

  /** Resolves to false if the taking up ends before it is known where to begin. */
  private async takeUp(
    places: readonly (TopicPartition | IdentifiedPartition)[],
    tenure: Tenure,
    takingUp: TakingUp,
  ): Promise<boolean> {
    const { partitions, events } = this.parts
    const added = await this.lookUp(places, takingUp)
    if (added === null) return false
    partitions.add(added)
    const { isLeader } = tenure
    const assignedNow = { ...this.names(tenure), assignment: partitions.places, isLeader }
    await events.tell('assigned', { ...assignedNow, partitions: added.map(placeOf) })
    partitions.hold(added, false)
    return true
  }

  /** The partitions at the places where to begin, still held; null if the taking up ends before they are known. */
  private async lookUp(
    places: readonly (TopicPartition | IdentifiedPartition)[],
    takingUp: TakingUp,
  ): Promise<AssignedPartition[] | null> {
    const reset = this.parts.options.autoOffsetReset ?? 'earliest'
    const points = await this.startingPoints.of(places, takingUp)
    if (points === null) return null
    return points.map(({ topic, partition, topicId, offset, committed, leaderEpoch }) => {
      const taken = new AssignedPartition(topic, topicId, partition, offset, reset)
      return Object.assign(taken, { held: true, committed, positionEpoch: leaderEpoch })
    })
  }

  /** Has what is in hand finished, commits and lets go, all within that time. */
  private async giveUp(given: readonly AssignedPartition[], tenure: Tenure, withinMs: number): Promise<void> {
    const { partitions, hands, events, settings, clock } = this.parts
    if (given.length === 0) return
    const late = new Signal()
    const alarm = clock.after(withinMs, () => late.set())
    const over = new Signal()
    const undo = [late, tenure.lost, this.impatient].map((one) => (one as Signal<unknown>).listen(() => over.set()))
    partitions.hold(given)
    await hands.untilFree(given, over)
    if (!tenure.lost.isSet) {
      if (settings.autoCommit) await late.unless(this.committer.commitFinally(given, over).catch(() => {}))
      await late.unless(events.tell('revoked', { ...this.names(tenure), partitions: given.map(placeOf) }))
      partitions.drop(given)
    }
    alarm.cancel()
    for (const forget of undo) forget()
  }

  private async lose(error: SeglogError): Promise<void> {
    const { partitions, events } = this.parts
    const lost = partitions.places
    partitions.replace([])
    if (lost.length > 0) await events.tell('lost', { ...this.names(), partitions: lost, error })
  }

  private standsStill(duration: number, inHand: InHand | null): void {
    const record = inHand && { ...placeOf(inHand.partition), offset: BigInt(inHand.offset) }
    void this.parts.events.tell('stalled', { kind: 'handler', duration, ...record })
    // Others may do what this consumer does not come to do.
    this.impatient.set()
    this.committer.stop()
    this.watch.stop()
    this.idling = this.membership.leave('no record was asked for in time').then(() => {
      this.idling = null
      if (this.parts.hands.isReading && this.parts.hands.held.length === 0) this.demand()
    })
  }

  private names(tenure: Tenure | null = this.membership.generation) {
    const { groupId } = this.parts.settings
    return { groupId, memberId: tenure?.memberId ?? '', generation: tenure?.generation ?? -1 }
  }
}

function isSame(a: TopicPartition, b: TopicPartition): boolean {
  return a.topic === b.topic && a.partition === b.partition
}
