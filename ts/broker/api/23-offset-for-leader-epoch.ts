import { apiKey } from '../../protocol/apis.js'
import type { OffsetForLeaderEpochResponse } from '../../protocol/messages/23-offset-for-leader-epoch.js'
import { checkLeaderEpoch } from '../leader-epoch.js'
import { apiHandler } from './api-handler.js'
import { eachPartition } from './each-partition.js'
import { inTurns } from './in-turns.js'

/** Versions 2-4. Where a leader epoch ends in our log: how a reader finds out which of its records are not ours. */
export const offsetForLeaderEpoch = apiHandler(
  apiKey.offsetForLeaderEpoch,
  '2-4',
  async (broker, request, context): Promise<OffsetForLeaderEpochResponse> => {
    const topics = await inTurns(request.topics, context.pace, async ({ topic, partitions }) => ({
      topic,
      partitions: await eachPartition(
        broker,
        context,
        topic,
        partitions,
        (asked) => asked.partition,
        ({ log }, asked) => {
          checkLeaderEpoch(log, asked.currentLeaderEpoch)
          const end = log.endOffsetForEpoch(asked.leaderEpoch)
          const { partition } = asked
          if (end === null) return { errorCode: 0, partition, leaderEpoch: -1, endOffset: -1n }
          return { errorCode: 0, partition, leaderEpoch: end.epoch, endOffset: BigInt(end.endOffset) }
        },
        (partition, errorCode) => ({ errorCode, partition, leaderEpoch: -1, endOffset: -1n }),
      ),
    }))
    return { throttleTimeMs: 0, topics }
  },
)
