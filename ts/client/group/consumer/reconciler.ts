import { type BackOffTimes, backOffMs } from '../../back-off.js'
import { asSeglogError } from '../../settle-errors.js'
import type { TakingUp } from '../group-membership.js'
import { Signal } from '../signal.js'
import type { Conversation } from './conversation.js'
import type { IdentifiedPartition, ToldAssignment } from './told-assignment.js'
import type { TopicNames } from './topic-names.js'

/** What taking up an assignment needs of the consumer it is for. */
export interface ReconcilerHost {
  /** The partitions that are its own now. */
  held(): readonly IdentifiedPartition[]
  /** What it has is about to change. */
  rebalancing(reason: string): void
  /** Lets go of partitions in good order, in time or else without; ends early when the stay is lost. */
  giveUp(places: readonly IdentifiedPartition[], stay: Conversation['stay'], withinMs: number): Promise<void>
  /** Takes up partitions; resolves to false if it ended before it could. */
  takeUp(places: readonly IdentifiedPartition[], stay: Conversation['stay'], takingUp: TakingUp): Promise<boolean>
}

const backOff: BackOffTimes = { initialMs: 100, maxMs: 2_000 }
/** There is nothing to be done before something else happens. */
const idle = Number.POSITIVE_INFINITY

/**
 * Brings a member to what it was told to have: gives up what it is not to have, says so, takes up the rest, and says so.
 * Every assignment told is acknowledged, one that the member has already too: else the broker waits for it until the
 * rebalance timeout, and then takes the member for dead.
 */
export class Reconciler {
  private target: ToldAssignment | null = null
  /** What was begun with last. */
  private begun: ToldAssignment | null = null
  private isDone = false
  private running: Signal | null = null
  private attempts = 0

  constructor(
    private readonly talk: Conversation,
    private readonly host: ReconcilerHost,
    private readonly names: TopicNames,
    /** How long the group can wait for what is in hand. */
    private readonly patienceMs: () => number,
  ) {}

  told(target: ToldAssignment): void {
    const isUnderWay = !this.isDone && this.target?.isSameAs(target) === true
    if (isUnderWay) return
    this.target = target
    this.again()
  }

  /** The member may have lost what it was told to have. */
  again(): void {
    this.isDone = false
    this.attempts = 0
    this.running?.set()
  }

  /** Does what can be done now; resolves to the milliseconds after which to try again. Rejects as `takeUp` does. */
  async step(): Promise<number> {
    const { target, host, talk } = this
    if (target === null || this.isDone) return idle
    const isFirst = this.begun === null
    const isNew = target !== this.begun
    this.begun = target
    const gone = target.goneFrom(host.held())
    if (isNew && !isFirst && (gone.length > 0 || target.addedTo(host.held()).length > 0)) {
      host.rebalancing('the group gives this member other partitions')
    }
    if (gone.length > 0) {
      await host.giveUp(gone, talk.stay, this.patienceMs())
      if (talk.stay.lost.isSet) return idle
      // Others wait for it, however long the rest may take.
      talk.acknowledge()
    }
    if (target !== this.target) return 0
    const { found, areMissing } = await this.named(target)
    const hasChanged = gone.length > 0 || found.length > 0
    if ((hasChanged || isFirst) && !(await this.takeUp(found))) return this.pauseAfter(target)
    if (hasChanged || isNew) talk.acknowledge()
    if (target !== this.target) return 0
    if (areMissing) return this.pauseAfter(target)
    this.isDone = true
    return idle
  }

  private async takeUp(found: readonly IdentifiedPartition[]): Promise<boolean> {
    const { stay } = this.talk
    const ended = new Signal()
    const forget = stay.ended.listen(() => ended.set())
    this.running = ended
    try {
      return await this.host.takeUp(found, stay, {
        ended,
        reader: stay,
        // It is asked for again, until the coordinator has heard of it too.
        topicIsGone: () => ended.set(),
        report: (error) => stay.report(error),
      })
    } finally {
      this.running = null
      forget()
    }
  }

  /** What is to be taken up, by name. */
  private async named(target: ToldAssignment): Promise<{ found: IdentifiedPartition[]; areMissing: boolean }> {
    const added = target.addedTo(this.host.held())
    const names = await this.namesOf(added.map(({ topicId }) => topicId))
    const found = added.flatMap(({ topicId, partitions }) => {
      const topic = names.get(topicId)
      return topic === undefined ? [] : partitions.map((partition) => ({ topic, topicId, partition }))
    })
    return { found, areMissing: added.some(({ topicId }) => !names.has(topicId)) }
  }

  /** None while no broker can be asked. */
  private async namesOf(topicIds: readonly string[]): Promise<ReadonlyMap<string, string>> {
    try {
      return await this.names.of(topicIds)
    } catch (error) {
      if (asSeglogError(error).retriable) return new Map()
      throw error
    }
  }

  /** Before the next attempt at the same; none before the first at another. */
  private pauseAfter(target: ToldAssignment): number {
    return target === this.target ? backOffMs(backOff, ++this.attempts) : 0
  }
}
