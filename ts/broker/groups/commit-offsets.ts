import { isPromise, type MaybePromise } from '../../log/maybe-promise.js'
import { asSeglogError } from '../error-codes.js'
import type { AnyGroup } from './any-group.js'
import type { CommittedOffset } from './committed-offsets.js'
import type { GroupPartition } from './group-partition.js'
import { offsetRecord } from './group-records.js'
import { commitErrorOf } from './log-failures.js'

/** One partition's offset to be committed. */
export interface Commit {
  readonly topic: string
  readonly topicId: string
  readonly partition: number
  readonly offset: bigint
  readonly leaderEpoch: number
  readonly metadata: string | null
}

/**
 * Writes offsets of a group into the log; they are the group's when it is answered. `retentionMs` below zero leaves
 * retention to the broker. Throws or rejects with what a committing client is to be told.
 */
export function commitOffsets(
  partition: GroupPartition,
  groupId: string,
  commits: readonly Commit[],
  now: number,
  retentionMs: number,
  groupOf: () => AnyGroup,
): MaybePromise<void> {
  const expireTimestamp = retentionMs < 0 ? -1 : now + retentionMs
  const offsets = commits.map(
    (commit): CommittedOffset => ({
      offset: commit.offset,
      leaderEpoch: commit.leaderEpoch,
      metadata: commit.metadata ?? '',
      commitTimestamp: now,
      expireTimestamp,
      topicId: commit.topicId,
      recordOffset: -1,
    }),
  )
  const records = commits.map((commit, i) => offsetRecord(groupId, commit.topic, commit.partition, offsets[i]))
  const apply = (baseOffset: number) => {
    const group = groupOf()
    commits.forEach(({ topic, partition: index }, i) => {
      group.offsets.set(topic, index, { ...offsets[i], recordOffset: baseOffset + i })
    })
  }
  const failed = (error: unknown): never => {
    throw commitErrorOf(asSeglogError(error))
  }
  try {
    const written = partition.write(records, now, apply)
    return isPromise(written) ? written.catch(failed) : written
  } catch (error) {
    return failed(error)
  }
}
