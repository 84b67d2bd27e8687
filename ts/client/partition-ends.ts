import { apiKey } from '../protocol/apis.js'
import type { AdminCalls } from './admin-calls.js'
import type { TopicPartition } from './consumer-options.js'
import { byTopic } from './partition-lists.js'
import { errorOf } from './response-error.js'

const timeoutMs = 60_000

/**
 * One question of ListOffsets about partitions of several topics; the answers by `topic-partition`, -1n where there is
 * none. Partitions that do not exist are left out. Rejects with any other error.
 */
export async function askOffsets(
  calls: AdminCalls,
  places: readonly TopicPartition[],
  timestamp: bigint,
): Promise<Map<string, bigint>> {
  const offsets = new Map<string, bigint>()
  if (places.length === 0) return offsets
  const response = await calls.request(apiKey.listOffsets, {
    replicaId: -1,
    isolationLevel: 0,
    topics: [...byTopic(places)].map(([name, some]) => ({
      name,
      partitions: some.map(({ partition }) => ({ partitionIndex: partition, currentLeaderEpoch: -1, timestamp })),
    })),
    timeoutMs,
  })
  for (const { name: topic, partitions } of response.topics) {
    for (const part of partitions) {
      const { partitionIndex: partition } = part
      const error = errorOf(part, { topic, partition })
      if (error === null) offsets.set(placeName({ topic, partition }), part.offset)
      else if (error.code !== 'UNKNOWN_TOPIC_OR_PARTITION') throw error
    }
  }
  return offsets
}

export function placeName({ topic, partition }: TopicPartition): string {
  return `${topic}-${partition}`
}

export function inOrder<P extends TopicPartition>(places: readonly P[]): P[] {
  return [...places].sort((a, b) => (a.topic === b.topic ? a.partition - b.partition : a.topic < b.topic ? -1 : 1))
}

/** `offset` moved into the log from `start` to `end`. */
export function within(offset: bigint, start: bigint, end: bigint): bigint {
  if (offset < start) return start
  if (offset > end) return end
  return offset
}
