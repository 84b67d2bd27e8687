import { type ApiKey, apiKey, type RequestOf } from '../protocol/apis.js'
import type { CoordinatorKind } from './coordinator-cache.js'
import type { LaneKind } from './tcp-broker.js'

/** Which broker a request belongs to. */
export type Route =
  /** Any of them. */
  | { readonly to: 'any' }
  | { readonly to: 'controller' }
  /** Each of them, their answers put together. */
  | { readonly to: 'all' }
  /** The leaders of the partitions it is about. */
  | { readonly to: 'leaders' }
  /** The coordinator of the group or transactional id it is about. */
  | { readonly to: 'coordinator'; readonly kind: CoordinatorKind; readonly key: string }
  /** The coordinators of the groups it is about. */
  | { readonly to: 'coordinators' }
  /** The broker whose configs it is about, else any. */
  | { readonly to: 'resources' }

const any: Route = { to: 'any' }
const controller: Route = { to: 'controller' }

/** Requests that change nothing, or the same thing when they are made twice: they are repeated after a loss. */
const repeatable: ReadonlySet<ApiKey> = new Set<ApiKey>([
  apiKey.listOffsets,
  apiKey.metadata,
  apiKey.offsetFetch,
  apiKey.findCoordinator,
  apiKey.heartbeat,
  apiKey.syncGroup,
  apiKey.describeGroups,
  apiKey.listGroups,
  apiKey.initProducerId,
  apiKey.offsetForLeaderEpoch,
  apiKey.describeAcls,
  apiKey.describeConfigs,
  apiKey.alterConfigs,
  apiKey.incrementalAlterConfigs,
  apiKey.describeLogDirs,
  apiKey.listPartitionReassignments,
  apiKey.describeClientQuotas,
  apiKey.describeQuorum,
  apiKey.describeCluster,
  apiKey.describeProducers,
  apiKey.listConfigResources,
  apiKey.describeTopicPartitions,
  apiKey.consumerGroupDescribe,
])

/** Requests that a broker may keep waiting, or whose answers are large. */
const parking: ReadonlySet<ApiKey> = new Set<ApiKey>([
  apiKey.fetch,
  apiKey.joinGroup,
  apiKey.syncGroup,
  apiKey.createTopics,
  apiKey.deleteTopics,
  apiKey.createPartitions,
  apiKey.deleteRecords,
  apiKey.electLeaders,
  apiKey.alterPartitionReassignments,
])

export function routeOf<K extends ApiKey>(key: K, request: RequestOf<K>): Route {
  switch (key as ApiKey) {
    case apiKey.listOffsets:
    case apiKey.deleteRecords:
    case apiKey.offsetForLeaderEpoch:
    case apiKey.describeProducers:
      return { to: 'leaders' }
    case apiKey.offsetCommit:
    case apiKey.joinGroup:
    case apiKey.heartbeat:
    case apiKey.leaveGroup:
    case apiKey.syncGroup:
    case apiKey.offsetDelete:
    case apiKey.consumerGroupHeartbeat:
      return { to: 'coordinator', kind: 'group', key: (request as { groupId?: string }).groupId ?? '' }
    case apiKey.offsetFetch:
    case apiKey.describeGroups:
    case apiKey.deleteGroups:
    case apiKey.consumerGroupDescribe:
      return { to: 'coordinators' }
    case apiKey.initProducerId: {
      const id = (request as RequestOf<typeof apiKey.initProducerId>).transactionalId
      return id === null ? any : { to: 'coordinator', kind: 'transaction', key: id }
    }
    case apiKey.listGroups:
      return { to: 'all' }
    case apiKey.describeConfigs:
    case apiKey.alterConfigs:
    case apiKey.incrementalAlterConfigs:
      return { to: 'resources' }
    case apiKey.createTopics:
    case apiKey.deleteTopics:
    case apiKey.createPartitions:
    case apiKey.electLeaders:
    case apiKey.alterPartitionReassignments:
    case apiKey.listPartitionReassignments:
    case apiKey.createAcls:
    case apiKey.deleteAcls:
      return controller
    default:
      return any
  }
}

export function laneOf(key: ApiKey): LaneKind {
  if (key === apiKey.produce) return 'produce'
  return parking.has(key) ? 'parking' : 'control'
}

export function isRepeatable(key: ApiKey): boolean {
  return repeatable.has(key)
}
