import type { Assignor, GroupAssignment } from './assignor.js'
import { byText, inOrder } from './member-order.js'

/**
 * All partitions of all topics, one after the other, to the members in turn; a member that does not want the topic is
 * passed over. Even where all members want the same topics, not otherwise.
 */
export const roundRobin: Assignor = {
  name: 'roundrobin',
  isCooperative: false,
  userData: () => null,
  claimOf: (subscribed) => subscribed,
  assign(partitions, members) {
    const turns = inOrder(members).map(({ memberId, topics }) => ({ memberId, topics: new Set(topics) }))
    const assignment: GroupAssignment = new Map(turns.map(({ memberId }) => [memberId, []]))
    const wanted = [...new Set(members.flatMap(({ topics }) => topics))].sort(byText)
    let turn = 0
    for (const topic of wanted) {
      const count = partitions.get(topic) ?? 0
      for (let partition = 0; partition < count; partition++) {
        while (!turns[turn].topics.has(topic)) turn = (turn + 1) % turns.length
        assignment.get(turns[turn].memberId)!.push({ topic, partition })
        turn = (turn + 1) % turns.length
      }
    }
    return assignment
  },
}
