import { zeroUuid } from '../../protocol/uuid.js'
import type { TopicRecord } from '../metadata-store.js'
import type { AnyGroup } from './any-group.js'
import { expiredOffsets } from './expire-offsets.js'
import type { GroupPartition } from './group-partition.js'
import { type OffsetPlace, removeInTurn, removeOffsets } from './remove-offsets.js'

/** Removes what is past its time from all groups of a partition, and groups that have nothing left. */
export async function expireOffsets(partition: GroupPartition, now: number, retentionMs: number): Promise<void> {
  await partition.settled()
  for (const group of [...partition.groups.values()]) {
    const { pending } = partition
    const expired = expiredOffsets(group, now, retentionMs).filter(
      (place) => !pending.has(group.id, place.topic, place.partition),
    )
    await removeOffsets(partition, group, expired, now)
    await removeInTurn(partition, group, now, () => !isInUse(partition, group) && group.offsets.isEmpty)
  }
}

function isInUse({ groups, pending }: GroupPartition, group: AnyGroup): boolean {
  if (groups.get(group.id) !== group || !group.isEmpty || pending.hasGroup(group.id)) return true
  return group.type === 'classic' && group.pendingJoins.size > 0
}

/** Removes the offsets of a deleted topic from all groups of a partition. */
export async function forgetTopic(partition: GroupPartition, topic: TopicRecord, now: number): Promise<void> {
  await partition.settled()
  for (const group of [...partition.groups.values()]) {
    const places: OffsetPlace[] = []
    for (const [index, { topicId }] of group.offsets.of(topic.name) ?? []) {
      if (topicId === topic.id || topicId === zeroUuid) places.push({ topic: topic.name, partition: index })
    }
    for (const place of partition.pending.ofGroup(group.id)) if (place.topic === topic.name) places.push(place)
    await removeOffsets(partition, group, places, now)
  }
}
