import type { TimestampOffset } from '../../log/log-types.js'
import { apiKey } from '../../protocol/apis.js'
import { protocolError, protocolErrors } from '../../protocol/errors.js'
import {
  type ListOffsetsPartitionResponse,
  type ListOffsetsRequest,
  type ListOffsetsResponse,
  offsetQuery,
} from '../../protocol/messages/02-list-offsets.js'
import { checkLeaderEpoch } from '../leader-epoch.js'
import type { Partition } from '../partition.js'
import { apiHandler } from './api-handler.js'
import { eachPartition } from './each-partition.js'
import { inTurns } from './in-turns.js'

const leaderEpochSince = 4

/**
 * Versions 1-11. Latest (-1), earliest (-2), the record with the largest timestamp (-3), the earliest on local disk
 * (-4, the same here), and the first record at or after a time. Without such a record the offset is -1. Nothing is in
 * tiered storage, so -5 and -6 find nothing. A partition that is asked for twice is INVALID_REQUEST, once.
 */
export const listOffsets = apiHandler(
  apiKey.listOffsets,
  '1-11',
  async (broker, request, context): Promise<ListOffsetsResponse> => {
    const { isolationLevel } = request
    const { asked, repeated } = withoutRepeats(request.topics)
    const refuseRepeated = (partitions: readonly AskedPartition[], answers: ListOffsetsPartitionResponse[]) =>
      repeated.size === 0
        ? answers
        : answers.map((one, i) => (repeated.has(partitions[i]) ? invalid(one.partitionIndex) : one))
    const topics = await inTurns(asked, context.pace, async ({ name, partitions }) => {
      const answers = await eachPartition(
        broker,
        context,
        name,
        partitions,
        (asked) => asked.partitionIndex,
        async (partition, asked) => {
          checkLeaderEpoch(partition.log, asked.currentLeaderEpoch)
          const found = await lookUp(partition, asked.timestamp, isolationLevel)
          const hasEpoch = found !== null && context.apiVersion >= leaderEpochSince
          return { ...answer(asked.partitionIndex, found), leaderEpoch: hasEpoch ? found.leaderEpoch : -1 }
        },
        (index, errorCode) => ({ ...answer(index, null), errorCode }),
      )
      return { name, partitions: refuseRepeated(partitions, answers) }
    })
    return { throttleTimeMs: 0, topics }
  },
)

type AskedTopic = ListOffsetsRequest['topics'][number]
type AskedPartition = AskedTopic['partitions'][number]

/** Each topic and partition once, and those that were there more often. */
function withoutRepeats(topics: readonly AskedTopic[]): {
  asked: readonly AskedTopic[]
  repeated: Set<AskedPartition>
} {
  const repeated = new Set<AskedPartition>()
  if (topics.length === 1 && topics[0].partitions.length === 1) return { asked: topics, repeated }
  const once = new Map<string, Map<number, AskedPartition>>()
  for (const { name, partitions } of topics) {
    const found = once.get(name) ?? new Map<number, AskedPartition>()
    once.set(name, found)
    for (const one of partitions) {
      const before = found.get(one.partitionIndex)
      if (before === undefined) found.set(one.partitionIndex, one)
      else repeated.add(before)
    }
  }
  return { asked: Array.from(once, ([name, found]) => ({ name, partitions: [...found.values()] })), repeated }
}

function invalid(partitionIndex: number): ListOffsetsPartitionResponse {
  return { ...answer(partitionIndex, null), errorCode: protocolErrors.INVALID_REQUEST.code }
}

function answer(partitionIndex: number, found: TimestampOffset | null): ListOffsetsPartitionResponse {
  if (found === null) return { partitionIndex, errorCode: 0, timestamp: -1n, offset: -1n, leaderEpoch: -1 }
  const { timestamp, offset } = found
  return { partitionIndex, errorCode: 0, timestamp: BigInt(timestamp), offset: BigInt(offset), leaderEpoch: -1 }
}

async function lookUp(partition: Partition, query: bigint, isolationLevel: number): Promise<TimestampOffset | null> {
  const { log } = partition
  const readable = isolationLevel === 0 ? partition.highWatermark : partition.lastStableOffset
  switch (query) {
    case offsetQuery.latest:
      return { offset: readable, timestamp: -1, leaderEpoch: log.leaderEpoch }
    case offsetQuery.earliest:
    case offsetQuery.earliestLocal:
      return { offset: log.logStartOffset, timestamp: -1, leaderEpoch: log.leaderEpoch }
    case offsetQuery.maxTimestamp:
      return below(readable, await log.maxTimestamp())
    case offsetQuery.latestTiered:
    case offsetQuery.earliestPendingUpload:
      return null
  }
  if (query < 0n) throw protocolError('INVALID_REQUEST', `${query} is neither a timestamp nor a known question`)
  return below(readable, await log.offsetForTimestamp(Number(query)))
}

function below(limit: number, found: TimestampOffset | null): TimestampOffset | null {
  return found === null || found.offset >= limit ? null : found
}
