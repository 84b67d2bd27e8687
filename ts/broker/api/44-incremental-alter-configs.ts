import { apiKey } from '../../protocol/apis.js'
import { protocolError } from '../../protocol/errors.js'
import {
  configOperation,
  type IncrementalAlterConfigsRequest,
  type IncrementalAlterConfigsResponse,
} from '../../protocol/messages/44-incremental-alter-configs.js'
import type { ConfigMap } from '../broker-config.js'
import { listItems } from '../config-def.js'
import { type AlterableConfigs, alterableConfigs } from './alterable-configs.js'
import { apiHandler } from './api-handler.js'
import { checkAlterations, eachResource } from './config-resource.js'

type Operations = IncrementalAlterConfigsRequest['resources'][number]['configs']

/**
 * Versions 0-1. Sets, removes, or extends single configs of topics, groups, of this broker and of all brokers; the others stay.
 * All operations of a resource happen or none.
 */
export const incrementalAlterConfigs = apiHandler(
  apiKey.incrementalAlterConfigs,
  '0-1',
  async (broker, { resources, validateOnly }, context): Promise<IncrementalAlterConfigsResponse> => {
    const responses = await eachResource(resources, context, async (resource) => {
      const target = alterableConfigs(broker, resource)
      const operations = resource.configs
      checkAlterations(operations, true)
      applied(target, target.set, operations)
      if (!validateOnly) await target.update((set) => applied(target, set, operations))
    })
    return { throttleTimeMs: 0, responses }
  },
)

function applied(target: AlterableConfigs, set: ConfigMap, operations: Operations): ConfigMap {
  const result: Record<string, string> = { ...set }
  for (const { name, configOperation: operation, value } of operations) {
    target.checkKey(name)
    if (operation === configOperation.delete) {
      delete result[name]
      continue
    }
    checkAlterations([{ name, value }])
    const text = operation === configOperation.set ? value! : changedList(target, result, name, operation, value!)
    result[name] = target.checked(name, text)
  }
  target.checkTogether(result)
  return result
}

/** A list config with items added or taken away. */
function changedList(target: AlterableConfigs, set: ConfigMap, key: string, operation: number, value: string): string {
  if (operation !== configOperation.append && operation !== configOperation.subtract) {
    throw protocolError('INVALID_REQUEST', `config operation ${operation} is not known`, { key })
  }
  if (!target.isList(key)) {
    throw protocolError('INVALID_CONFIG', `${key} is no list, so nothing can be appended or subtracted; set it`, {
      key,
    })
  }
  const items = listItems(target.inForce(key, set))
  const given = listItems(value)
  return operation === configOperation.append
    ? [...items, ...given.filter((item) => !items.includes(item))].join(',')
    : items.filter((item) => !given.includes(item)).join(',')
}
