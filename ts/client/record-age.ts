import { apiKey } from '../protocol/apis.js'
import { inMemory } from '../protocol/file-region.js'
import { RecordBatchReader } from '../records/record-batch-reader.js'
import type { AdminCalls } from './admin-calls.js'
import type { TopicPartition } from './consumer-options.js'
import { throwErrorOf } from './response-error.js'

/** Batches without records to look past, such as the markers of transactions; behind more of them nobody looks. */
const looksMax = 64

/**
 * When the first record at or after `offset` and before `end` was written, in milliseconds: null if it does not say so,
 * and if there is none (any more). Reads one batch, as small as the broker gives.
 */
export async function firstTimestamp(
  calls: AdminCalls,
  { topic, partition }: TopicPartition,
  offset: number,
  end: number,
): Promise<number | null> {
  const { topicId } = calls.parts.metadata.get(topic) ?? (await calls.parts.metadata.fetch(topic, false))
  let from = offset
  for (let looks = 0; looks < looksMax && from < end; looks++) {
    const bytes = await read(calls, topic, topicId, partition, from)
    let next = from
    for (const batch of new RecordBatchReader(bytes, { allowCutTail: true })) {
      next = batch.header.lastOffset + 1
      if (batch.header.isControl || next <= from) continue
      const cursor = (await batch.inflate()).cursor()
      while (cursor.next()) if (cursor.offset >= from) return cursor.timestamp < 0 ? null : cursor.timestamp
    }
    if (next <= from) return null
    from = next
  }
  return null
}

async function read(
  calls: AdminCalls,
  topic: string,
  topicId: string,
  partition: number,
  offset: number,
): Promise<Buffer> {
  const response = await calls.request(apiKey.fetch, {
    replicaId: -1,
    maxWaitMs: 0,
    minBytes: 0,
    // A whole batch comes all the same.
    maxBytes: 1,
    isolationLevel: 0,
    sessionId: 0,
    sessionEpoch: -1,
    topics: [
      {
        topic,
        topicId,
        partitions: [
          {
            partition,
            currentLeaderEpoch: -1,
            fetchOffset: BigInt(offset),
            lastFetchedEpoch: -1,
            logStartOffset: -1n,
            partitionMaxBytes: 1,
          },
        ],
      },
    ],
    forgottenTopicsData: [],
    rackId: '',
  })
  const part = response.responses[0]?.partitions[0]
  if (part === undefined) return Buffer.alloc(0)
  throwErrorOf(part, { topic, partition })
  const records = inMemory(part.records) ?? []
  return Buffer.concat(records instanceof Uint8Array ? [records] : records)
}
