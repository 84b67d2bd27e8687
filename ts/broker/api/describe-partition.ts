import type { BrokerState } from '../broker-state.js'
import { Partition } from '../partition.js'
import type { Topic } from '../topics.js'

/**
 * One partition as Metadata and DescribeTopicPartitions describe it. One that was never used is not opened for this: its
 * leader epoch is -1, "unknown".
 */
export function describePartition(broker: BrokerState, topic: Topic, partitionIndex: number) {
  const nodes = [broker.nodeId]
  const partition = topic.partitions[partitionIndex]
  return {
    errorCode: 0,
    partitionIndex,
    leaderId: broker.nodeId,
    leaderEpoch: partition instanceof Partition ? partition.log.leaderEpoch : -1,
    replicaNodes: nodes,
    isrNodes: nodes,
    offlineReplicas: [],
  }
}
