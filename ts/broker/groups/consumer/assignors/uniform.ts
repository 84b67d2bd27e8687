import { addPartition } from '../assignment.js'
import type { Assignor, AssignorGroup, AssignorMember } from './assignor.js'
import { balance } from './balance.js'
import { LoadHeap } from './load-heap.js'

/**
 * As many partitions for each member as for every other, give or take one, as far as its topics allow, and as few moves as
 * that takes: members keep what they were to have. What nobody has goes to those with the least.
 */
export const uniformAssignor: Assignor = (group) => {
  const { members } = group
  const assignments = new Map(members.map(({ id }) => [id, new Map<string, Set<number>>()]))
  const loads = new Map(members.map(({ id }) => [id, 0]))
  const give = (id: string, topicId: string, partition: number) => {
    addPartition(assignments.get(id)!, topicId, partition)
    loads.set(id, loads.get(id)! + 1)
  }
  const left = wantTheSame(members) ? keepUpToQuota(group, give) : keepAll(group, give)
  giveTheRest(members, left, loads, give)
  if (!wantTheSame(members)) balance(group, assignments, loads)
  return assignments
}

type Give = (memberId: string, topicId: string, partition: number) => void
/** Partitions that nobody has, by topic. */
type Left = Map<string, number[]>

function wantTheSame(members: readonly AssignorMember[]): boolean {
  const [first] = members
  return members.every(({ topicIds }) => {
    if (topicIds.size !== first.topicIds.size) return false
    for (const topicId of topicIds) if (!first.topicIds.has(topicId)) return false
    return true
  })
}

/** Where everybody wants the same, what a member may have is known beforehand: the rest of what it has is left over. */
function keepUpToQuota({ members, partitionCounts }: AssignorGroup, give: Give): Left {
  let total = 0
  for (const count of partitionCounts.values()) total += count
  const quota = Math.floor(total / members.length)
  // Those who have more already keep it where somebody has to have more.
  let longer = total % members.length
  const taken = new Taken()
  for (const { id, topicIds, target } of members) {
    let kept = 0
    for (const [topicId, partitions] of target) {
      if (!topicIds.has(topicId)) continue
      for (const partition of partitions) {
        if (kept > quota || (kept === quota && longer === 0)) break
        if (!taken.take(topicId, partition, partitionCounts)) continue
        if (kept === quota) longer--
        give(id, topicId, partition)
        kept++
      }
    }
  }
  return taken.left(partitionCounts)
}

function keepAll({ members, partitionCounts }: AssignorGroup, give: Give): Left {
  const taken = new Taken()
  for (const { id, topicIds, target } of members) {
    for (const [topicId, partitions] of target) {
      if (!topicIds.has(topicId)) continue
      for (const partition of partitions) {
        if (taken.take(topicId, partition, partitionCounts)) give(id, topicId, partition)
      }
    }
  }
  return taken.left(partitionCounts)
}

class Taken {
  readonly #byTopic = new Map<string, Set<number>>()

  /** False for one that is taken or does not exist. */
  take(topicId: string, partition: number, counts: ReadonlyMap<string, number>): boolean {
    if (partition >= (counts.get(topicId) ?? 0)) return false
    const before = this.#byTopic.get(topicId)?.has(partition) === true
    if (!before) addPartition(this.#byTopic, topicId, partition)
    return !before
  }

  left(counts: ReadonlyMap<string, number>): Left {
    const left: Left = new Map()
    for (const [topicId, count] of counts) {
      const taken = this.#byTopic.get(topicId)
      const partitions = Array.from({ length: count }, (_, i) => i).filter((i) => taken?.has(i) !== true)
      if (partitions.length > 0) left.set(topicId, partitions)
    }
    return left
  }
}

/** To the least loaded of those who want it; first the topics for which there is the least choice. */
function giveTheRest(
  members: readonly AssignorMember[],
  left: Left,
  loads: ReadonlyMap<string, number>,
  give: Give,
): void {
  const subscribers = new Map<string, string[]>()
  for (const topicId of left.keys()) subscribers.set(topicId, [])
  for (const { id, topicIds } of members) for (const topicId of topicIds) subscribers.get(topicId)?.push(id)
  const choice = (topicId: string) => subscribers.get(topicId)!.length
  const topics = [...left.keys()].sort((a, b) => choice(a) - choice(b) || (a < b ? -1 : 1))
  for (const topicId of topics) {
    const heap = new LoadHeap(subscribers.get(topicId)!, loads)
    for (const partition of left.get(topicId)!) {
      const id = heap.least
      if (id === undefined) break
      give(id, topicId, partition)
      heap.sinkLeast()
    }
  }
}
