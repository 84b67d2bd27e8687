import type { SeglogError } from '../../errors/seglog-error.js'
import { withCause } from '../../protocol/cause.js'
import { zeroUuid } from '../../protocol/uuid.js'
import type { BrokerState } from '../broker-state.js'
import { errorCodeOf, placedError } from '../error-codes.js'
import type { Partition } from '../partition.js'
import type { RequestContext } from '../request-context.js'
import { inTurns } from './in-turns.js'

/**
 * Answers every partition of a request that lists them by topic name, all at the same time (those of a long
 * request in turns), in the request's order. A
 * failure of one becomes its answer by `failed`, with the error attached.
 */
export async function eachPartition<T, A extends object>(
  broker: BrokerState,
  context: RequestContext,
  topic: string,
  asked: readonly T[],
  indexOf: (asked: T) => number,
  answer: (partition: Partition, asked: T) => A | Promise<A>,
  failed: (index: number, errorCode: number, error: SeglogError) => A,
): Promise<A[]> {
  const one = async (item: T): Promise<A> => {
    const index = indexOf(item)
    try {
      const partition = await broker.topics.partition(broker.topics.get(topic, zeroUuid), index)
      return await answer(partition, item)
    } catch (thrown) {
      const error = placedError(thrown, topic, index)
      return withCause(failed(index, errorCodeOf(error), error), error)
    }
  }
  return inTurns(asked, context.pace, one)
}
