import { type Assignment, nothingAssigned, samePartitions } from './assignment.js'
import type { Assignor } from './assignors/assignor.js'
import type { ConsumerMember } from './consumer-member.js'
import type { Subscriptions } from './subscriptions.js'

/** What each member is to have from now on. */
export function computeTargets(
  members: ReadonlyMap<string, ConsumerMember>,
  subscriptions: Subscriptions,
  before: ReadonlyMap<string, Assignment>,
  assignor: Assignor,
): ReadonlyMap<string, Assignment> {
  const { partitionCounts } = subscriptions
  const asked = Array.from(members.values(), (member) => ({
    id: member.id,
    instanceId: member.instanceId,
    topicIds: subscriptions.topicIds(member),
    target: before.get(member.id) ?? nothingAssigned,
  }))
  return asked.length === 0 ? new Map() : assignor({ members: asked, partitionCounts })
}

/** Those whose target is another than before, or who had none. */
export function* changedTargets(
  targets: ReadonlyMap<string, Assignment>,
  before: ReadonlyMap<string, Assignment>,
): IterableIterator<[memberId: string, target: Assignment]> {
  for (const [memberId, target] of targets) {
    const old = before.get(memberId)
    if (old === undefined || !samePartitions(old, target)) yield [memberId, target]
  }
}

/** The assignor that most members wish for, the configured one first among equals; the default where nobody has a wish. */
export function preferredAssignor(members: Iterable<ConsumerMember>, configured: readonly string[]): string {
  const votes = new Map<string, number>()
  for (const { serverAssignor } of members) {
    if (serverAssignor !== null) votes.set(serverAssignor, (votes.get(serverAssignor) ?? 0) + 1)
  }
  let preferred = configured[0]
  let most = 0
  for (const name of configured) {
    const count = votes.get(name) ?? 0
    if (count > most) {
      preferred = name
      most = count
    }
  }
  return preferred
}
