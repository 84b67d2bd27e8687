import { apiKey } from '../../protocol/apis.js'
import { protocolError } from '../../protocol/errors.js'
import { configType } from '../../protocol/messages/32-describe-configs.js'
import {
  configOperation,
  type IncrementalAlterConfigsRequest,
  type IncrementalAlterConfigsResponse,
} from '../../protocol/messages/44-incremental-alter-configs.js'
import type { BrokerState } from '../broker-state.js'
import { listItems, unknownConfig } from '../config-def.js'
import { checkTopicConfigs, TopicConfig } from '../topic-config.js'
import { topicConfigs } from '../topic-config-table.js'
import type { Topic } from '../topics.js'
import { apiHandler } from './api-handler.js'
import { alterableTopic, altered, resourceFailure } from './config-resource.js'

/** Versions 0-1. Sets, removes, or extends single configs; the others stay. All operations of a topic happen or none. */
export const incrementalAlterConfigs = apiHandler(
  apiKey.incrementalAlterConfigs,
  '0-1',
  async (broker, request): Promise<IncrementalAlterConfigsResponse> => {
    const responses = request.resources.map(async (resource) => {
      try {
        const topic = alterableTopic(broker, resource)
        applied(broker, topic, topic.record.configs, resource.configs)
        if (!request.validateOnly) {
          await broker.topics.update(topic, (record) => ({
            ...record,
            configs: applied(broker, topic, record.configs, resource.configs),
          }))
        }
        return altered(resource)
      } catch (error) {
        return resourceFailure(error, resource)
      }
    })
    return { throttleTimeMs: 0, responses: await Promise.all(responses) }
  },
)

type Operations = IncrementalAlterConfigsRequest['resources'][number]['configs']

function applied(
  broker: BrokerState,
  topic: Topic,
  configs: Readonly<Record<string, string>>,
  operations: Operations,
): Record<string, string> {
  const result: Record<string, string> = { ...configs }
  const seen = new Set<string>()
  for (const { name, configOperation: operation, value } of operations) {
    if (seen.has(name)) throw protocolError('INVALID_REQUEST', `config ${name} is altered twice`, { key: name })
    seen.add(name)
    if (!Object.hasOwn(topicConfigs, name)) throw unknownConfig(Object.keys(topicConfigs), name, `topic ${topic.name}`)
    if (operation === configOperation.delete) {
      delete result[name]
      continue
    }
    const text =
      operation === configOperation.set
        ? value
        : changedList(new TopicConfig(result, broker.config).get(name), name, operation, value)
    Object.assign(result, checkTopicConfigs([[name, text]], topic.name, broker.logger))
  }
  return result
}

/** A list config with items added or taken away. */
function changedList(current: string, key: string, operation: number, value: string | null): string {
  if (topicConfigs[key].type !== configType.list) {
    throw protocolError('INVALID_CONFIG', `${key} is no list, so nothing can be appended or subtracted; set it`, {
      key,
    })
  }
  const items = listItems(current)
  const given = listItems(value ?? '')
  if (operation === configOperation.append)
    return [...items, ...given.filter((item) => !items.includes(item))].join(',')
  if (operation === configOperation.subtract) return items.filter((item) => !given.includes(item)).join(',')
  throw protocolError('INVALID_REQUEST', `config operation ${operation} is not known`, { key })
}
