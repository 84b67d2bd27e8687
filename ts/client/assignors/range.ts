import type { Assignor, GroupAssignment, GroupMember } from './assignor.js'
import { inOrder } from './member-order.js'

/**
 * Each topic's partitions in runs, one run per member that wants the topic, the first ones a partition longer where it
 * does not come out even. Topics of the same number of partitions are cut alike: what has the same key in two topics
 * goes to the same member.
 */
export const range: Assignor = {
  name: 'range',
  isCooperative: false,
  userData: () => null,
  claimOf: (subscribed) => subscribed,
  assign(partitions, members) {
    const assignment: GroupAssignment = new Map(members.map(({ memberId }) => [memberId, []]))
    for (const [topic, wanting] of membersByTopic(members)) {
      const count = partitions.get(topic) ?? 0
      const each = Math.floor(count / wanting.length)
      const longer = count % wanting.length
      let partition = 0
      for (const [index, { memberId }] of wanting.entries()) {
        const end = partition + each + (index < longer ? 1 : 0)
        const assigned = assignment.get(memberId)!
        for (; partition < end; partition++) assigned.push({ topic, partition })
      }
    }
    return assignment
  },
}

/** Who wants each topic, in order. */
function membersByTopic(members: readonly GroupMember[]): Map<string, GroupMember[]> {
  const byTopic = new Map<string, GroupMember[]>()
  for (const member of inOrder(members)) {
    for (const topic of new Set(member.topics)) {
      const wanting = byTopic.get(topic)
      if (wanting === undefined) byTopic.set(topic, [member])
      else wanting.push(member)
    }
  }
  return byTopic
}
