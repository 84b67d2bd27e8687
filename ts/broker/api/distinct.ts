/**
 * The items without those whose key another before them has. What a request names again is answered once: an answer can
 * be a thousand times the size of its question, and must not be multiplied by writing the question often.
 */
export function distinct<T>(items: readonly T[], keyOf: (item: T) => string): readonly T[] {
  if (items.length < 2) return items
  const found = new Map<string, T>()
  for (const item of items) {
    const key = keyOf(item)
    if (!found.has(key)) found.set(key, item)
  }
  return found.size === items.length ? items : [...found.values()]
}
