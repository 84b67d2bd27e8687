import type { apiKey } from '../protocol/apis.js'
import { protocolErrors } from '../protocol/errors.js'
import type { FetchPartitionResponse, FetchRequest, FetchResponse, FetchTopic } from '../protocol/messages/01-fetch.js'
import { zeroUuid } from '../protocol/uuid.js'
import { AlignedParts } from './aligned-parts.js'
import { groupedByTopic } from './grouping.js'
import { anyVersion, type RequestShape } from './request-shape.js'
import { allKnown, knownId } from './topic-ids.js'

/** From here on topics are named by id alone. */
const idsFrom = 13
/** From here on a reader says what it read last, and is told where its history parts from the broker's. */
const divergenceFrom = 12

const nameOf = ({ topic }: FetchTopic): string => topic

export const fetchShape: RequestShape<typeof apiKey.fetch> = {
  newest: (request, ids) => (allKnown(request.topics, nameOf, ids) ? anyVersion : idsFrom - 1),

  fold(request, version, ids) {
    const topics = groupedByTopic(request.topics, nameOf, (to, from) => {
      return { ...to, partitions: [...to.partitions, ...from.partitions] }
    })
    if (version >= idsFrom) {
      return { ...request, topics: topics.map((one) => ({ ...one, topicId: knownId(one, one.topic, ids) })) }
    }
    if (version >= divergenceFrom) return { ...request, topics }
    return {
      ...request,
      topics: topics.map((one) => ({
        ...one,
        partitions: one.partitions.map((part) => ({ ...part, lastFetchedEpoch: -1 })),
      })),
    }
  },

  unfold(response, request, version, folded) {
    const idOf = new Map(folded.topics.map(({ topic, topicId }) => [topic, topicId]))
    const parts = new AlignedParts<FetchPartitionResponse>()
    for (const { topic, topicId, partitions } of response.responses) {
      for (const part of partitions) parts.add(version < idsFrom ? topic : topicId, part.partitionIndex, part)
    }
    const missing = response.errorCode || protocolErrors.UNKNOWN_SERVER_ERROR.code
    const responses = request.topics.map((topic) => {
      const topicId = idOf.get(topic.topic) ?? zeroUuid
      const key = version < idsFrom ? topic.topic : topicId
      const partitions = topic.partitions.map(
        ({ partition }) => parts.get(key, partition) ?? emptyPart(partition, missing),
      )
      return { topic: topic.topic, topicId, partitions }
    })
    return { ...response, responses }
  },
}

/** A fetch answer without records, in which every partition has the same error (0: none). */
export function emptyFetch(request: FetchRequest, errorCode = 0): FetchResponse {
  const responses = request.topics.map(({ topic, topicId, partitions }) => {
    return { topic, topicId, partitions: partitions.map(({ partition }) => emptyPart(partition, errorCode)) }
  })
  return { throttleTimeMs: 0, errorCode: 0, sessionId: 0, responses }
}

function emptyPart(partitionIndex: number, errorCode: number): FetchPartitionResponse {
  return {
    partitionIndex,
    errorCode,
    highWatermark: -1n,
    lastStableOffset: -1n,
    logStartOffset: -1n,
    abortedTransactions: null,
    preferredReadReplica: -1,
    records: null,
  }
}
