import type { SeglogError } from '../../errors/seglog-error.js'
import { isPromise, type MaybePromise } from '../../log/maybe-promise.js'
import { apiKey } from '../../protocol/apis.js'
import { withCause } from '../../protocol/cause.js'
import { type ProtocolErrorName, protocolErrors } from '../../protocol/errors.js'
import type { OffsetCommitRequest, OffsetCommitResponse } from '../../protocol/messages/08-offset-commit.js'
import { zeroUuid } from '../../protocol/uuid.js'
import type { BrokerState } from '../broker-state.js'
import { asSeglogError, errorCodeOf } from '../error-codes.js'
import type { Commit } from '../groups/commit-offsets.js'
import { apiHandler } from './api-handler.js'

/**
 * Versions 2-10. Partitions that do not exist and metadata that is too long (`offset.metadata.max.bytes`) are refused one
 * by one, the rest is written; an error of the group is that of all the rest. Offsets are in the page cache when it is
 * answered, they do not wait for the disk. The empty group id is a group, as it always was.
 */
export const offsetCommit = apiHandler(
  apiKey.offsetCommit,
  '2-10',
  (broker, request, context): MaybePromise<OffsetCommitResponse> => {
    const asked = new AskedCommits(broker, request)
    const { commits } = asked
    if (commits.length === 0) return asked.response
    const { groupId, generationIdOrMemberEpoch: generationId, memberId, groupInstanceId } = request
    const committer = { groupId, generationId, memberId, groupInstanceId }
    const failed = (error: unknown) => asked.failed(error)
    try {
      const retentionMs = Number(request.retentionTimeMs)
      const done = broker.groups.commit(committer, commits, retentionMs, context.apiVersion, asked.refuse)
      return isPromise(done) ? done.then(() => asked.response, failed) : asked.response
    } catch (error) {
      return failed(error)
    }
  },
)

type PartitionAnswer = OffsetCommitResponse['topics'][number]['partitions'][number]

/** What can be committed of a request, and the answer with what cannot. */
class AskedCommits {
  readonly response: OffsetCommitResponse
  /** What is not refused, with its answer. */
  readonly #answers = new Map<Commit, PartitionAnswer>()

  constructor(broker: BrokerState, request: OffsetCommitRequest) {
    const metadataMax = broker.config.number('offset.metadata.max.bytes')
    const topics = request.topics.map(({ name, topicId, partitions }) => {
      const topic = broker.topics.find(name, topicId)
      const unknown = topicId === zeroUuid ? 'UNKNOWN_TOPIC_OR_PARTITION' : 'UNKNOWN_TOPIC_ID'
      const answers = partitions.map(
        ({ partitionIndex, committedOffset, committedLeaderEpoch, committedMetadata }): PartitionAnswer => {
          if (topic === undefined) return refused(partitionIndex, unknown)
          if (partitionIndex < 0 || partitionIndex >= topic.record.partitions) {
            return refused(partitionIndex, 'UNKNOWN_TOPIC_OR_PARTITION')
          }
          if ((committedMetadata?.length ?? 0) > metadataMax)
            return refused(partitionIndex, 'OFFSET_METADATA_TOO_LARGE')
          const answer = { partitionIndex, errorCode: 0 }
          const commit: Commit = {
            topic: topic.name,
            topicId: topic.record.id,
            partition: partitionIndex,
            offset: committedOffset,
            leaderEpoch: committedLeaderEpoch,
            metadata: committedMetadata,
          }
          this.#answers.set(commit, answer)
          return answer
        },
      )
      return { name: topic?.name ?? name, topicId: topic?.record.id ?? topicId, partitions: answers }
    })
    this.response = { throttleTimeMs: 0, topics }
  }

  get commits(): Commit[] {
    return [...this.#answers.keys()]
  }

  /** One that cannot be committed while the rest can. */
  readonly refuse = (commit: Commit, error: SeglogError): void => {
    withCause(Object.assign(this.#answers.get(commit)!, { errorCode: errorCodeOf(error) }), error)
    this.#answers.delete(commit)
  }

  failed(thrown: unknown): OffsetCommitResponse {
    const error = asSeglogError(thrown)
    for (const answer of this.#answers.values())
      withCause(Object.assign(answer, { errorCode: errorCodeOf(error) }), error)
    return withCause(this.response, error)
  }
}

function refused(partitionIndex: number, error: ProtocolErrorName): PartitionAnswer {
  return { partitionIndex, errorCode: protocolErrors[error].code }
}
