import type { apiKey } from '../protocol/apis.js'
import { protocolErrors } from '../protocol/errors.js'
import type {
  ProducePartitionResponse,
  ProduceRequest,
  ProduceResponse,
  ProduceTopicData,
} from '../protocol/messages/00-produce.js'
import { zeroUuid } from '../protocol/uuid.js'
import { AlignedParts } from './aligned-parts.js'
import { groupedByTopic } from './grouping.js'
import { anyVersion, type RequestShape } from './request-shape.js'
import { allKnown, knownId } from './topic-ids.js'

/** From here on topics are named by id alone. */
const idsFrom = 13

const nameOf = ({ name }: ProduceTopicData): string => name

export const produceShape: RequestShape<typeof apiKey.produce> = {
  newest: (request, ids) => (allKnown(request.topicData, nameOf, ids) ? anyVersion : idsFrom - 1),

  fold(request, version, ids) {
    const topics = groupedByTopic(request.topicData, nameOf, (to, from) => {
      return { ...to, partitionData: [...to.partitionData, ...from.partitionData] }
    })
    if (version < idsFrom) return { ...request, topicData: topics }
    return { ...request, topicData: topics.map((topic) => ({ ...topic, topicId: knownId(topic, topic.name, ids) })) }
  },

  unfold(response, request, version, folded) {
    const idOf = new Map(folded.topicData.map(({ name, topicId }) => [name, topicId]))
    const parts = new AlignedParts<ProducePartitionResponse>()
    for (const { name, topicId, partitionResponses } of response.responses) {
      for (const part of partitionResponses) parts.add(version < idsFrom ? name : topicId, part.index, part)
    }
    const responses = request.topicData.map((topic) => {
      const topicId = idOf.get(topic.name) ?? zeroUuid
      const key = version < idsFrom ? topic.name : topicId
      const partitionResponses = topic.partitionData.map(({ index }) => parts.get(key, index) ?? leftOut(index))
      return { name: topic.name, topicId, partitionResponses }
    })
    return { ...response, responses }
  },
}

/** What acks 0 promises: it was written. */
export function acceptedProduce(request: ProduceRequest): ProduceResponse {
  const responses = request.topicData.map(({ name, topicId, partitionData }) => {
    return { name, topicId, partitionResponses: partitionData.map(({ index }) => partition(index, 0, null)) }
  })
  return { responses, throttleTimeMs: 0 }
}

/** A produce answer in which every partition failed alike. */
export function failedProduce(request: ProduceRequest, errorCode: number, errorMessage: string): ProduceResponse {
  const responses = request.topicData.map(({ name, partitionData }) => {
    const partitionResponses = partitionData.map(({ index }) => partition(index, errorCode, errorMessage))
    return { name, topicId: zeroUuid, partitionResponses }
  })
  return { responses, throttleTimeMs: 0 }
}

function leftOut(index: number): ProducePartitionResponse {
  return partition(index, protocolErrors.UNKNOWN_SERVER_ERROR.code, 'the broker left this partition out of its answer')
}

function partition(index: number, errorCode: number, errorMessage: string | null): ProducePartitionResponse {
  const noOffsets = { baseOffset: -1n, logAppendTimeMs: -1n, logStartOffset: -1n }
  return { index, errorCode, ...noOffsets, recordErrors: [], errorMessage }
}
