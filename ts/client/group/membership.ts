import type { SeglogError } from '../../errors/seglog-error.js'
import type { MaybePromise } from '../../log/maybe-promise.js'
import { protocolError } from '../../protocol/errors.js'
import type { JoinGroupResponse } from '../../protocol/messages/11-join-group.js'
import type { Assignor, Claim, PartitionCounts } from '../assignors/assignor.js'
import { type BackOffTimes, backOffMs } from '../back-off.js'
import type { TopicPartition } from '../consumer-options.js'
import { errorOf } from '../response-error.js'
import { asSeglogError } from '../settle-errors.js'
import { type Alarm, type Clock, pause } from './clock.js'
import { decodeAssignment, encodeSubscription } from './consumer-protocol.js'
import { Generation } from './generation.js'
import type { GroupCalls } from './group-calls.js'
import type { GroupMembership } from './group-membership.js'
import { troubleOf } from './group-trouble.js'
import { Heartbeats } from './heartbeats.js'
import { assignmentsOf, groupMembers } from './leader.js'
import { checkTransition, type MembershipState } from './membership-state.js'
import { Signal } from './signal.js'

/** What a membership needs of the consumer it is for. */
export interface MembershipHost {
  /** The topics to join with. */
  topics(): MaybePromise<readonly string[]>
  /** The partitions that are its own now. */
  owned(): readonly TopicPartition[]
  /** Number of partitions of those topics that are there. */
  partitionCounts(topics: readonly string[]): Promise<PartitionCounts>
  /** A rebalance begins, for this member at least. */
  rebalancing(reason: string): void
  /**
   * Takes up an assignment; resolves to true if partitions were given up, which others are to get by a rebalance. Ends
   * early, with what it has by then, when the generation does.
   */
  receive(assignment: readonly TopicPartition[], generation: Generation): Promise<boolean>
  /** Lets go of all partitions in good order, in time or else without. */
  yieldAll(generation: Generation, withinMs: number): Promise<void>
  /** All partitions are void. */
  lose(error: SeglogError): Promise<void>
  /** It is over, by an error of the group or of this very code. */
  fail(error: SeglogError): void
}

export interface MembershipOptions {
  /** In order of preference. */
  readonly assignors: readonly Assignor[]
  readonly heartbeatIntervalMs: number
  readonly rackId: string | null
  /** Between looks for new partitions and topics. */
  readonly metadataMaxAgeMs: number
}

const backOff: BackOffTimes = { initialMs: 100, maxMs: 2_000 }
/** That a member which is to leave waits for the join under way. */
const partingMsMax = 2_000
const none: Claim = { owned: [], generation: -1 }

/**
 * One consumer's membership in its group, by the classic protocol: a walk through the states of `membership-state.ts`,
 * independent of whether the consumer reads at the moment.
 */
export class Membership implements GroupMembership {
  private at: MembershipState = 'out'
  private moved = new Signal()
  private life: Promise<void> = Promise.resolve()
  /** Set when the member is to leave; holds the reason. */
  private goodbye = new Signal<string>()
  /** Given by the coordinator. Kept for as long as the group may know it. */
  private memberId = ''
  private current: Generation | null = null
  private heartbeats: Heartbeats | null = null
  /** What the last assignment was: assignors that keep partitions in place are told. */
  private last: Claim = none
  private joined: JoinGroupResponse | null = null
  private assignment: readonly TopicPartition[] = []
  private reason = ''
  private rejoinReason: string | null = null
  private failures = 0
  private error: SeglogError | null = null
  private joinedTopics = ''
  /** As its leader: the topics of the whole group as it shared them out. Null for other members. */
  private shared: PartitionCounts | null = null

  constructor(
    private readonly calls: GroupCalls,
    private readonly host: MembershipHost,
    private readonly options: MembershipOptions,
    private readonly clock: Clock,
  ) {}

  get state(): MembershipState {
    return this.at
  }

  get isOut(): boolean {
    return this.at === 'out'
  }

  /** The generation it is in, or was in before the join that runs. */
  get generation(): Generation | null {
    return this.current
  }

  get heartbeatIntervalMs(): number {
    return this.options.heartbeatIntervalMs
  }

  /** A join is under way: the generation it was in may be over already. */
  get isBetweenGenerations(): boolean {
    return this.at === 'joining' || this.at === 'syncing'
  }

  /** Resolves when no join is under way. */
  async settled(): Promise<void> {
    while (this.isBetweenGenerations) await this.moved.happened
  }

  /** Members keep their partitions while they join, if every assignor they offer permits it. */
  get isCooperative(): boolean {
    return this.options.assignors.every(({ isCooperative }) => isCooperative)
  }

  /** Joins, unless it has. */
  start(): void {
    if (this.at !== 'out') return
    this.goodbye = new Signal()
    this.failures = 0
    this.reason = 'a consumer begins to read'
    this.moveTo('joining')
    this.life = this.live()
  }

