import type { JoinGroupResponse } from '../../protocol/messages/11-join-group.js'
import type { SyncGroupRequest } from '../../protocol/messages/14-sync-group.js'
import type { Assignor, GroupMember, PartitionCounts } from '../assignors/assignor.js'
import { decodeSubscription, encodeAssignment, type Subscription } from './consumer-protocol.js'

type JoinedMember = JoinGroupResponse['members'][number]

const nothing: Subscription = { topics: [], claim: { owned: [], generation: -1 }, userData: null, rackId: null }

/** The members as the assignor sees them. One whose subscription cannot be read gets nothing. */
export function groupMembers(assignor: Assignor, joined: readonly JoinedMember[]): GroupMember[] {
  return joined.map(({ memberId, groupInstanceId, metadata }) => {
    const { topics, claim, userData } = subscriptionOf(metadata)
    return { memberId, groupInstanceId, topics, ...assignor.claimOf(claim, userData) }
  })
}

/** What the leader sends with its SyncGroup. */
export function assignmentsOf(
  assignor: Assignor,
  partitions: PartitionCounts,
  members: readonly GroupMember[],
): SyncGroupRequest['assignments'] {
  const assignment = assignor.assign(partitions, members)
  return Array.from(assignment, ([memberId, places]) => ({ memberId, assignment: encodeAssignment(places) }))
}

function subscriptionOf(metadata: Uint8Array): Subscription {
  try {
    return decodeSubscription(metadata)
  } catch {
    return nothing
  }
}
