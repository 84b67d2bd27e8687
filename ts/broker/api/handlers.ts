import type { ApiKey } from '../../protocol/apis.js'
import { produce } from './00-produce.js'
import { fetch } from './01-fetch.js'
import { listOffsets } from './02-list-offsets.js'
import { metadata } from './03-metadata.js'
import { offsetCommit } from './08-offset-commit.js'
import { offsetFetch } from './09-offset-fetch.js'
import { findCoordinator } from './10-find-coordinator.js'
import { joinGroup } from './11-join-group.js'
import { heartbeat } from './12-heartbeat.js'
import { leaveGroup } from './13-leave-group.js'
import { syncGroup } from './14-sync-group.js'
import { describeGroups } from './15-describe-groups.js'
import { listGroups } from './16-list-groups.js'
import { apiVersions } from './18-api-versions.js'
import { createTopics } from './19-create-topics.js'
import { deleteTopics } from './20-delete-topics.js'
import { deleteRecords } from './21-delete-records.js'
import { initProducerId } from './22-init-producer-id.js'
import { offsetForLeaderEpoch } from './23-offset-for-leader-epoch.js'
import { describeAcls } from './29-describe-acls.js'
import { createAcls } from './30-create-acls.js'
import { deleteAcls } from './31-delete-acls.js'
import { describeConfigs } from './32-describe-configs.js'
import { alterConfigs } from './33-alter-configs.js'
import { describeLogDirs } from './35-describe-log-dirs.js'
import { createPartitions } from './37-create-partitions.js'
import { deleteGroups } from './42-delete-groups.js'
import { electLeaders } from './43-elect-leaders.js'
import { incrementalAlterConfigs } from './44-incremental-alter-configs.js'
import { alterPartitionReassignments } from './45-alter-partition-reassignments.js'
import { listPartitionReassignments } from './46-list-partition-reassignments.js'
import { offsetDelete } from './47-offset-delete.js'
import { describeClientQuotas } from './48-describe-client-quotas.js'
import { describeQuorum } from './55-describe-quorum.js'
import { describeCluster } from './60-describe-cluster.js'
import { describeProducers } from './61-describe-producers.js'
import { consumerGroupHeartbeat } from './68-consumer-group-heartbeat.js'
import { consumerGroupDescribe } from './69-consumer-group-describe.js'
import { listConfigResources } from './74-list-config-resources.js'
import { describeTopicPartitions } from './75-describe-topic-partitions.js'
import type { ApiHandler } from './api-handler.js'

/** Every API of the broker, by its key. */
export const handlers: { readonly [K in ApiKey]: ApiHandler<K> } = {
  0: produce,
  1: fetch,
  2: listOffsets,
  3: metadata,
  8: offsetCommit,
  9: offsetFetch,
  10: findCoordinator,
  11: joinGroup,
  12: heartbeat,
  13: leaveGroup,
  14: syncGroup,
  15: describeGroups,
  16: listGroups,
  18: apiVersions,
  19: createTopics,
  20: deleteTopics,
  21: deleteRecords,
  22: initProducerId,
  23: offsetForLeaderEpoch,
  29: describeAcls,
  30: createAcls,
  31: deleteAcls,
  32: describeConfigs,
  33: alterConfigs,
  35: describeLogDirs,
  37: createPartitions,
  42: deleteGroups,
  43: electLeaders,
  44: incrementalAlterConfigs,
  45: alterPartitionReassignments,
  46: listPartitionReassignments,
  47: offsetDelete,
  48: describeClientQuotas,
  55: describeQuorum,
  60: describeCluster,
  61: describeProducers,
  68: consumerGroupHeartbeat,
  69: consumerGroupDescribe,
  74: listConfigResources,
  75: describeTopicPartitions,
}
