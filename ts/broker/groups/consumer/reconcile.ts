import { protocolError } from '../../../protocol/errors.js'
import { type Assignment, type Held, hold, isAnyAmong, nothingHeld, type TopicPartitions } from './assignment.js'
import { type ConsumerMember, isReconciled } from './consumer-member.js'

/** What a member is to come to. */
export interface Target {
  readonly epoch: number
  readonly assignment: Assignment
}

/**
 * The next step of a member to its target: the member as it is then, or itself where there is none to take. A member
 * keeps what it has and is to have; first it gives up the rest, staying in its epoch until it says that it did; then it
 * goes to the target's epoch and gets what is free. What others have to give up comes later, as they do. So nothing is
 * ever had by two. `owned` is what the member says that it has, null where it says nothing; `isOwned` whether anybody
 * has a partition. Throws FENCED_MEMBER_EPOCH for a member in an unknown state that does not begin anew.
 */
export function reconcile(
  member: ConsumerMember,
  target: Target,
  owned: readonly TopicPartitions[] | null,
  isOwned: (topicId: string, partition: number) => boolean,
): ConsumerMember {
  if (isReconciled(member, target.epoch)) return member
  if (member.state === 'unrevoked' && stillHas(owned, member.revoking)) return member
  if (member.state === 'unknown' && (owned === null || owned.length > 0)) {
    const message = `member ${member.id} is in a state that is not known here; give up all partitions and join again`
    throw protocolError('FENCED_MEMBER_EPOCH', message)
  }
  const { kept, revoking, free, unreleased } = split(member, target.assignment, isOwned)
  if (revoking.size > 0 && stillHas(owned, revoking)) {
    const epoch = member.state === 'unknown' ? target.epoch : member.epoch
    return { ...inEpoch(member, epoch), state: 'unrevoked', assigned: kept, revoking }
  }
  for (const { topicId, partition } of free) hold(kept, topicId, partition, target.epoch)
  const state = unreleased ? 'unreleased' : 'stable'
  const next = { ...inEpoch(member, target.epoch), state, assigned: kept, revoking: nothingHeld } as const
  const isSame = state === member.state && next.epoch === member.epoch && free.length === 0 && revoking.size === 0
  return isSame ? member : next
}

/** What a member has against what it is to have. */
function split(member: ConsumerMember, target: Assignment, isOwned: (topicId: string, partition: number) => boolean) {
  const kept = new Map<string, Map<number, number>>()
  const revoking = new Map<string, Map<number, number>>()
  for (const [topicId, partitions] of member.assigned) {
    for (const [partition, epoch] of partitions) {
      hold(target.get(topicId)?.has(partition) === true ? kept : revoking, topicId, partition, epoch)
    }
  }
  const free: { topicId: string; partition: number }[] = []
  let unreleased = false
  for (const [topicId, partitions] of target) {
    for (const partition of partitions) {
      if (kept.get(topicId)?.has(partition) === true) continue
      // What it has just given up, and is to have again, is its own.
      const isFree = !isOwned(topicId, partition) || member.revoking.get(topicId)?.has(partition) === true
      if (isFree) free.push({ topicId, partition })
      else unreleased = true
    }
  }
  return { kept, revoking, free, unreleased }
}

/** A member that does not say what it has may have anything. */
function stillHas(owned: readonly TopicPartitions[] | null, partitions: Held): boolean {
  return owned === null || isAnyAmong(owned, partitions)
}

function inEpoch(member: ConsumerMember, epoch: number): ConsumerMember {
  return { ...member, epoch, previousEpoch: member.epoch }
}
