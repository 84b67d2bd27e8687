import type { SeglogError } from '../../../errors/seglog-error.js'
import type { MaybePromise } from '../../../log/maybe-promise.js'
import { randomUuid } from '../../../protocol/uuid.js'
import { type BackOffTimes, backOffMs } from '../../back-off.js'
import { asSeglogError } from '../../settle-errors.js'
import type { Transport } from '../../transport.js'
import { type Clock, pause } from '../clock.js'
import type { GroupCalls } from '../group-calls.js'
import type { GroupMembership } from '../group-membership.js'
import { troubleOf } from '../group-trouble.js'
import { Signal } from '../signal.js'
import { Conversation } from './conversation.js'
import { checkTransition, type MemberState } from './member-state.js'
import { Reconciler, type ReconcilerHost } from './reconciler.js'
import { refusalOf } from './refusal.js'
import type { Stay } from './stay.js'
import { TopicNames } from './topic-names.js'

/** What a membership needs of the consumer it is for. */
export interface ConsumerMembershipHost extends ReconcilerHost {
  /** Names of the topics it subscribes to. */
  topics(): MaybePromise<readonly string[]>
  /** What the broker is to match others with; null for nothing. */
  expression(): string | null
  /** Lets go of all partitions in good order, in time or else without. */
  yieldAll(stay: Stay, withinMs: number): Promise<void>
  /** All partitions are void. */
  lose(error: SeglogError): Promise<void>
  /** It is over, by an error of the group or of this very code. */
  fail(error: SeglogError): void
}

export interface ConsumerMembershipOptions {
  /** The assignor that the broker is to use; null for its own choice. */
  readonly serverAssignor: string | null
  readonly rackId: string | null
  /** Between looks for topics that a pattern of the client's matches. */
  readonly metadataMaxAgeMs: number
}

const backOff: BackOffTimes = { initialMs: 100, maxMs: 2_000 }
/** Kafka's, until the broker has told its own. */
const heartbeatMsByDefault = 5_000

/**
 * One consumer's membership in its group, by the consumer protocol (KIP-848): a walk through the states of
 * `member-state.ts`, independent of whether the consumer reads at the moment. The broker shares out the partitions, and
 * tells each member its own in answers to heartbeats.
 */
export class ConsumerMembership implements GroupMembership {
  private at: MemberState = 'out'
  private moved = new Signal()
  private life: Promise<void> = Promise.resolve()
  /** Set when the member is to leave; holds the reason. */
  private goodbye = new Signal<string>()
  /** Its own for as long as the process lives: a join that is made again is the same member's. */
  private readonly memberId = randomUuid()
  private readonly names: TopicNames
  private talk: Conversation | null = null
  private reconciler: Reconciler | null = null
  /** The group may know the member. */
  private mayBeKnown = false
  private topics: readonly string[] = []
  private topicsAreOld = true
  /** There is something to do. */
  private news = new Signal()
  private reason = ''
  private failures = 0
  private error: SeglogError | null = null

  constructor(
    private readonly calls: GroupCalls,
    transport: Transport,
    private readonly host: ConsumerMembershipHost,
    private readonly options: ConsumerMembershipOptions,
    private readonly clock: Clock,
  ) {
    this.names = new TopicNames(transport, calls.names.clientId)
  }

  get state(): MemberState {
    return this.at
  }

  get isOut(): boolean {
    return this.at === 'out'
  }

  get generation(): Stay | null {
    return this.talk?.stay ?? null
  }

  get isBetweenGenerations(): boolean {
    return this.at === 'joining'
  }

  get heartbeatIntervalMs(): number {
    return this.talk?.intervalMs || heartbeatMsByDefault
  }

  async settled(): Promise<void> {
    while (this.isBetweenGenerations) await this.moved.happened
  }

  start(): void {
    if (this.at !== 'out') return
    this.goodbye = new Signal()
    this.failures = 0
    this.reason = 'a consumer begins to read'
    this.moveTo('joining')
    this.life = this.live()
  }

  rejoin(): void {
    this.topicsAreOld = true
    this.reconciler?.again()
    // What the broker knows of its topics it looks at when it hears of a member.
    this.talk?.soon()
    this.news.set()
  }

  leave(reason: string): Promise<void> {
    this.goodbye.set(reason)
    this.talk?.stay.left.set()
    return this.life
  }

  private async live(): Promise<void> {
    while (this.at !== 'out') {
      const next = await this.step().catch((error: unknown) => this.failed(asSeglogError(error)))
      this.moveTo(this.goodbye.isSet && this.at !== 'leaving' ? 'leaving' : next)
    }
  }

  private moveTo(state: MemberState): void {
    checkTransition(this.at, state)
    const begins = state === 'joining' && this.at !== 'joining'
    this.at = state
    const { moved } = this
    this.moved = new Signal()
    moved.set()
    if (begins) this.host.rebalancing(this.reason)
  }

  private step(): Promise<MemberState> {
    switch (this.at) {
      case 'joining':
        return this.join()
      case 'member':
        return this.stay()
      case 'losing':
        return this.lose()
      case 'failing':
        return this.fail()
      default:
        return this.sayGoodbye()
    }
  }

