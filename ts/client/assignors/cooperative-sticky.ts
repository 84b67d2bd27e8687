import type { Assignor, GroupAssignment, GroupMember } from './assignor.js'
import { nameOf, stickyAssignment } from './sticky-assignment.js'
import { readCooperativeUserData, writeCooperativeUserData } from './sticky-user-data.js'

/**
 * As `sticky`, but members go on with what they have while the group rebalances. What is to change hands is first given
 * up by the one and, in the rebalance that follows, given to the other: no two ever have it at once.
 */
export const cooperativeSticky: Assignor = {
  name: 'cooperative-sticky',
  isCooperative: true,
  userData: writeCooperativeUserData,
  claimOf(subscribed, userData) {
    if (subscribed.generation >= 0 || userData === null) return subscribed
    return { ...subscribed, generation: readCooperativeUserData(userData) }
  },
  assign: (partitions, members) => withoutOwnedByOthers(stickyAssignment(partitions, members), members),
}

function withoutOwnedByOthers(assignment: GroupAssignment, members: readonly GroupMember[]): GroupAssignment {
  const claims = claimsOf(members)
  for (const [memberId, places] of assignment) {
    const free = places.filter((place) => {
      const claimants = claims.get(nameOf(place)) ?? []
      const own = claimants.find((claimant) => claimant.memberId === memberId)
      // A claim of an older generation than the member's own is one that its maker has lost without knowing it.
      return claimants.every((one) => one === own || (own !== undefined && own.generation > one.generation))
    })
    assignment.set(memberId, free)
  }
  return assignment
}

function claimsOf(members: readonly GroupMember[]): Map<string, GroupMember[]> {
  const claims = new Map<string, GroupMember[]>()
  for (const member of members) {
    for (const place of member.owned) {
      const claimants = claims.get(nameOf(place))
      if (claimants === undefined) claims.set(nameOf(place), [member])
      else claimants.push(member)
    }
  }
  return claims
}
