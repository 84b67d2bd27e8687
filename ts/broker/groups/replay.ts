import type { GroupMetadataValue } from '../../protocol/payloads/group-metadata.js'
import type { OffsetCommitValue } from '../../protocol/payloads/offset-commit.js'
import { zeroUuid } from '../../protocol/uuid.js'
import type { CommittedOffset } from './committed-offsets.js'
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
  readonly #partition: GroupPartition

  constructor(host: GroupHost, partition: GroupPartition) {
    this.#host = host
    this.#partition = partition
  }

  record(record: GroupRecord, offset: number, producerId: number): void {
    if (record.kind === 'group') this.#group(record.group, record.value)
    else this.#offset(record, offset, producerId)
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
    if (value === null && before === undefined) return
    for (const memberId of [...(before?.members.keys() ?? [])]) before!.remove(memberId)
    const group = newGroup(this.#host, id)
    // The offsets have tombstones of their own.
    for (const [topic, partitions] of before?.offsets.topics ?? []) {
      for (const [partition, offset] of partitions) group.offsets.set(topic, partition, offset)
    }
    groups.set(id, group)
    if (value !== null) restore(this.#host, group, value)
  }

  #groupOf(id: string): Group {
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
