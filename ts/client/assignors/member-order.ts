import type { GroupMember } from './assignor.js'

/**
 * Members in the order in which Kafka's assignors count them: static ones first, by their lasting names, so that a
 * restart moves nothing; the others by member id.
 */
export function inOrder(members: readonly GroupMember[]): GroupMember[] {
  return [...members].sort(compare)
}

function compare(a: GroupMember, b: GroupMember): number {
  if (a.groupInstanceId !== null && b.groupInstanceId !== null) return byText(a.groupInstanceId, b.groupInstanceId)
  if (a.groupInstanceId !== null) return -1
  if (b.groupInstanceId !== null) return 1
  return byText(a.memberId, b.memberId)
}

export function byText(a: string, b: string): number {
  return a < b ? -1 : a > b ? 1 : 0
}
