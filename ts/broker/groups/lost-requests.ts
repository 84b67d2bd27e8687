import type { JoinGroupResponse } from '../../protocol/messages/11-join-group.js'
import type { SyncGroupResponse } from '../../protocol/messages/14-sync-group.js'
import type { Group } from './group.js'
import { joinFailure, syncFailure } from './group-answers.js'
import type { GroupHost } from './group-host.js'
import type { Member } from './member.js'
import { afterRemoval } from './rebalance.js'

/**
 * Watches over a parked join while its client is there. When the connection ends nobody will read the answer, so the
 * member has not joined: a new one is gone, since it does not know that it is a member; another has its session to come
 * again. Otherwise a generation would begin with members that never ask for their assignment. Kafka cannot tell.
 */
export function watchJoin(
  host: GroupHost,
  group: Group,
  member: Member,
  answer: Promise<JoinGroupResponse>,
  signal: AbortSignal | undefined,
): Promise<JoinGroupResponse> {
  const parked = member.awaitingJoin
  return watched(answer, signal, () => {
    if (parked === null || member.awaitingJoin !== parked) return
    host.logger.info({ group: group.id, member: member.id }, 'the connection of a joining member is gone')
    if (member.isNew) {
      group.remove(member.id)
      afterRemoval(host, group, `the connection of ${member.id} ended while it joined`)
    } else {
      group.answerJoin(member, joinFailure(member.id, 'REBALANCE_IN_PROGRESS'))
      member.session.set(member.sessionTimeoutMs)
    }
  })
}

/** As `watchJoin`, of a sync: the member has its session to ask again. */
export function watchSync(
  group: Group,
  member: Member,
  answer: Promise<SyncGroupResponse>,
  signal: AbortSignal | undefined,
): Promise<SyncGroupResponse> {
  const parked = member.awaitingSync
  return watched(answer, signal, () => {
    if (parked === null || member.awaitingSync !== parked) return
    group.answerSync(member, syncFailure('REBALANCE_IN_PROGRESS'))
    member.session.set(member.sessionTimeoutMs)
  })
}

/** Calls `lost` when the signal is given before the answer. */
function watched<T>(answer: Promise<T>, signal: AbortSignal | undefined, lost: () => void): Promise<T> {
  if (signal === undefined) return answer
  signal.addEventListener('abort', lost, { once: true })
  if (signal.aborted) lost()
  return answer.finally(() => signal.removeEventListener('abort', lost))
}
