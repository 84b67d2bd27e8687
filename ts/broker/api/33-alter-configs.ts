import { apiKey } from '../../protocol/apis.js'
import type { AlterConfigsResponse } from '../../protocol/messages/33-alter-configs.js'
import { checkTopicConfigs } from '../topic-config.js'
import { apiHandler } from './api-handler.js'
import { alterableTopic, altered, resourceFailure } from './config-resource.js'

/** Versions 0-2. A topic's own configs become exactly those given; IncrementalAlterConfigs changes single ones. */
export const alterConfigs = apiHandler(
  apiKey.alterConfigs,
  '0-2',
  async (broker, request): Promise<AlterConfigsResponse> => {
    const responses = request.resources.map(async (resource) => {
      try {
        const topic = alterableTopic(broker, resource)
        const given = resource.configs.map(({ name, value }) => [name, value] as const)
        const configs = checkTopicConfigs(given, topic.name, broker.logger)
        if (!request.validateOnly) await broker.topics.update(topic, (record) => ({ ...record, configs }))
        return altered(resource)
      } catch (error) {
        return resourceFailure(error, resource)
      }
    })
    return { throttleTimeMs: 0, responses: await Promise.all(responses) }
  },
)
