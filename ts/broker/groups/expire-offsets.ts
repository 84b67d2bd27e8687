import type { AnyGroup } from './any-group.js'
import type { CommittedOffset } from './committed-offsets.js'
import { consumerProtocolType } from './group.js'

/**
 * Offsets of a group that nobody needs any longer (KIP-211): of a group without members, from the time it became so; of
 * a consumer group in use, those of topics that no member wants any more; of a group that never had members, each from
 * its commit. In a group of KIP-848 a topic counts from its last commit as soon as no member wants it. Clients of old chose
 * the time themselves.
 */
export function expiredOffsets(
  group: AnyGroup,
  now: number,
  retentionMs: number,
): { topic: string; partition: number; offset: CommittedOffset }[] {
  const since = retainedSince(group)
  if (since === null) return []
  const expired: { topic: string; partition: number; offset: CommittedOffset }[] = []
  for (const [topic, partitions] of group.offsets.topics) {
    if (group.isSubscribedTo(topic)) continue
    for (const [partition, offset] of partitions) {
      const due = offset.expireTimestamp >= 0 ? offset.expireTimestamp : since(offset) + retentionMs
      if (now >= due) expired.push({ topic, partition, offset })
    }
  }
  return expired
}

/** From when on an offset is kept for the retention time; null while all are needed. */
function retainedSince(group: AnyGroup): ((offset: CommittedOffset) => number) | null {
  const committed = ({ commitTimestamp }: CommittedOffset) => commitTimestamp
  if (group.type === 'consumer' || group.protocolType === null) return committed
  if (group.isIn('Empty')) return group.stateSince < 0 ? committed : () => group.stateSince
  const known = group.protocolType === consumerProtocolType && group.subscribedTopics !== null
  return known && group.isIn('Stable') ? committed : null
}
