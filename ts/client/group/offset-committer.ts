import type { SeglogError } from '../../errors/seglog-error.js'
import { protocolError } from '../../protocol/errors.js'
import type { AssignedPartition } from '../assigned-partition.js'
import type { AssignedPartitions } from '../assigned-partitions.js'
import { type BackOffTimes, backOffMs } from '../back-off.js'
import type { TopicPartition } from '../consumer-options.js'
import { keepingAlive } from '../keeping-alive.js'
import { asSeglogError } from '../settle-errors.js'
import { type Alarm, type Clock, pause } from './clock.js'
import type { GroupCalls, OffsetOf } from './group-calls.js'
import type { GroupMembership } from './group-membership.js'
import { troubleOf } from './group-trouble.js'
import { type MemberIdentity, outsider } from './member-identity.js'
import type { Signal } from './signal.js'

const backOff: BackOffTimes = { initialMs: 100, maxMs: 1_000 }
const timeoutMs = 60_000

interface FailedOffset {
  readonly offset: OffsetOf
  readonly error: SeglogError
}

/**
 * Commits of one consumer, one after the other, so that none overtakes a later one. Positions are what was consumed:
 * records in the hand of a loop or handler are not.
 */
export class OffsetCommitter {
  private line: Promise<unknown> = Promise.resolve()
  private alarm: Alarm | null = null

  constructor(
    private readonly calls: GroupCalls,
    private readonly partitions: AssignedPartitions,
    /** Null for a consumer that assigns its own partitions. */
    private readonly membership: GroupMembership | null,
    private readonly clock: Clock,
    private readonly onError: (error: SeglogError) => void,
  ) {}

  /** Commits positions that have changed, every so often. */
  commitEvery(ms: number): void {
    this.alarm?.cancel()
    this.alarm = this.clock.after(ms, () => {
      void this.commitPositions(this.partitions.list)
        .catch((error: SeglogError) => {
          // What passes will have passed by the next time; of the rest a member hears by its heartbeats.
          const trouble = troubleOf(error)
          if (trouble === 'fatal' || (this.membership === null && trouble !== 'retry')) this.onError(error)
        })
        .then(() => {
          if (this.alarm !== null) this.commitEvery(ms)
        })
    })
  }

  stop(): void {
    this.alarm?.cancel()
    this.alarm = null
  }

  /**
   * One attempt at the positions that have changed, for the moments that come again. One that is below what the
   * application committed itself stays out: it knows of records that are done before the loop has let go of them.
   */
  commitPositions(partitions: readonly AssignedPartition[]): Promise<void> {
    return this.inLine(async () => {
      const failed = await this.attemptPositions(partitions)
      if (failed.length > 0) throw failed[0].error
    })
  }

  /** For the moment that does not come again: as `commitPositions`, until it is done or nobody waits for it (`over`). */
  commitFinally(partitions: readonly AssignedPartition[], over: Signal): Promise<void> {
    return this.inLine(async () => {
      for (let attempts = 1; ; attempts++) {
        const failed = await this.attemptPositions(partitions)
        if (failed.length === 0) return
        if (over.isSet || !failed.some(({ error }) => mayPass(error))) throw failed[0].error
        await pause(this.clock, backOffMs(backOff, attempts), over)
      }
    })
  }

  private async attemptPositions(partitions: readonly AssignedPartition[]): Promise<FailedOffset[]> {
    const offsets = positionsOf(partitions.filter((one) => one.position >= one.committedByHand))
    if (offsets.length === 0 || this.isBetweenGenerations) return []
    return this.send(offsets)
  }

  /**
   * Commits until it is done; null stands for the positions that have changed. Rejects with what trying again does not
   * mend, among it ILLEGAL_GENERATION for a partition that is this consumer's no more.
   */
  commit(given: readonly OffsetOf[] | null): Promise<void> {
    return this.inLine(async () => {
      const offsets = given ?? positionsOf(this.partitions.list)
      if (given !== null) this.checkOwned(given)
      await this.commitAll(offsets)
    })
  }

