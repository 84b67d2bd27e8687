import type { GroupMetadataValue } from '../../protocol/payloads/group-metadata.js'
import type { OffsetCommitValue } from '../../protocol/payloads/offset-commit.js'
import { zeroUuid } from '../../protocol/uuid.js'
import type { AnyGroup } from './any-group.js'
import { type CommittedOffset, CommittedOffsets } from './committed-offsets.js'
import { applyRecord } from './consumer/apply-record.js'
import { ConsumerGroup } from './consumer/consumer-group.js'
import type { ConsumerHost } from './consumer/consumer-host.js'
import type { ConsumerGroupRecord } from './consumer/consumer-records.js'
import { expectAll } from './consumer/expect.js'
import type { Group } from './group.js'
import type { GroupHost } from './group-host.js'
import type { GroupPartition } from './group-partition.js'
import type { GroupRecord } from './group-records.js'
import type { GroupRecordSink } from './load-groups.js'
import { newGroup, newMember, prepareRebalance } from './rebalance.js'
import { subscribedTopics } from './subscribed-topics.js'

/** Brings the records of a partition's log into memory. */
export class Replay implements GroupRecordSink {
  readonly #host: GroupHost
  readonly #consumerHost: ConsumerHost
  readonly #partition: GroupPartition

  constructor(host: ConsumerHost, partition: GroupPartition) {
    this.#host = host.classic
    this.#consumerHost = host
    this.#partition = partition
  }

  record(record: GroupRecord, offset: number, producerId: number): void {
    if (record.kind === 'group') this.#group(record.group, record.value)
    else if (record.kind === 'offset') this.#offset(record, offset, producerId)
    else this.#consumerGroup(record)
  }

  ended(producerId: number, committed: boolean): void {
    for (const { group: id, topic, partition, offset } of this.#partition.pending.take(producerId)) {
      if (!committed) continue
      const { offsets } = this.#groupOf(id)
      // Compaction may have dropped a plain commit between the two, so the order of the records decides.
      if ((offsets.get(topic, partition)?.recordOffset ?? -1) < offset.recordOffset)
        offsets.set(topic, partition, offset)
    }
  }

  /**
   * After the last record: nothing is kept of groups that are gone, and members may be silent for one session from now
   * on. In a directory that is only read, time does nothing.
   */
  finish(readOnly: boolean): void {
    const { groups, pending } = this.#partition
    for (const group of [...groups.values()]) {
      if (group.type === 'consumer') {
        this.#finishConsumerGroup(group, readOnly)
        continue
      }
      if (!group.stored && group.offsets.isEmpty && !pending.hasGroup(group.id)) groups.delete(group.id)
      if (readOnly) continue
      for (const member of group.members.values()) member.session.set(member.sessionTimeoutMs)
      if (group.members.size > this.#host.limits.maxSize) {
        prepareRebalance(this.#host, group, 'it has more members than group.max.size, which was lowered')
      }
    }
  }

  #offset(record: GroupRecord & { kind: 'offset' }, recordOffset: number, producerId: number): void {
    const { group: id, topic, partition, value } = record
    const { pending, groups } = this.#partition
    if (value === null) {
      groups.get(id)?.offsets.delete(topic, partition)
      pending.forget(id, topic, partition)
      return
    }
    const committed = committedOffset(value, recordOffset)
    const group = this.#groupOf(id)
    if (producerId >= 0) pending.add(producerId, id, topic, partition, committed)
    else group.offsets.set(topic, partition, committed)
  }

  #group(id: string, value: GroupMetadataValue | null): void {
    const { groups } = this.#partition
    const before = groups.get(id)
    if (value === null && before?.type !== 'classic') return
    if (before?.type === 'classic') for (const memberId of [...before.members.keys()]) before.remove(memberId)
    const group = newGroup(this.#host, id)
    // The offsets have tombstones of their own.
    if (before !== undefined) group.offsets = before.offsets
    groups.set(id, group)
    if (value !== null) restore(this.#host, group, value)
  }

  #consumerGroup(record: ConsumerGroupRecord): void {
    const { groups } = this.#partition
    const before = groups.get(record.group)
    if (before?.type === 'consumer') {
      applyRecord(before, record)
      // A group's epoch goes last.
      if (record.kind !== 'epoch' || record.value !== null) return
      const left = newGroup(this.#host, record.group)
      left.offsets = before.offsets
      groups.set(record.group, left)
    } else if (record.value !== null) {
      const group = new ConsumerGroup(record.group, before?.offsets ?? new CommittedOffsets())
      groups.set(record.group, group)
      applyRecord(group, record)
    }
  }

  /** Compaction may have left a record of a group without that of its epoch, or of a member that is gone. */
  #finishConsumerGroup(group: ConsumerGroup, readOnly: boolean): void {
    for (const memberId of [...group.targets.keys()]) if (!group.members.has(memberId)) group.targets.delete(memberId)
    if (!readOnly) expectAll(this.#consumerHost, group)
  }

  #groupOf(id: string): AnyGroup {
    let group = this.#partition.groups.get(id)
    if (group === undefined) {
      group = newGroup(this.#host, id)
      this.#partition.groups.set(id, group)
    }
    return group
  }
}

function restore(host: GroupHost, group: Group, value: GroupMetadataValue): void {
  const { protocolType, protocol, leader } = value
  for (const member of value.members) {
    const sessionTimeoutMs = member.sessionTimeout
    const restored = newMember(host, group, {
      id: member.memberId,
      instanceId: member.groupInstanceId,
      clientId: member.clientId,
      clientHost: member.clientHost,
      sessionTimeoutMs,
      rebalanceTimeoutMs: member.rebalanceTimeout < 0 ? sessionTimeoutMs : member.rebalanceTimeout,
      protocols: [{ name: protocol ?? '', metadata: member.subscription }],
    })
    restored.assignment = member.assignment
    group.add(restored, protocolType)
  }
  group.protocolType = protocolType === '' ? null : protocolType
  group.protocolName = protocol
  group.generation = value.generation
  if (leader !== null && group.members.has(leader)) group.leaderId = leader
  group.restore(group.members.size === 0 ? 'Empty' : 'Stable', Number(value.currentStateTimestamp))
  group.subscribedTopics = subscribedTopics(group)
}

export function committedOffset(value: OffsetCommitValue, recordOffset: number): CommittedOffset {
  return {
    offset: value.offset,
    leaderEpoch: value.leaderEpoch,
    metadata: value.metadata,
    commitTimestamp: Number(value.commitTimestamp),
    expireTimestamp: Number(value.expireTimestamp),
    topicId: value.topicId ?? zeroUuid,
    recordOffset,
  }
}
