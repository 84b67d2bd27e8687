import { offsetQuery } from '../protocol/messages/02-list-offsets.js'
import type { AdminCalls } from './admin-calls.js'
import type { GroupDescription, GroupMemberDescription, PartitionLag } from './admin-group-options.js'
import type { TopicPartition } from './consumer-options.js'
import type { OffsetOf } from './group/group-calls.js'
import { askOffsets, inOrder, placeName, within } from './partition-ends.js'
import { firstTimestamp } from './record-age.js'

/** One group with what it has committed. */
export interface GroupOffsets {
  readonly group: GroupDescription
  readonly offsets: readonly OffsetOf[]
}

interface Place extends TopicPartition {
  readonly groupId: string
  readonly committed: bigint | null
  readonly member: GroupMemberDescription | null
}

/** Partitions whose first unread record is looked at at the same time. */
const readsAtOnce = 16

/**
 * The lag of groups in every partition they have committed an offset for or that a member has, in order. The commits were
 * read before the ends are asked for here, so that no end can be older than a commit before it; a commit above an end
 * that was lost since counts as none behind.
 */
export async function lagOf(calls: AdminCalls, groups: readonly GroupOffsets[]): Promise<PartitionLag[]> {
  const places = groups.flatMap((one) => placesOf(one))
  const asked = [...new Map(places.map((place) => [placeName(place), place])).values()]
  const ends = await askOffsets(calls, asked, offsetQuery.latest)
  const starts = await askOffsets(calls, asked, offsetQuery.earliest)
  const nowMs = Date.now()
  return inTurns(places, readsAtOnce, async ({ committed, member, ...place }) => {
    const end = ends.get(placeName(place))
    const start = starts.get(placeName(place))
    // A topic that is gone has no lag, whatever was committed of it.
    if (end === undefined || start === undefined) return null
    const from = committed === null ? null : within(committed, start, end)
    return {
      ...place,
      committed,
      end,
      lag: from === null ? null : end - from,
      lagSeconds: from === null ? null : await ageOf(calls, place, from, end, nowMs),
      memberId: member?.memberId ?? null,
      clientId: member?.clientId ?? null,
      clientHost: member?.clientHost ?? null,
    }
  })
}

function placesOf({ group, offsets }: GroupOffsets): Place[] {
  const { groupId } = group
  const places = new Map<string, Place>()
  for (const { topic, partition, offset } of offsets) {
    places.set(placeName({ topic, partition }), { groupId, topic, partition, committed: offset, member: null })
  }
  for (const member of group.members) {
    for (const { topic, partition } of member.assignment) {
      const name = placeName({ topic, partition })
      const committed = places.get(name)?.committed ?? null
      places.set(name, { groupId, topic, partition, committed, member })
    }
  }
  return inOrder([...places.values()])
}

async function ageOf(
  calls: AdminCalls,
  place: TopicPartition,
  from: bigint,
  end: bigint,
  nowMs: number,
): Promise<number | null> {
  if (from >= end) return 0
  try {
    const timestamp = await firstTimestamp(calls, place, Number(from), Number(end))
    return timestamp === null ? null : Math.max(0, nowMs - timestamp) / 1000
  } catch {
    // Deleted since it was asked for, or not to be read by us: its offsets are known all the same.
    return null
  }
}

/** `work` on each, some at once; without those that came to null. */
async function inTurns<T, R>(all: readonly T[], atOnce: number, work: (one: T) => Promise<R | null>): Promise<R[]> {
  const results: R[] = []
  for (let from = 0; from < all.length; from += atOnce) {
    const some = await Promise.all(all.slice(from, from + atOnce).map(work))
    for (const one of some) if (one !== null) results.push(one)
  }
  return results
}
