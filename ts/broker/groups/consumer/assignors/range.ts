import { addPartition } from '../assignment.js'
import type { Assignor, AssignorMember } from './assignor.js'

/**
 * Each topic in contiguous ranges, one per member that wants it, the first ones by one longer where it does not divide:
 * topics with equally many partitions and the same members are split alike, so that what has the same key in both meets.
 * Static members come first, by their instance ids, which they keep.
 */
export const rangeAssignor: Assignor = ({ members, partitionCounts }) => {
  const subscribers = new Map<string, string[]>()
  for (const { id, topicIds } of [...members].sort(byInstanceThenId)) {
    for (const topicId of topicIds) {
      const ids = subscribers.get(topicId)
      if (ids === undefined) subscribers.set(topicId, [id])
      else ids.push(id)
    }
  }
  const assignments = new Map(members.map(({ id }) => [id, new Map<string, Set<number>>()]))
  for (const [topicId, ids] of subscribers) {
    const count = partitionCounts.get(topicId) ?? 0
    const quota = Math.floor(count / ids.length)
    const longer = count % ids.length
    let next = 0
    ids.forEach((id, i) => {
      const end = next + quota + (i < longer ? 1 : 0)
      for (; next < end; next++) addPartition(assignments.get(id)!, topicId, next)
    })
  }
  return assignments
}

function byInstanceThenId(a: AssignorMember, b: AssignorMember): number {
  if (a.instanceId !== null && b.instanceId !== null) return compare(a.instanceId, b.instanceId)
  if (a.instanceId !== null || b.instanceId !== null) return a.instanceId !== null ? -1 : 1
  return compare(a.id, b.id)
}

function compare(a: string, b: string): number {
  return a < b ? -1 : a > b ? 1 : 0
}
