import type { MaybePromise } from '../../log/maybe-promise.js'
import type { AnyGroup } from './any-group.js'
import { consumerGroupRecordBytes } from './consumer/consumer-records.js'
import { groupTombstones } from './consumer/remove-members.js'
import type { GroupPartition } from './group-partition.js'
import { groupTombstone, offsetTombstone } from './group-records.js'

/** Where an offset of a group lies. */
export interface OffsetPlace {
  readonly topic: string
  readonly partition: number
}

/** Takes offsets out of a group, those too that a transaction wrote and that are not decided. Rejects as the log does. */
export function removeOffsets(
  partition: GroupPartition,
  group: AnyGroup,
  places: readonly OffsetPlace[],
  now: number,
): MaybePromise<void> {
  const { pending } = partition
  const there = places.filter(
    (place) =>
      group.offsets.get(place.topic, place.partition) !== undefined ||
      pending.has(group.id, place.topic, place.partition),
  )
  if (there.length === 0) return
  const records = there.map((place) => offsetTombstone(group.id, place.topic, place.partition))
  return partition.write(records, now, () => forget(partition, group, there))
}

/** Removes a group and all that it committed, if `mayGo` when it is its turn. Rejects with what `mayGo` throws. */
export function removeInTurn(
  partition: GroupPartition,
  group: AnyGroup,
  now: number,
  mayGo: () => boolean,
): MaybePromise<void> {
  const remove = () => (mayGo() ? removeGroup(partition, group, now) : undefined)
  return group.type === 'consumer' ? partition.turns.take(group.id, remove) : remove()
}

function removeGroup(partition: GroupPartition, group: AnyGroup, now: number): MaybePromise<void> {
  const places = [...allPlaces(group), ...partition.pending.ofGroup(group.id)]
  const records = places.map((place) => offsetTombstone(group.id, place.topic, place.partition))
  if (group.type === 'consumer') records.push(...groupTombstones(group).map(consumerGroupRecordBytes))
  else if (group.stored) records.push(groupTombstone(group.id))
  const remove = () => {
    forget(partition, group, places)
    if (group.type === 'consumer') {
      if (partition.groups.get(group.id) === group) partition.groups.delete(group.id)
      return
    }
    for (const memberId of group.pendingJoins.keys()) group.remove(memberId)
    // Somebody may have joined while it was written; then it is a group again, of which nothing is stored.
    group.stored = false
    if (group.isIn('Empty') && partition.groups.get(group.id) === group) {
      group.transitionTo('Dead', now)
      partition.groups.delete(group.id)
    }
  }
  return records.length === 0 ? remove() : partition.write(records, now, remove)
}

export function allPlaces(group: AnyGroup): OffsetPlace[] {
  const places: OffsetPlace[] = []
  for (const [topic, partitions] of group.offsets.topics) {
    for (const partition of partitions.keys()) places.push({ topic, partition })
  }
  return places
}

function forget(partition: GroupPartition, group: AnyGroup, places: readonly OffsetPlace[]): void {
  for (const place of places) {
    group.offsets.delete(place.topic, place.partition)
    partition.pending.forget(group.id, place.topic, place.partition)
  }
}
