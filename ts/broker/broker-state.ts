import type { LogDirectory } from '../log/log-directory.js'
import type { Clock, Logger } from '../log/logger.js'
import type { Crc32c } from '../records/message.js'
import type { OfferedApi } from './api/offered-apis.js'
import type { BrokerConfig } from './broker-config.js'
import type { DynamicConfigs } from './dynamic-configs.js'
import type { FetchSessions } from './fetch-sessions.js'
import type { GroupConfigs } from './group-configs.js'
import type { GroupCoordinator } from './groups/group-coordinator.js'
import type { ProducerIds } from './producer-ids.js'
import type { RequestContext } from './request-context.js'
import type { Topics } from './topics.js'
import type { WaitingFetches } from './waiting-fetches.js'

/** Where a broker can be reached, as its answers say it. */
export interface Endpoint {
  readonly host: string
  readonly port: number
}

/** What the API handlers work on. */
export interface BrokerState {
  readonly config: BrokerConfig
  readonly dynamicConfigs: DynamicConfigs
  readonly groupConfigs: GroupConfigs
  readonly topics: Topics
  readonly groups: GroupCoordinator
  readonly producerIds: ProducerIds
  readonly waitingFetches: WaitingFetches
  readonly fetchSessions: FetchSessions
  readonly logs: LogDirectory
  readonly clock: Clock
  readonly logger: Logger
  readonly crc32c: Crc32c
  readonly nodeId: number
  readonly clusterId: string
  /** The APIs and versions of ApiVersions' answer. */
  readonly offered: readonly OfferedApi[]
  /** Where the sender of this request finds this broker: depends on the listener, and may on the connection. */
  endpoint(context: RequestContext): Endpoint
}
