import { apiKey } from '../../protocol/apis.js'
import type { AlterConfigsResponse } from '../../protocol/messages/33-alter-configs.js'
import { alterableConfigs } from './alterable-configs.js'
import { apiHandler } from './api-handler.js'
import { checkAlterations, eachResource } from './config-resource.js'

/**
 * Versions 0-2. What is set for a topic, a broker or all brokers becomes exactly what is given; IncrementalAlterConfigs
 * changes single configs.
 */
export const alterConfigs = apiHandler(
  apiKey.alterConfigs,
  '0-2',
  async (broker, { resources, validateOnly }, context): Promise<AlterConfigsResponse> => {
    const responses = await eachResource(resources, context, async (resource) => {
      const target = alterableConfigs(broker, resource)
      checkAlterations(resource.configs)
      const set: Record<string, string> = {}
      for (const { name, value } of resource.configs) {
        target.checkKey(name)
        set[name] = target.checked(name, value!)
      }
      target.checkTogether(set)
      if (!validateOnly) await target.update(() => set)
    })
    return { throttleTimeMs: 0, responses }
  },
)