  private async join(): Promise<MemberState> {
    try {
      await this.calls.find()
      this.topics = await this.host.topics()
      this.topicsAreOld = false
      if (this.goodbye.isSet) return 'leaving'
      const talk = this.converse()
      const reconciler = new Reconciler(talk, this.host, this.names, () => this.patienceMs)
      this.reconciler = reconciler
      this.mayBeKnown = true
      const joined = talk.join().then(() => true)
      if ((await this.goodbye.unless(joined)) === null) {
        talk.stop()
        joined.catch(() => {})
        return 'leaving'
      }
      this.failures = 0
      this.talk = talk
      return 'member'
    } catch (error) {
      return this.afterError(asSeglogError(error))
    }
  }

  private converse(): Conversation {
    const { groupId, groupInstanceId: instanceId, rebalanceTimeoutMs } = this.calls.names
    const { rackId, serverAssignor } = this.options
    const { memberId, host } = this
    const constants = { groupId, memberId, instanceId, rackId, rebalanceTimeoutMs, serverAssignor }
    const facts = () => ({ topics: this.topics, expression: host.expression(), held: host.held() })
    return new Conversation(this.calls, this.clock, constants, facts, (told) => {
      this.reconciler!.told(told)
      this.news.set()
    })
  }

  /** A member for as long as it lasts: heartbeats go on by themselves, and what they tell is taken up here. */
  private async stay(): Promise<MemberState> {
    const { metadataMaxAgeMs } = this.options
    const talk = this.talk!
    const { ended, lost } = talk.stay
    talk.start()
    let lookMs = this.clock.now() + metadataMaxAgeMs
    const forget = ended.listen(() => this.news.set())
    while (!ended.isSet) {
      this.news = new Signal()
      if (this.topicsAreOld || this.clock.now() >= lookMs) {
        await this.lookAtTopics(talk)
        lookMs = this.clock.now() + metadataMaxAgeMs
      }
      const againMs = await this.reconciler!.step()
      if (!ended.isSet) await pause(this.clock, Math.min(againMs, lookMs - this.clock.now()), this.news)
    }
    forget()
    return lost.isSet ? 'losing' : 'leaving'
  }

  private async lookAtTopics(talk: Conversation): Promise<void> {
    this.topicsAreOld = false
    try {
      const before = this.topics
      this.topics = await this.host.topics()
      if (nameOf(this.topics) !== nameOf(before)) talk.soon()
    } catch {
      // The next look will tell.
    }
  }

  /** How long the others can wait for what is in hand: they may have begun when the last heartbeat had just been sent. */
  private get patienceMs(): number {
    const { rebalanceTimeoutMs } = this.calls.names
    return Math.max(rebalanceTimeoutMs / 2, rebalanceTimeoutMs - 2 * this.heartbeatIntervalMs)
  }

  private async lose(): Promise<MemberState> {
    const error = this.talk!.stay.lost.value!
    this.end()
    this.mayBeKnown = false
    if (troubleOf(error) === 'fatal') return this.failed(error)
    await this.host.lose(error)
    this.reason = `this member was told ${error.code}`
    await this.waitBeforeRetry()
    return 'joining'
  }

  private async fail(): Promise<MemberState> {
    const error = this.error!
    this.error = null
    this.end()
    await this.host.lose(error)
    await this.tellGoodbye()
    this.host.fail(error)
    return 'out'
  }

  private async sayGoodbye(): Promise<MemberState> {
    const stay = this.talk?.stay ?? null
    if (stay !== null && !stay.lost.isSet) await this.host.yieldAll(stay, this.patienceMs)
    if (stay?.lost.isSet) await this.host.lose(stay.lost.value!)
    this.end()
    await this.tellGoodbye()
    return 'out'
  }

  /** The session ends by itself where the coordinator does not hear it. */
  private async tellGoodbye(): Promise<void> {
    if (!this.mayBeKnown) return
    this.mayBeKnown = false
    await this.calls.consumerLeave(this.memberId).catch(() => {})
  }

  private end(): void {
    this.talk?.stop()
    this.talk = null
    this.reconciler = null
  }

  private failed(error: SeglogError): MemberState {
    this.error = error
    return 'failing'
  }

  /** An error of a join. */
  private async afterError(error: SeglogError): Promise<MemberState> {
    const refusal = refusalOf(error, this.calls.names.groupId)
    if (refusal !== null) {
      this.mayBeKnown = false
      return this.failed(refusal)
    }
    if (error.code === 'UNRELEASED_INSTANCE_ID') {
      this.mayBeKnown = await this.release()
      if (!this.mayBeKnown) return this.failed(error)
    } else if (troubleOf(error) === 'fatal') return this.failed(error)
    await this.waitBeforeRetry()
    return 'joining'
  }

  /**
   * Lets go of the lasting name where this very member holds it, by a join of which the answer was lost. False where
   * another does; that one keeps it.
   */
  private async release(): Promise<boolean> {
    try {
      await this.calls.consumerLeave(this.memberId)
      return true
    } catch (thrown) {
      const error = asSeglogError(thrown)
      // Its holder may be gone by now.
      return error.retriable || error.code === 'UNKNOWN_MEMBER_ID'
    }
  }

  private waitBeforeRetry(): Promise<void> {
    this.failures++
    return pause(this.clock, backOffMs(backOff, this.failures), this.goodbye)
  }
}

function nameOf(topics: readonly string[]): string {
  return [...topics].sort().join()
}