  /** Joins again, to be given another assignment; where a join is under way, after it. */
  rejoin(reason: string): void {
    if (this.isBetweenGenerations) this.rejoinReason = reason
    else this.current?.rebalance.set(reason)
  }

  /** Gives up its partitions and leaves; a static member only goes silent. Resolves when it is out. */
  leave(reason: string): Promise<void> {
    this.goodbye.set(reason)
    this.current?.left.set()
    return this.life
  }

  private async live(): Promise<void> {
    while (this.at !== 'out') {
      const next = await this.step().catch((error: unknown) => this.failed(asSeglogError(error)))
      // The generation that it has joined begins with its sync, and only in that it may commit.
      const mustSync = next === 'syncing' && this.hasPartitions
      this.moveTo(this.goodbye.isSet && this.at !== 'leaving' && !mustSync ? 'leaving' : next)
    }
  }

  private moveTo(state: MembershipState): void {
    checkTransition(this.at, state)
    const begins = state === 'joining' && this.at !== 'joining'
    this.at = state
    const { moved } = this
    this.moved = new Signal()
    moved.set()
    if (begins) this.host.rebalancing(this.reason)
  }

  private step(): Promise<MembershipState> {
    switch (this.at) {
      case 'joining':
        return this.join()
      case 'syncing':
        return this.sync()
      case 'receiving':
        return this.receive()
      case 'stable':
        return this.stay()
      case 'yielding':
        return this.yieldAll()
      case 'losing':
        return this.lose()
      case 'failing':
        return this.fail()
      default:
        return this.sayGoodbye()
    }
  }

  private async join(): Promise<MembershipState> {
    try {
      await this.calls.find()
      const { memberId, reason } = this
      const protocols = await this.protocols()
      const answer = await this.unlessLeaving(this.calls.join({ memberId, protocols, reason }))
      if (answer === null) return 'leaving'
      const error = errorOf(answer)
      if (error?.code === 'MEMBER_ID_REQUIRED') {
        this.memberId = answer.memberId
        return 'joining'
      }
      if (error !== null) throw error
      this.memberId = answer.memberId
      this.joined = answer
      return 'syncing'
    } catch (error) {
      return this.afterError(asSeglogError(error))
    }
  }

  private async protocols() {
    const topics = await this.host.topics()
    this.joinedTopics = nameOf(topics)
    const { assignors, rackId } = this.options
    const claim = { owned: this.host.owned(), generation: this.last.generation }
    return assignors.map((assignor) => {
      const userData = assignor.userData(this.last)
      return { name: assignor.name, metadata: encodeSubscription({ topics, claim, userData, rackId }) }
    })
  }

  private async sync(): Promise<MembershipState> {
    const { memberId, generationId: generation, protocolName, leader } = this.joined!
    try {
      const assignor = this.options.assignors.find(({ name }) => name === protocolName)
      if (assignor === undefined) {
        throw protocolError('INCONSISTENT_GROUP_PROTOCOL', `the group goes by ${protocolName}, which was not offered`)
      }
      const isLeader = leader === memberId
      const assignments = isLeader ? await this.share(assignor) : []
      if (!isLeader) this.shared = null
      const answer = await this.unlessLeaving(this.calls.sync({ memberId, generation }, assignor.name, assignments))
      if (answer === null) return 'leaving'
      this.assignment = decodeAssignment(answer)
      this.begin(new Generation(memberId, generation, assignor, isLeader))
      return 'receiving'
    } catch (error) {
      return this.afterError(asSeglogError(error))
    }
  }

  /** As the leader; nothing where a static one came back and its last assignment holds. */
  private async share(assignor: Assignor) {
    const { members: joined, skipAssignment } = this.joined!
    const members = groupMembers(assignor, joined)
    this.shared = await this.host.partitionCounts([...new Set(members.flatMap(({ topics }) => topics))])
    return skipAssignment ? [] : assignmentsOf(assignor, this.shared, members)
  }

  private begin(generation: Generation): void {
    this.failures = 0
    this.current = generation
    if (this.rejoinReason !== null) generation.rebalance.set(this.rejoinReason)
    this.rejoinReason = null
    this.last = { owned: this.assignment, generation: generation.generation }
    const report = (error: SeglogError) => generation.report(error)
    const send = () => this.calls.heartbeat(generation)
    this.heartbeats = new Heartbeats(this.clock, () => this.options.heartbeatIntervalMs, send, report)
    this.heartbeats.start()
  }

  private async receive(): Promise<MembershipState> {
    const generation = this.current!
    const gaveUp = await this.host.receive(this.assignment, generation)
    if (generation.lost.isSet) return 'losing'
    if (gaveUp) generation.rebalance.set('partitions were given up')
    return 'stable'
  }

  private async stay(): Promise<MembershipState> {
    const generation = this.current!
    const { metadataMaxAgeMs } = this.options
    const { ended } = generation
    while (!ended.isSet) {
      await pause(this.clock, metadataMaxAgeMs, ended)
      if (!ended.isSet && (await this.topicsHaveChanged()))
        generation.rebalance.set('topics or partitions have changed')
    }
    if (generation.lost.isSet) return 'losing'
    if (!generation.rebalance.isSet) return 'leaving'
    this.reason = generation.rebalance.value!
    return 'yielding'
  }

