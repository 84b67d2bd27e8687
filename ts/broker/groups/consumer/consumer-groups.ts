import { isPromise, type MaybePromise } from '../../../log/maybe-promise.js'
import { protocolError } from '../../../protocol/errors.js'
import type { JoinGroupRequest, JoinGroupResponse } from '../../../protocol/messages/11-join-group.js'
import type { LeaveGroupRequest, LeaveGroupResponse } from '../../../protocol/messages/13-leave-group.js'
import type {
  ConsumerGroupHeartbeatRequest,
  ConsumerGroupHeartbeatResponse,
} from '../../../protocol/messages/68-consumer-group-heartbeat.js'
import { asSeglogError } from '../../error-codes.js'
import type { RequestContext } from '../../request-context.js'
import type { AnyGroup } from '../any-group.js'
import { CommittedOffsets } from '../committed-offsets.js'
import { failed } from '../group-answers.js'
import type { GroupPartition } from '../group-partition.js'
import type { LogRecordBytes } from '../group-records.js'
import { memberErrorOf } from '../log-failures.js'
import { newGroup, retireGroup } from '../rebalance.js'
import { applyRecord } from './apply-record.js'
import { nothingHeld } from './assignment.js'
import { checkHeartbeat } from './check-heartbeat.js'
import { joinAsClassic, leavingClassic } from './classic-members.js'
import { ConsumerGroup } from './consumer-group.js'
import type { ConsumerHost } from './consumer-host.js'
import { awayEpoch, type ConsumerMember } from './consumer-member.js'
import { consumerGroupRecordBytes, currentRecord } from './consumer-records.js'
import { downgrade, isToBeDowngraded } from './downgrade.js'
import { timersOf } from './expect.js'
import { GroupChange } from './group-change.js'
import { answer, checkInstance, heartbeat } from './heartbeat.js'
import type { Expected } from './member-timers.js'
import { groupTombstones, removeMembers } from './remove-members.js'
import { upgrade } from './upgrade.js'

const leaves = -1

/**
 * Groups of the consumer protocol, on partitions that are loaded: decides what changes, writes it, and then makes it so;
 * group by group one after another. What cannot be written has not happened.
 */
export class ConsumerGroups {
  readonly #host: ConsumerHost

  constructor(host: ConsumerHost) {
    this.#host = host
  }

