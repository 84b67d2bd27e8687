import { apiKey } from '../../protocol/apis.js'
import { protocolErrors } from '../../protocol/errors.js'
import type { DescribeQuorumResponse } from '../../protocol/messages/55-describe-quorum.js'
import { zeroUuid } from '../../protocol/uuid.js'
import type { BrokerState } from '../broker-state.js'
import { apiHandler } from './api-handler.js'

type Partition = DescribeQuorumResponse['topics'][number]['partitions'][number]

const metadataTopic = '__cluster_metadata'
/** Before it, neither the nodes' addresses nor their directories can be told. */
const nodesSince = 2

/**
 * Versions 0-2. The quorum of controllers is this one node, for `kafka-metadata-quorum`.
 *
 * Not done: there is no metadata log, so its offsets and its leader's epoch are 0.
 */
export const describeQuorum = apiHandler(
  apiKey.describeQuorum,
  '0-2',
  (broker, request, context): DescribeQuorumResponse => {
    const { host, port } = broker.endpoint(context)
    const hasNodes = context.apiVersion >= nodesSince
    return {
      errorCode: 0,
      errorMessage: null,
      topics: request.topics.map(({ topicName, partitions }) => ({
        topicName,
        partitions: partitions.map(({ partitionIndex }) =>
          topicName === metadataTopic && partitionIndex === 0 ? quorum(broker, hasNodes) : unknown(partitionIndex),
        ),
      })),
      nodes: hasNodes ? [{ nodeId: broker.nodeId, listeners: [{ name: context.listener, host, port }] }] : [],
    }
  },
)

function quorum(broker: BrokerState, hasNodes: boolean): Partition {
  const now = BigInt(broker.clock())
  return {
    partitionIndex: 0,
    errorCode: 0,
    errorMessage: null,
    leaderId: broker.nodeId,
    leaderEpoch: 0,
    highWatermark: 0n,
    currentVoters: [
      {
        replicaId: broker.nodeId,
        replicaDirectoryId: (hasNodes ? broker.logs.directoryId : null) ?? zeroUuid,
        logEndOffset: 0n,
        lastFetchTimestamp: now,
        lastCaughtUpTimestamp: now,
      },
    ],
    observers: [],
  }
}

function unknown(partitionIndex: number): Partition {
  return {
    partitionIndex,
    errorCode: protocolErrors.UNKNOWN_TOPIC_OR_PARTITION.code,
    errorMessage: `only ${metadataTopic}-0 has a quorum`,
    leaderId: -1,
    leaderEpoch: 0,
    highWatermark: -1n,
    currentVoters: [],
    observers: [],
  }
}
