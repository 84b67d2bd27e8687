import { protocolErrors } from '../../protocol/errors.js'
import type { BrokerState } from '../broker-state.js'

const { code } = protocolErrors.UNKNOWN_TOPIC_OR_PARTITION

/** The failure of an answer about a partition that does not exist, null for one that does. Opens nothing. */
export function noSuchPartition(
  broker: BrokerState,
  topic: string,
  partition: number,
): { errorCode: number; errorMessage: string } | null {
  const found = broker.topics.byName(topic)
  if (found === undefined) return { errorCode: code, errorMessage: `topic ${topic} does not exist` }
  const last = found.record.partitions - 1
  if (partition >= 0 && partition <= last) return null
  return { errorCode: code, errorMessage: `topic ${topic} has partitions 0 to ${last}, not ${partition}` }
}