  /** The leader looks after the topics of all, every member after which topics its own patterns mean. */
  private async topicsHaveChanged(): Promise<boolean> {
    try {
      if (nameOf(await this.host.topics()) !== this.joinedTopics) return true
      const { shared } = this
      if (shared === null) return false
      const now = await this.host.partitionCounts(this.topicsShared())
      return now.size !== shared.size || [...now].some(([topic, count]) => shared.get(topic) !== count)
    } catch {
      // The next look will tell.
      return false
    }
  }

  private topicsShared(): string[] {
    const members = groupMembers(this.current!.assignor, this.joined!.members)
    return [...new Set(members.flatMap(({ topics }) => topics))]
  }

  private async yieldAll(): Promise<MembershipState> {
    const generation = this.current!
    if (!this.isCooperative) await this.host.yieldAll(generation, this.patienceMs)
    this.heartbeats!.stop()
    return generation.lost.isSet ? 'losing' : 'joining'
  }

  /** How long the others can wait for what is in hand: they may have begun when the last heartbeat had just been sent. */
  private get patienceMs(): number {
    const { rebalanceTimeoutMs } = this.calls.names
    return Math.max(rebalanceTimeoutMs / 2, rebalanceTimeoutMs - 2 * this.options.heartbeatIntervalMs)
  }

  private async lose(): Promise<MembershipState> {
    const error = this.error ?? this.current!.lost.value!
    this.error = null
    this.end()
    const trouble = troubleOf(error)
    if (trouble === 'fatal') return this.failed(error)
    if (trouble === 'unknown') this.memberId = ''
    await this.host.lose(error)
    this.reason = `this member was told ${error.code}`
    await this.waitBeforeRetry()
    return 'joining'
  }

  private async fail(): Promise<MembershipState> {
    const error = this.error!
    this.error = null
    const isMember = this.current !== null
    this.end()
    await this.host.lose(error)
    if (isMember) await this.tellGoodbye(error.message)
    this.host.fail(error)
    return 'out'
  }

  private async sayGoodbye(): Promise<MembershipState> {
    const { current } = this
    if (current !== null && !current.lost.isSet) await this.host.yieldAll(current, this.patienceMs)
    else if (current !== null) await this.host.lose(current.lost.value!)
    this.end()
    await this.tellGoodbye(this.goodbye.value!)
    return 'out'
  }

  /** The session ends by itself where the coordinator does not hear it, and for static members. */
  private async tellGoodbye(reason: string): Promise<void> {
    const { memberId } = this
    if (memberId === '' || this.calls.names.groupInstanceId !== null) return
    this.memberId = ''
    await this.calls.leave(memberId, reason).catch(() => {})
  }

  private end(): void {
    this.heartbeats?.stop()
    this.current = null
  }

  private failed(error: SeglogError): MembershipState {
    this.error = error
    return 'failing'
  }

  /** An error of a join or sync. */
  private async afterError(error: SeglogError): Promise<MembershipState> {
    const trouble = troubleOf(error)
    if (trouble === 'fatal') return this.failed(error)
    if (trouble === 'unknown') this.memberId = ''
    if (trouble === 'unknown' || trouble === 'outdated') {
      this.error = error
      return 'losing'
    }
    if (trouble === 'retry') await this.waitBeforeRetry()
    return 'joining'
  }

  private waitBeforeRetry(): Promise<void> {
    this.failures++
    return pause(this.clock, backOffMs(backOff, this.failures), this.goodbye)
  }

  /**
   * Null when the member is to leave; what comes of the work later is undone. One with partitions waits for it a while: to
   * commit what it came to it needs the generation that the work is for.
   */
  private async unlessLeaving<T extends object>(work: MaybePromise<T>): Promise<T | null> {
    const done = Promise.resolve(work)
    const over = new Signal()
    const alarms: Alarm[] = []
    const forget = this.goodbye.listen(() => {
      if (!this.hasPartitions) over.set()
      else alarms.push(this.clock.after(partingMsMax, () => over.set()))
    })
    try {
      const result = await over.unless(done)
      if (result === null) void done.then((late) => this.leaveLate(late)).catch(() => {})
      return result
    } finally {
      forget()
      for (const alarm of alarms) alarm.cancel()
    }
  }

  /** Members that cooperate keep them while they join. */
  private get hasPartitions(): boolean {
    return this.host.owned().length > 0
  }

  private async leaveLate(late: object): Promise<void> {
    const { memberId } = late as Partial<JoinGroupResponse>
    const isOurs = memberId === this.memberId || this.calls.names.groupInstanceId !== null
    if (memberId === undefined || memberId === '' || isOurs) return
    await this.calls.leave(memberId, 'left while it joined')
  }
}

function nameOf(topics: readonly string[]): string {
  return [...topics].sort().join()
}
