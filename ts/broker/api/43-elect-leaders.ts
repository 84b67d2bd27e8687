import { apiKey } from '../../protocol/apis.js'
import { protocolErrors } from '../../protocol/errors.js'
import type { ElectLeadersResponse } from '../../protocol/messages/43-elect-leaders.js'
import type { BrokerState } from '../broker-state.js'
import { apiHandler } from './api-handler.js'
import { noSuchPartition } from './no-such-partition.js'

type Result = ElectLeadersResponse['replicaElectionResults'][number]['partitionResult'][number]

const uncleanElection = 1

/**
 * Versions 0-2. This broker leads every partition, so each one asked for is ELECTION_NOT_NEEDED. Asked for all of them
 * (null), the answer names those that got a new leader: none.
 */
export const electLeaders = apiHandler(apiKey.electLeaders, '0-2', (broker, request): ElectLeadersResponse => {
  const { electionType, topicPartitions } = request
  const known = electionType === 0 || electionType === uncleanElection
  return {
    throttleTimeMs: 0,
    errorCode: known ? 0 : protocolErrors.INVALID_REQUEST.code,
    replicaElectionResults: (known ? (topicPartitions ?? []) : []).map(({ topic, partitions }) => ({
      topic,
      partitionResult: partitions.map((partitionId) => ({ partitionId, ...election(broker, topic, partitionId) })),
    })),
  }
})

function election(broker: BrokerState, topic: string, partition: number): Omit<Result, 'partitionId'> {
  const missing = noSuchPartition(broker, topic, partition)
  if (missing !== null) return missing
  const errorMessage = `broker ${broker.nodeId} leads ${topic}-${partition} already, and is the only replica`
  return { errorCode: protocolErrors.ELECTION_NOT_NEEDED.code, errorMessage }
}
