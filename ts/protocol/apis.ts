import { produceRequest, produceResponse } from './messages/00-produce.js'
import { fetchRequest, fetchResponse } from './messages/01-fetch.js'
import { listOffsetsRequest, listOffsetsResponse } from './messages/02-list-offsets.js'
import { metadataRequest, metadataResponse } from './messages/03-metadata.js'
import { offsetCommitRequest, offsetCommitResponse } from './messages/08-offset-commit.js'
import { offsetFetchRequest, offsetFetchResponse } from './messages/09-offset-fetch.js'
import { findCoordinatorRequest, findCoordinatorResponse } from './messages/10-find-coordinator.js'
import { joinGroupRequest, joinGroupResponse } from './messages/11-join-group.js'
import { heartbeatRequest, heartbeatResponse } from './messages/12-heartbeat.js'
import { leaveGroupRequest, leaveGroupResponse } from './messages/13-leave-group.js'
import { syncGroupRequest, syncGroupResponse } from './messages/14-sync-group.js'
import { describeGroupsRequest, describeGroupsResponse } from './messages/15-describe-groups.js'
import { listGroupsRequest, listGroupsResponse } from './messages/16-list-groups.js'
import { apiVersionsRequest, apiVersionsResponse } from './messages/18-api-versions.js'
import { createTopicsRequest, createTopicsResponse } from './messages/19-create-topics.js'
import { deleteTopicsRequest, deleteTopicsResponse } from './messages/20-delete-topics.js'
import { deleteRecordsRequest, deleteRecordsResponse } from './messages/21-delete-records.js'
import { initProducerIdRequest, initProducerIdResponse } from './messages/22-init-producer-id.js'
import { offsetForLeaderEpochRequest, offsetForLeaderEpochResponse } from './messages/23-offset-for-leader-epoch.js'
import { describeAclsRequest, describeAclsResponse } from './messages/29-describe-acls.js'
import { createAclsRequest, createAclsResponse } from './messages/30-create-acls.js'
import { deleteAclsRequest, deleteAclsResponse } from './messages/31-delete-acls.js'
import { describeConfigsRequest, describeConfigsResponse } from './messages/32-describe-configs.js'
import { alterConfigsRequest, alterConfigsResponse } from './messages/33-alter-configs.js'
import { describeLogDirsRequest, describeLogDirsResponse } from './messages/35-describe-log-dirs.js'
import { createPartitionsRequest, createPartitionsResponse } from './messages/37-create-partitions.js'
import { deleteGroupsRequest, deleteGroupsResponse } from './messages/42-delete-groups.js'
import { electLeadersRequest, electLeadersResponse } from './messages/43-elect-leaders.js'
import {
  incrementalAlterConfigsRequest,
  incrementalAlterConfigsResponse,
} from './messages/44-incremental-alter-configs.js'
import {
  alterPartitionReassignmentsRequest,
  alterPartitionReassignmentsResponse,
} from './messages/45-alter-partition-reassignments.js'
import {
  listPartitionReassignmentsRequest,
  listPartitionReassignmentsResponse,
} from './messages/46-list-partition-reassignments.js'
import { offsetDeleteRequest, offsetDeleteResponse } from './messages/47-offset-delete.js'
import { describeClientQuotasRequest, describeClientQuotasResponse } from './messages/48-describe-client-quotas.js'
import { describeQuorumRequest, describeQuorumResponse } from './messages/55-describe-quorum.js'
import { describeClusterRequest, describeClusterResponse } from './messages/60-describe-cluster.js'
import { describeProducersRequest, describeProducersResponse } from './messages/61-describe-producers.js'
import {
  consumerGroupHeartbeatRequest,
  consumerGroupHeartbeatResponse,
} from './messages/68-consumer-group-heartbeat.js'
import { consumerGroupDescribeRequest, consumerGroupDescribeResponse } from './messages/69-consumer-group-describe.js'
import { listConfigResourcesRequest, listConfigResourcesResponse } from './messages/74-list-config-resources.js'
import {
  describeTopicPartitionsRequest,
  describeTopicPartitionsResponse,
} from './messages/75-describe-topic-partitions.js'
import type { Infer } from './schema.js'

/** Kafka's API keys, by name. */
export const apiKey = {
  produce: 0,
  fetch: 1,
  listOffsets: 2,
  metadata: 3,
  offsetCommit: 8,
  offsetFetch: 9,
  findCoordinator: 10,
  joinGroup: 11,
  heartbeat: 12,
  leaveGroup: 13,
  syncGroup: 14,
  describeGroups: 15,
  listGroups: 16,
  apiVersions: 18,
  createTopics: 19,
  deleteTopics: 20,
  deleteRecords: 21,
  initProducerId: 22,
  offsetForLeaderEpoch: 23,
  describeAcls: 29,
  createAcls: 30,
  deleteAcls: 31,
  describeConfigs: 32,
  alterConfigs: 33,
  describeLogDirs: 35,
  createPartitions: 37,
  deleteGroups: 42,
  electLeaders: 43,
  incrementalAlterConfigs: 44,
  alterPartitionReassignments: 45,
  listPartitionReassignments: 46,
  offsetDelete: 47,
  describeClientQuotas: 48,
  describeQuorum: 55,
  describeCluster: 60,
  describeProducers: 61,
  consumerGroupHeartbeat: 68,
  consumerGroupDescribe: 69,
  listConfigResources: 74,
  describeTopicPartitions: 75,
} as const

