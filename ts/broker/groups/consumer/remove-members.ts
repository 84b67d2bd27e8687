import type { ConsumerGroup } from './consumer-group.js'
import type { ConsumerHost } from './consumer-host.js'
import type { ConsumerMember } from './consumer-member.js'
import { type ConsumerGroupRecord, epochRecord, memberTombstones } from './consumer-records.js'
import type { GroupChange } from './group-change.js'
import { Subscriptions } from './subscriptions.js'

/** Takes members out of a group; what they had is shared anew with the next heartbeat of another. */
export function removeMembers(
  host: ConsumerHost,
  group: ConsumerGroup,
  gone: readonly ConsumerMember[],
  change: GroupChange,
): void {
  if (gone.length === 0) return
  const members = new Map(group.members)
  for (const { id } of gone) {
    members.delete(id)
    change.add(...memberTombstones(group.id, id))
  }
  const used = new Set(Array.from(members.values(), ({ regex }) => regex))
  for (const regex of group.regexes.keys()) {
    if (!used.has(regex)) change.add({ kind: 'regex', group: group.id, regex, value: null })
  }
  const { hash } = new Subscriptions(members, group.regexes, host.topics)
  change.add(epochRecord(group.id, group.epoch + 1, hash))
}

/** All that the log has of a group. */
export function groupTombstones(group: ConsumerGroup): ConsumerGroupRecord[] {
  const { id } = group
  const members = [...group.members.keys()]
  const records: ConsumerGroupRecord[] = []
  for (const member of members) records.push({ kind: 'current', group: id, member, value: null })
  for (const member of group.targets.keys()) records.push({ kind: 'target', group: id, member, value: null })
  records.push({ kind: 'target epoch', group: id, value: null })
  for (const member of members) records.push({ kind: 'member', group: id, member, value: null })
  for (const regex of group.regexes.keys()) records.push({ kind: 'regex', group: id, regex, value: null })
  if (group.hasPartitionMetadata) records.push({ kind: 'partitions', group: id, value: null })
  records.push({ kind: 'epoch', group: id, value: null })
  return records
}