  private async commitAll(offsets: readonly OffsetOf[]): Promise<void> {
    const deadlineMs = this.clock.now() + timeoutMs
    let left = offsets
    for (let attempts = 1; left.length > 0; attempts++) {
      await this.membership?.settled()
      if (attempts > 1) this.checkOwned(left)
      const before = this.identity
      const failed = await this.send(left)
      this.noteByHand(left, failed)
      if (failed.length === 0) return
      const { error } = failed[0]
      const isLate = this.clock.now() > deadlineMs
      if (isLate || !this.mayRetry(error, before)) throw error
      left = failed.map(({ offset }) => offset)
      await keepingAlive(pause(this.clock, backOffMs(backOff, attempts)))
    }
  }

  private noteByHand(sent: readonly OffsetOf[], failed: readonly FailedOffset[]): void {
    for (const one of sent) {
      const partition = this.partitions.find(one)
      if (partition === undefined || failed.some(({ offset }) => offset === one)) continue
      partition.committedByHand = Number(one.offset)
    }
  }

  private async send(offsets: readonly OffsetOf[]): Promise<FailedOffset[]> {
    const generation = this.membership?.generation
    const { identity } = this
    const errors = await this.attempt(identity, offsets)
    return offsets.flatMap((offset, index) => {
      const error = errors[index]
      if (error === null) {
        const partition = this.partitions.find(offset)
        if (partition !== undefined) partition.committed = Number(offset.offset)
        return []
      }
      // During a join the generation may be over in good order.
      if (isOfMember(error) && !this.isBetweenGenerations) generation?.report(error)
      return [{ offset, error }]
    })
  }

  private async attempt(identity: MemberIdentity, offsets: readonly OffsetOf[]): Promise<(SeglogError | null)[]> {
    try {
      await this.calls.find()
      return await this.calls.commit(identity, offsets)
    } catch (thrown) {
      const error = asSeglogError(thrown)
      return offsets.map(() => error)
    }
  }

  private get identity(): MemberIdentity {
    return this.membership?.generation ?? outsider
  }

  private get isBetweenGenerations(): boolean {
    return this.membership?.isBetweenGenerations ?? false
  }

  private mayRetry(error: SeglogError, before: MemberIdentity): boolean {
    if (mayPass(error)) return true
    const trouble = troubleOf(error)
    const hasMovedOn = this.isBetweenGenerations || this.identity !== before
    return (trouble === 'rebalance' || trouble === 'outdated') && hasMovedOn
  }

  /** The coordinator does not know who has which partition: a late commit would undo those of the next owner. */
  private checkOwned(offsets: readonly OffsetOf[]): void {
    if (this.membership === null) return
    for (const { topic, partition, offset } of offsets) {
      if (this.partitions.find({ topic, partition }) === undefined) throw notOwned({ topic, partition }, offset)
    }
  }

  private inLine<T>(work: () => Promise<T>): Promise<T> {
    const done = this.line.then(work)
    this.line = done.catch(() => {})
    return done
  }
}

/** Whoever has the partition now began at its last commit. */
export function notOwned({ topic, partition }: TopicPartition, offset: bigint): SeglogError {
  const message = `${topic}-${partition} is not this consumer's any more: its next owner begins at its last commit`
  return protocolError('ILLEGAL_GENERATION', message, { topic, partition, offset })
}

function positionsOf(partitions: readonly AssignedPartition[]): OffsetOf[] {
  return partitions
    .filter(({ position, committed }) => position !== committed)
    .map(({ topic, partition, position, positionEpoch }) => {
      return { topic, partition, offset: BigInt(position), leaderEpoch: positionEpoch, metadata: '' }
    })
}

/** A topic that is gone stays so, though elsewhere its error is one that passes. */
function mayPass(error: SeglogError): boolean {
  return troubleOf(error) === 'retry' && error.code !== 'UNKNOWN_TOPIC_OR_PARTITION'
}

/** About the member, not about one partition. */
function isOfMember(error: SeglogError): boolean {
  return troubleOf(error) !== 'fatal' || error.code === 'FENCED_INSTANCE_ID'
}
