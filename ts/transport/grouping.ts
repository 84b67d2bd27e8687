/** Entries about the same topic as one, in the order of their first ones; `join` adds one entry's partitions to another. */
export function groupedByTopic<T>(
  entries: readonly T[],
  nameOf: (entry: T) => string,
  join: (to: T, from: T) => T,
): T[] {
  const groups = new Map<string, T>()
  for (const entry of entries) {
    const group = groups.get(nameOf(entry))
    groups.set(nameOf(entry), group === undefined ? entry : join(group, entry))
  }
  return [...groups.values()]
}

/** Entries by their key, each group in the order of the list. */
export function groupedBy<K, T>(entries: readonly T[], keyOf: (entry: T) => K): Map<K, T[]> {
  const groups = new Map<K, T[]>()
  for (const entry of entries) {
    const key = keyOf(entry)
    const group = groups.get(key)
    if (group === undefined) groups.set(key, [entry])
    else group.push(entry)
  }
  return groups
}
