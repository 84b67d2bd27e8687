import type { SeglogError } from '../../../errors/seglog-error.js'
import { stackless } from '../../../errors/stackless.js'
import { protocolError } from '../../../protocol/errors.js'
import type { Commit } from '../commit-offsets.js'
import type { Committer } from '../committer.js'
import type { ConsumerGroup } from './consumer-group.js'
import type { ConsumerMember } from './consumer-member.js'

/** Members of the consumer protocol commit with their epoch in this version and later. */
const epochSince = 9

/** What is wrong with one partition's commit; null where it may be made. */
type CommitFault = (commit: Commit) => SeglogError | null

const noFault: CommitFault = () => null

/**
 * May commit: a member in its epoch; in an earlier one for partitions that it has had since; and on a group without
 * members anybody who names no epoch. Throws UNKNOWN_MEMBER_ID, STALE_MEMBER_EPOCH, UNSUPPORTED_VERSION, and
 * ILLEGAL_GENERATION to members that speak the classic protocol.
 */
function checkConsumerCommitter(group: ConsumerGroup, committer: Committer, apiVersion: number): CommitFault {
  const { generationId: epoch, memberId } = committer
  if (epoch < 0 && group.isEmpty) return noFault
  const member = group.member(memberId)
  if (member.classic === null && apiVersion < epochSince) {
    const message = `members of the consumer protocol commit with OffsetCommit ${epochSince} or later`
    throw protocolError('UNSUPPORTED_VERSION', message)
  }
  if (epoch === member.epoch) return noFault
  if (epoch > member.epoch) throw stale(member, epoch)
  return ({ topicId, partition }) => {
    const given = member.assigned.get(topicId)?.get(partition) ?? member.revoking.get(topicId)?.get(partition)
    return given !== undefined && epoch >= given ? null : stackless(() => stale(member, epoch))
  }
}

/** What of the commits may be made; the rest is refused. Throws as `checkConsumerCommitter`. */
export function takenCommits(
  group: ConsumerGroup,
  committer: Committer,
  commits: readonly Commit[],
  version: number,
  refuse: (commit: Commit, error: SeglogError) => void,
): Commit[] {
  const faultOf = checkConsumerCommitter(group, committer, version)
  return commits.filter((commit) => {
    const fault = faultOf(commit)
    if (fault !== null) refuse(commit, fault)
    return fault === null
  })
}

/** May fetch offsets: anybody who names no member, else a member in its epoch. Errors as of commits. */
export function checkFetcher(group: ConsumerGroup, memberId: string | null, epoch: number): void {
  if (memberId === null && epoch < 0) return
  const member = group.member(memberId ?? '')
  if (epoch !== member.epoch) throw stale(member, epoch)
}

function stale(member: ConsumerMember, epoch: number): SeglogError {
  const name = member.classic === null ? 'STALE_MEMBER_EPOCH' : 'ILLEGAL_GENERATION'
  return protocolError(name, `member ${member.id} is in epoch ${member.epoch}, not ${epoch}`)
}
