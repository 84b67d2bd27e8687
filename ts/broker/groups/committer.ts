import { protocolError } from '../../protocol/errors.js'
import type { Group } from './group.js'

/** Who commits, as OffsetCommit says it. */
export interface Committer {
  readonly groupId: string
  /** -1: from outside the group's generations. */
  readonly generationId: number
  readonly memberId: string
  readonly groupInstanceId: string | null
}

/** From here on a commit to a group that does not exist is told so. */
const groupNotFoundSince = 9

/**
 * May commit: a member in its generation, which counts as a sign of life; and on a group without members anybody who
 * names no generation (tools, and consumers that assign themselves). Throws GROUP_ID_NOT_FOUND, ILLEGAL_GENERATION,
 * UNKNOWN_MEMBER_ID, FENCED_INSTANCE_ID, REBALANCE_IN_PROGRESS.
 */
export function checkCommitter(group: Group | undefined, committer: Committer, apiVersion: number): void {
  const { groupId, generationId, memberId, groupInstanceId } = committer
  if (group === undefined) {
    if (generationId < 0) return
    const message = `group ${groupId} does not exist`
    throw protocolError(apiVersion >= groupNotFoundSince ? 'GROUP_ID_NOT_FOUND' : 'ILLEGAL_GENERATION', message)
  }
  if (group.isIn('Empty') && generationId < 0) return
  if (generationId < 0 && memberId === '' && groupInstanceId === null) {
    throw protocolError('UNKNOWN_MEMBER_ID', `group ${groupId} has members: only they may commit`)
  }
  const member = group.memberOf(memberId, groupInstanceId)
  group.checkGeneration(generationId)
  if (group.isIn('CompletingRebalance')) throw protocolError('REBALANCE_IN_PROGRESS')
  member.session.set(member.sessionTimeoutMs)
}
