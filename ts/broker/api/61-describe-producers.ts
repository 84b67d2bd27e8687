import type { ProducerSnapshotEntry } from '../../log/producer-snapshot.js'
import { apiKey } from '../../protocol/apis.js'
import type { DescribeProducersResponse } from '../../protocol/messages/61-describe-producers.js'
import { apiHandler } from './api-handler.js'
import { eachPartition } from './each-partition.js'
import { inTurns } from './in-turns.js'

type PartitionResponse = DescribeProducersResponse['topics'][number]['partitions'][number]

/** Version 0. The idempotent producers that a partition remembers, with the last of their sequence numbers. */
export const describeProducers = apiHandler(
  apiKey.describeProducers,
  '0',
  async (broker, request, context): Promise<DescribeProducersResponse> => {
    const topics = await inTurns(request.topics, context.pace, async ({ name, partitionIndexes }) => ({
      name,
      partitions: await eachPartition<number, PartitionResponse>(
        broker,
        context,
        name,
        partitionIndexes,
        (index) => index,
        async ({ log }, partitionIndex) => ({
          partitionIndex,
          errorCode: 0,
          errorMessage: null,
          activeProducers: (await log.producers()).map(described),
        }),
        (partitionIndex, errorCode, { message }) => ({
          partitionIndex,
          errorCode,
          errorMessage: message,
          activeProducers: [],
        }),
      ),
    }))
    return { throttleTimeMs: 0, topics }
  },
)

function described(entry: ProducerSnapshotEntry): PartitionResponse['activeProducers'][number] {
  return {
    producerId: BigInt(entry.producerId),
    producerEpoch: entry.producerEpoch,
    lastSequence: entry.lastSequence,
    lastTimestamp: BigInt(entry.timestamp),
    coordinatorEpoch: entry.coordinatorEpoch,
    currentTxnStartOffset: BigInt(entry.currentTxnFirstOffset),
  }
}