  /** As `heartbeat` and `leave` of the consumer protocol. Throws or rejects with Kafka's errors; GROUP_ID_NOT_FOUND too. */
  heartbeat(
    partition: GroupPartition,
    request: ConsumerGroupHeartbeatRequest,
    context: RequestContext,
  ): MaybePromise<ConsumerGroupHeartbeatResponse> {
    checkHeartbeat(request, context.apiVersion, this.#host.settings.assignors)
    return partition.turns.take(request.groupId, () => {
      const { memberEpoch } = request
      const isLeaving = memberEpoch === leaves || memberEpoch === awayEpoch
      return isLeaving ? this.#leave(partition, request) : this.#goOn(partition, request, context)
    })
  }

  /** A member of the classic protocol joins a group that has members of the other. Null: join it as a classic group. */
  join(
    partition: GroupPartition,
    request: JoinGroupRequest,
    context: RequestContext,
  ): MaybePromise<JoinGroupResponse | null> {
    const { groupId, groupInstanceId, memberId } = request
    return partition.turns.take(groupId, () => {
      const group = partition.groups.get(groupId)
      if (group?.type !== 'consumer') return null
      if (group.isEmpty) return this.#end(partition, group)
      const successorOf = memberId === '' ? group.staticMember(groupInstanceId) : undefined
      if (successorOf !== undefined && this.#isLastOfItsKind(group, successorOf)) {
        if (group.members.size === 1) return this.#end(partition, group)
        return after(this.#downgrade(partition, group, [successorOf]), () => null)
      }
      const change = new GroupChange()
      const response = joinAsClassic(this.#host, group, request, context, change)
      return after(this.#write(partition, group, change), () => response)
    })
  }

  /** Members of the classic protocol leave, each with an error of its own. */
  leaveAsClassic(
    partition: GroupPartition,
    groupId: string,
    leaving: LeaveGroupRequest['members'],
  ): MaybePromise<LeaveGroupResponse['members']> {
    return partition.turns.take(groupId, () => {
      const group = partition.groups.get(groupId)
      const gone = new Set<ConsumerMember>()
      const answers = leaving.map(({ memberId, groupInstanceId }) => {
        try {
          if (group?.type !== 'consumer') throw protocolError('UNKNOWN_MEMBER_ID')
          const member = leavingClassic(group, memberId, groupInstanceId)
          gone.add(member)
          return { memberId: member.id, groupInstanceId, errorCode: 0 }
        } catch (error) {
          return failed(asSeglogError(error), (errorCode) => ({ memberId, groupInstanceId, errorCode }))
        }
      })
      if (gone.size === 0) return answers
      return after(this.#remove(partition, group as ConsumerGroup, [...gone]), () => answers)
    })
  }

  /** A member did not do what was expected of it in time. */
  expired(partition: GroupPartition, group: ConsumerGroup, memberId: string, expected: Expected): void {
    const timers = timersOf(this.#host, group, memberId)
    const asOf = timers.changes
    const retry = (err: unknown) => {
      this.#host.logger.warn({ group: group.id, member: memberId, err }, 'a member could not be removed')
      timers.expect(expected, this.#host.settings.sessionTimeoutMs(group.id))
    }
    try {
      const removed = partition.turns.take(group.id, () => {
        const member = group.members.get(memberId)
        // It may have been heard of while others had their turn.
        if (member === undefined || timers.changes !== asOf || partition.groups.get(group.id) !== group) return
        this.#host.logger.info({ group: group.id, member: memberId, expected }, 'a member was not heard of in time')
        return this.#remove(partition, group, [member])
      })
      if (isPromise(removed)) removed.catch(retry)
    } catch (error) {
      retry(error)
    }
  }

  #goOn(
    partition: GroupPartition,
    request: ConsumerGroupHeartbeatRequest,
    context: RequestContext,
  ): MaybePromise<ConsumerGroupHeartbeatResponse> {
    const change = new GroupChange()
    const group = this.#groupFor(partition.groups.get(request.groupId), request, change)
    const response = heartbeat(this.#host, group, request, context, change)
    return after(this.#write(partition, group, change), () => response)
  }

  /** Who joins makes the group, or makes it one of this protocol. */
  #groupFor(
    known: AnyGroup | undefined,
    { groupId, memberEpoch }: ConsumerGroupHeartbeatRequest,
    change: GroupChange,
  ): ConsumerGroup {
    if (known?.type === 'consumer') return known
    if (memberEpoch !== 0) throw notFound(groupId)
    if (known === undefined) return new ConsumerGroup(groupId, new CommittedOffsets())
    return upgrade(this.#host, known, change)
  }

  #leave(
    partition: GroupPartition,
    request: ConsumerGroupHeartbeatRequest,
  ): MaybePromise<ConsumerGroupHeartbeatResponse> {
    const { groupId, memberId, memberEpoch, instanceId } = request
    const group = partition.groups.get(groupId)
    if (group?.type !== 'consumer') throw notFound(groupId)
    const member = instanceId === null ? group.member(memberId) : checkInstance(group, instanceId, memberId)
    const response = answer(member.id, memberEpoch)
    this.#host.logger.info({ group: groupId, member: memberId, epoch: memberEpoch }, 'a member leaves its group')
    if (memberEpoch === leaves) return after(this.#remove(partition, group, [member]), () => response)
    const away: ConsumerMember = { ...member, epoch: awayEpoch, state: 'stable', revoking: nothingHeld }
    const change = new GroupChange()
    change.add(currentRecord(groupId, away))
    change.whenWritten(() => timersOf(this.#host, group, memberId).came('revocation'))
    return after(this.#write(partition, group, change), () => response)
  }

  #remove(partition: GroupPartition, group: ConsumerGroup, gone: readonly ConsumerMember[]): MaybePromise<void> {
    if (isToBeDowngraded(this.#host, group, gone)) return this.#downgrade(partition, group, gone)
    const change = new GroupChange()
    removeMembers(this.#host, group, gone, change)
    return this.#write(partition, group, change)
  }

  #isLastOfItsKind(group: ConsumerGroup, member: ConsumerMember): boolean {
    const isLast = member.classic === null && group.classicCount === group.members.size - 1
    return isLast && this.#host.settings.downgrades
  }

  #downgrade(partition: GroupPartition, group: ConsumerGroup, gone: readonly ConsumerMember[]): MaybePromise<void> {
    const { classic, record, begin } = downgrade(this.#host, group, gone)
    const records = [...groupTombstones(group).map(consumerGroupRecordBytes), record]
    return this.#append(partition, records, () => {
      group.clearTimers()
      partition.groups.set(group.id, classic)
      begin()
    })
  }

  /** An empty group of this protocol ends; its offsets stay, for a classic group in its place. */
  #end(partition: GroupPartition, group: ConsumerGroup): MaybePromise<null> {
    const classic = newGroup(this.#host.classic, group.id)
    classic.offsets = group.offsets
    const written = this.#append(partition, groupTombstones(group).map(consumerGroupRecordBytes), () => {
      group.clearTimers()
      partition.groups.set(group.id, classic)
    })
    return after(written, () => null)
  }

  #write(partition: GroupPartition, group: ConsumerGroup, change: GroupChange): MaybePromise<void> {
    if (change.isEmpty) return change.written()
    const records = [...change.classicBefore, ...change.records.map(consumerGroupRecordBytes)]
    return this.#append(partition, records, () => {
      place(partition, group)
      for (const record of change.records) applyRecord(group, record)
      change.written()
    })
  }

  #append(partition: GroupPartition, records: readonly LogRecordBytes[], apply: () => void): MaybePromise<void> {
    const refused = (error: unknown): never => {
      throw memberErrorOf(asSeglogError(error))
    }
    try {
      const written = partition.write(records, this.#host.clock(), apply)
      return isPromise(written) ? written.catch(refused) : written
    } catch (error) {
      return refused(error)
    }
  }
}

/** The group is the one of its id from here on. */
function place(partition: GroupPartition, group: ConsumerGroup): void {
  const before = partition.groups.get(group.id)
  if (before === group) return
  if (before !== undefined) group.offsets = before.offsets
  if (before?.type === 'classic') retireGroup(before)
  partition.groups.set(group.id, group)
}

function after<R>(written: MaybePromise<void>, answered: () => R): MaybePromise<R> {
  return isPromise(written) ? written.then(answered) : answered()
}

function notFound(groupId: string): Error {
  return protocolError('GROUP_ID_NOT_FOUND', `there is no group ${groupId} of the consumer protocol`)
}
