import { apiKey } from '../../protocol/apis.js'
import { protocolError } from '../../protocol/errors.js'
import type { DeleteRecordsResponse } from '../../protocol/messages/21-delete-records.js'
import type { Partition } from '../partition.js'
import { isInternalTopic } from '../topic-names.js'
import { apiHandler } from './api-handler.js'
import { eachPartition } from './each-partition.js'
import { inTurns } from './in-turns.js'

/**
 * Versions 0-2. Raises the log start; -1 deletes everything readable. Compacted topics without delete refuse it, as do
 * internal ones.
 */
export const deleteRecords = apiHandler(
  apiKey.deleteRecords,
  '0-2',
  async (broker, request, context): Promise<DeleteRecordsResponse> => {
    const topics = await inTurns(request.topics, context.pace, async ({ name, partitions }) => ({
      name,
      partitions: await eachPartition(
        broker,
        context,
        name,
        partitions,
        (asked) => asked.partitionIndex,
        async (partition, { partitionIndex, offset }) => ({
          partitionIndex,
          lowWatermark: BigInt(await deleteBefore(partition, offset)),
          errorCode: 0,
        }),
        (partitionIndex, errorCode) => ({ partitionIndex, lowWatermark: -1n, errorCode }),
      ),
    }))
    return { throttleTimeMs: 0, topics }
  },
)

async function deleteBefore({ log, highWatermark }: Partition, asked: bigint): Promise<number> {
  const { topic, partition, config } = log
  if (isInternalTopic(topic)) {
    throw protocolError('INVALID_TOPIC_EXCEPTION', `records of the internal topic ${topic} are not deleted by offset`, {
      topic,
    })
  }
  if (config.cleanupPolicy.length > 0 && !config.cleanupPolicy.includes('delete')) {
    throw protocolError('POLICY_VIOLATION', `topic ${topic} is compacted only; its records are not deleted by offset`, {
      topic,
    })
  }
  const offset = asked === -1n ? highWatermark : Number(asked)
  if (offset < 0 || offset > highWatermark) {
    const message = `records of ${topic}-${partition} can be deleted up to offset ${highWatermark}, not ${asked}`
    throw protocolError('OFFSET_OUT_OF_RANGE', message, { topic, partition, offset: asked })
  }
  return log.deleteRecordsBefore(offset)
}
