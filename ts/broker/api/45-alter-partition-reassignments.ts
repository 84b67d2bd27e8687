import { apiKey } from '../../protocol/apis.js'
import { protocolErrors } from '../../protocol/errors.js'
import type { AlterPartitionReassignmentsResponse } from '../../protocol/messages/45-alter-partition-reassignments.js'
import type { BrokerState } from '../broker-state.js'
import { apiHandler } from './api-handler.js'
import { noSuchPartition } from './no-such-partition.js'

type Result = AlterPartitionReassignmentsResponse['responses'][number]['partitions'][number]

/**
 * Versions 0-1. Every partition is on this broker, the only one: moving it here is done at once, to others
 * INVALID_REPLICA_ASSIGNMENT. There is nothing to cancel: NO_REASSIGNMENT_IN_PROGRESS.
 */
export const alterPartitionReassignments = apiHandler(
  apiKey.alterPartitionReassignments,
  '0-1',
  (broker, request): AlterPartitionReassignmentsResponse => ({
    throttleTimeMs: 0,
    allowReplicationFactorChange: request.allowReplicationFactorChange,
    errorCode: 0,
    errorMessage: null,
    responses: request.topics.map(({ name, partitions }) => ({
      name,
      partitions: partitions.map(({ partitionIndex, replicas }) => ({
        partitionIndex,
        ...reassignment(broker, name, partitionIndex, replicas),
      })),
    })),
  }),
)

function reassignment(
  broker: BrokerState,
  topic: string,
  partition: number,
  replicas: readonly number[] | null,
): Omit<Result, 'partitionIndex'> {
  const missing = noSuchPartition(broker, topic, partition)
  if (missing !== null) return missing
  if (replicas === null) {
    const errorMessage = `${topic}-${partition} is not being moved`
    return { errorCode: protocolErrors.NO_REASSIGNMENT_IN_PROGRESS.code, errorMessage }
  }
  if (replicas.length === 1 && replicas[0] === broker.nodeId) return { errorCode: 0, errorMessage: null }
  const errorMessage = `broker ${broker.nodeId} is the only one, ${topic}-${partition} cannot go to [${replicas.join(', ')}]`
  return { errorCode: protocolErrors.INVALID_REPLICA_ASSIGNMENT.code, errorMessage }
}