/** Request and response table of every API, by its key. */
export const apis = {
  0: { name: 'Produce', request: produceRequest, response: produceResponse },
  1: { name: 'Fetch', request: fetchRequest, response: fetchResponse },
  2: { name: 'ListOffsets', request: listOffsetsRequest, response: listOffsetsResponse },
  3: { name: 'Metadata', request: metadataRequest, response: metadataResponse },
  8: { name: 'OffsetCommit', request: offsetCommitRequest, response: offsetCommitResponse },
  9: { name: 'OffsetFetch', request: offsetFetchRequest, response: offsetFetchResponse },
  10: { name: 'FindCoordinator', request: findCoordinatorRequest, response: findCoordinatorResponse },
  11: { name: 'JoinGroup', request: joinGroupRequest, response: joinGroupResponse },
  12: { name: 'Heartbeat', request: heartbeatRequest, response: heartbeatResponse },
  13: { name: 'LeaveGroup', request: leaveGroupRequest, response: leaveGroupResponse },
  14: { name: 'SyncGroup', request: syncGroupRequest, response: syncGroupResponse },
  15: { name: 'DescribeGroups', request: describeGroupsRequest, response: describeGroupsResponse },
  16: { name: 'ListGroups', request: listGroupsRequest, response: listGroupsResponse },
  18: { name: 'ApiVersions', request: apiVersionsRequest, response: apiVersionsResponse },
  19: { name: 'CreateTopics', request: createTopicsRequest, response: createTopicsResponse },
  20: { name: 'DeleteTopics', request: deleteTopicsRequest, response: deleteTopicsResponse },
  21: { name: 'DeleteRecords', request: deleteRecordsRequest, response: deleteRecordsResponse },
  22: { name: 'InitProducerId', request: initProducerIdRequest, response: initProducerIdResponse },
  23: { name: 'OffsetForLeaderEpoch', request: offsetForLeaderEpochRequest, response: offsetForLeaderEpochResponse },
  29: { name: 'DescribeAcls', request: describeAclsRequest, response: describeAclsResponse },
  30: { name: 'CreateAcls', request: createAclsRequest, response: createAclsResponse },
  31: { name: 'DeleteAcls', request: deleteAclsRequest, response: deleteAclsResponse },
  32: { name: 'DescribeConfigs', request: describeConfigsRequest, response: describeConfigsResponse },
  33: { name: 'AlterConfigs', request: alterConfigsRequest, response: alterConfigsResponse },
  35: { name: 'DescribeLogDirs', request: describeLogDirsRequest, response: describeLogDirsResponse },
  37: { name: 'CreatePartitions', request: createPartitionsRequest, response: createPartitionsResponse },
  42: { name: 'DeleteGroups', request: deleteGroupsRequest, response: deleteGroupsResponse },
  43: { name: 'ElectLeaders', request: electLeadersRequest, response: electLeadersResponse },
  44: {
    name: 'IncrementalAlterConfigs',
    request: incrementalAlterConfigsRequest,
    response: incrementalAlterConfigsResponse,
  },
  45: {
    name: 'AlterPartitionReassignments',
    request: alterPartitionReassignmentsRequest,
    response: alterPartitionReassignmentsResponse,
  },
  46: {
    name: 'ListPartitionReassignments',
    request: listPartitionReassignmentsRequest,
    response: listPartitionReassignmentsResponse,
  },
  47: { name: 'OffsetDelete', request: offsetDeleteRequest, response: offsetDeleteResponse },
  48: { name: 'DescribeClientQuotas', request: describeClientQuotasRequest, response: describeClientQuotasResponse },
  55: { name: 'DescribeQuorum', request: describeQuorumRequest, response: describeQuorumResponse },
  60: { name: 'DescribeCluster', request: describeClusterRequest, response: describeClusterResponse },
  61: { name: 'DescribeProducers', request: describeProducersRequest, response: describeProducersResponse },
  68: {
    name: 'ConsumerGroupHeartbeat',
    request: consumerGroupHeartbeatRequest,
    response: consumerGroupHeartbeatResponse,
  },
  69: { name: 'ConsumerGroupDescribe', request: consumerGroupDescribeRequest, response: consumerGroupDescribeResponse },
  74: { name: 'ListConfigResources', request: listConfigResourcesRequest, response: listConfigResourcesResponse },
  75: {
    name: 'DescribeTopicPartitions',
    request: describeTopicPartitionsRequest,
    response: describeTopicPartitionsResponse,
  },
} as const

export type ApiKey = keyof typeof apis
export type RequestOf<K extends ApiKey> = Infer<(typeof apis)[K]['request']>
export type ResponseOf<K extends ApiKey> = Infer<(typeof apis)[K]['response']>
