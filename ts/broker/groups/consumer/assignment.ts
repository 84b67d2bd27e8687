/** Partitions by topic id. No topic is without partitions. */
export type Assignment = ReadonlyMap<string, ReadonlySet<number>>
/** As `Assignment`, with the epoch in which each partition was given. */
export type Held = ReadonlyMap<string, ReadonlyMap<number, number>>

/** Partitions of one topic, as messages and records have them. */
export interface TopicPartitions {
  readonly topicId: string
  readonly partitions: readonly number[]
}

export const nothingAssigned: Assignment = new Map()
export const nothingHeld: Held = new Map()

type Partitions = { readonly size: number; has(partition: number): boolean; keys(): IterableIterator<number> }

/** In order, so that the same partitions make the same bytes. */
export function toTopicPartitions(partitions: ReadonlyMap<string, Partitions>): TopicPartitions[] {
  return Array.from(partitions, ([topicId, indexes]) => ({
    topicId,
    partitions: [...indexes.keys()].sort((a, b) => a - b),
  })).sort((a, b) => (a.topicId < b.topicId ? -1 : 1))
}

export function toAssignment(topics: readonly TopicPartitions[]): Assignment {
  const assignment = new Map<string, Set<number>>()
  for (const { topicId, partitions } of topics) {
    for (const partition of partitions) addPartition(assignment, topicId, partition)
  }
  return assignment
}

export function addPartition(assignment: Map<string, Set<number>>, topicId: string, partition: number): void {
  const partitions = assignment.get(topicId)
  if (partitions === undefined) assignment.set(topicId, new Set([partition]))
  else partitions.add(partition)
}

export function hold(held: Map<string, Map<number, number>>, topicId: string, partition: number, epoch: number): void {
  const partitions = held.get(topicId)
  if (partitions === undefined) held.set(topicId, new Map([[partition, epoch]]))
  else partitions.set(partition, epoch)
}

/** The same partitions; epochs do not count. */
export function samePartitions(a: ReadonlyMap<string, Partitions>, b: ReadonlyMap<string, Partitions>): boolean {
  if (a === b) return true
  if (a.size !== b.size) return false
  for (const [topicId, partitions] of a) {
    const others = b.get(topicId)
    if (others === undefined || others.size !== partitions.size) return false
    for (const partition of partitions.keys()) if (!others.has(partition)) return false
  }
  return true
}

/** All of `some` are among `all`. */
export function areAmong(some: readonly TopicPartitions[], all: ReadonlyMap<string, Partitions>): boolean {
  return some.every(({ topicId, partitions }) => {
    const known = all.get(topicId)
    return partitions.every((partition) => known?.has(partition) ?? false)
  })
}

/** One of `some` is among `all`. */
export function isAnyAmong(some: readonly TopicPartitions[], all: ReadonlyMap<string, Partitions>): boolean {
  return some.some(({ topicId, partitions }) => {
    const known = all.get(topicId)
    return known !== undefined && partitions.some((partition) => known.has(partition))
  })
}

export function countOf(partitions: ReadonlyMap<string, Partitions>): number {
  let count = 0
  for (const { size } of partitions.values()) count += size
  return count
}
