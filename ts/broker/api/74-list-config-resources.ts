import { apiKey } from '../../protocol/apis.js'
import { protocolErrors } from '../../protocol/errors.js'
import { configResourceType } from '../../protocol/messages/32-describe-configs.js'
import type { ListConfigResourcesResponse } from '../../protocol/messages/74-list-config-resources.js'
import type { BrokerState } from '../broker-state.js'
import { apiHandler } from './api-handler.js'

const kindsSince = 1

/** Versions 0-1. 0 lists client metrics, of which there are none; 1 every kind that was asked for. */
export const listConfigResources = apiHandler(
  apiKey.listConfigResources,
  '0-1',
  (broker, { resourceTypes }, context): ListConfigResourcesResponse => {
    if (context.apiVersion < kindsSince) return { throttleTimeMs: 0, errorCode: 0, configResources: [] }
    const asked = resourceTypes.length === 0 ? [...kinds.keys()] : [...new Set(resourceTypes)]
    const errorCode = asked.every((type) => kinds.has(type)) ? 0 : protocolErrors.UNSUPPORTED_VERSION.code
    const configResources =
      errorCode !== 0
        ? []
        : asked.flatMap((resourceType) =>
            kinds.get(resourceType)!(broker).map((resourceName) => ({ resourceName, resourceType })),
          )
    return { throttleTimeMs: 0, errorCode, configResources }
  },
)

/** Names of the resources that have configs, by their type. */
const kinds = new Map<number, (broker: BrokerState) => string[]>([
  [configResourceType.topic, (broker) => Array.from(broker.topics.all, ({ name }) => name)],
  [configResourceType.broker, (broker) => [String(broker.nodeId)]],
  [configResourceType.brokerLogger, (broker) => [String(broker.nodeId)]],
  [configResourceType.clientMetrics, () => []],
  [configResourceType.group, (broker) => broker.groupConfigs.names],
])
