import { addPartition } from '../assignment.js'
import type { AssignorGroup } from './assignor.js'

/** After so many rounds what is left of the imbalance is small. */
const roundsMax = 16

/**
 * Where members want different topics, moves partitions within each topic from who has the most to who has the least,
 * until nobody could have two more than another for whom its partition would do as well, or the rounds are over. Changes
 * both maps.
 */
export function balance(
  { members, partitionCounts }: AssignorGroup,
  assignments: ReadonlyMap<string, Map<string, Set<number>>>,
  loads: Map<string, number>,
): void {
  const subscribers = new Map<string, string[]>()
  for (const topicId of partitionCounts.keys()) subscribers.set(topicId, [])
  for (const { id, topicIds } of members) for (const topicId of topicIds) subscribers.get(topicId)?.push(id)
  const topics = [...subscribers].filter(([, ids]) => ids.length > 1).sort(([a], [b]) => (a < b ? -1 : 1))
  for (let round = 0; round < roundsMax; round++) {
    let moved = false
    for (const [topicId, ids] of topics) if (balanceTopic(topicId, ids, assignments, loads)) moved = true
    if (!moved) return
  }
}

function balanceTopic(
  topicId: string,
  ids: readonly string[],
  assignments: ReadonlyMap<string, Map<string, Set<number>>>,
  loads: Map<string, number>,
): boolean {
  let moved = false
  const loadOf = (id: string) => loads.get(id)!
  // Two pointers over the members by their load: from the richest that has something of the topic to the poorest.
  const sorted = [...ids].sort((a, b) => loadOf(a) - loadOf(b) || (a < b ? -1 : 1))
  for (;;) {
    const poorest = sorted[0]
    const richest = sorted.findLast((id) => assignments.get(id)!.has(topicId))
    if (richest === undefined || loadOf(richest) - loadOf(poorest) < 2) return moved
    const from = assignments.get(richest)!
    const partitions = from.get(topicId)!
    const partition = Math.max(...partitions)
    partitions.delete(partition)
    if (partitions.size === 0) from.delete(topicId)
    addPartition(assignments.get(poorest)!, topicId, partition)
    loads.set(richest, loadOf(richest) - 1)
    loads.set(poorest, loadOf(poorest) + 1)
    settle(sorted, poorest, loadOf)
    settle(sorted, richest, loadOf)
    moved = true
  }
}

/** Puts one member back where it belongs, by swaps with its neighbours. */
function settle(sorted: string[], id: string, loadOf: (id: string) => number): void {
  let at = sorted.indexOf(id)
  const swap = (other: number) => {
    sorted[at] = sorted[other]
    sorted[other] = id
    at = other
  }
  while (at + 1 < sorted.length && loadOf(sorted[at + 1]) < loadOf(id)) swap(at + 1)
  while (at > 0 && loadOf(sorted[at - 1]) > loadOf(id)) swap(at - 1)
}
