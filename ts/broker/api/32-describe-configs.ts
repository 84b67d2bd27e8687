import { isPromise } from '../../log/maybe-promise.js'
import { apiKey } from '../../protocol/apis.js'
import { protocolError } from '../../protocol/errors.js'
import {
  configResourceType,
  type DescribeConfigsRequest,
  type DescribeConfigsResponse,
  type DescribedConfig,
} from '../../protocol/messages/32-describe-configs.js'
import { zeroUuid } from '../../protocol/uuid.js'
import type { BrokerState } from '../broker-state.js'
import {
  type DescribeOptions,
  describeBrokerConfig,
  describeClusterConfig,
  describeGroupConfig,
  describeTopicConfig,
} from '../describe-config.js'
import { checkTopicName } from '../topic-names.js'
import { apiHandler } from './api-handler.js'
import { checkThisBroker, type Resource, resourceFailure, unknownResource } from './config-resource.js'
import { distinct } from './distinct.js'
import { inTurns } from './in-turns.js'

/**
 * Versions 1-4. Of a topic, of a group and of this broker every key, with its value in force and where that comes from; of
 * all brokers (the empty name) what was set for them while they ran. A group need not exist. A resource that is named again
 * is answered once.
 *
 * Not done: loggers and client metrics have no configs here; asked for theirs, the answer is empty.
 */
export const describeConfigs = apiHandler(apiKey.describeConfigs, '1-4', (broker, request, context) => {
  const respond = (results: DescribeConfigsResponse['results']) => ({ throttleTimeMs: 0, results })
  const results = inTurns(merged(request.resources), context.pace, (resource) => {
    const { resourceType, resourceName, configurationKeys: keys } = resource
    try {
      const options = { keys, synonyms: request.includeSynonyms, documentation: request.includeDocumentation }
      const configs = configsOf(broker, resource, options)
      return { errorCode: 0, errorMessage: null, resourceType, resourceName, configs }
    } catch (error) {
      return Object.assign(resourceFailure(error, resource), { configs: [] })
    }
  })
  return isPromise(results) ? results.then(respond) : respond(results)
})

/** Each resource once, with all the keys that it was asked for. */
function merged(resources: DescribeConfigsRequest['resources']): DescribeConfigsRequest['resources'] {
  const keyOf = ({ resourceType, resourceName }: Resource) => `${resourceType} ${resourceName}`
  const once = distinct(resources, keyOf)
  if (once.length === resources.length) return resources
  const keys = new Map<string, Set<string> | null>()
  for (const resource of resources) {
    const key = keyOf(resource)
    const { configurationKeys: asked } = resource
    const before = keys.get(key)
    if (before === null || asked === null || asked.length === 0) keys.set(key, null)
    else if (before === undefined) keys.set(key, new Set(asked))
    else for (const one of asked) before.add(one)
  }
  return once.map((resource) => ({ ...resource, configurationKeys: [...(keys.get(keyOf(resource)) ?? [])] }))
}

function configsOf(broker: BrokerState, { resourceType, resourceName: name }: Resource, options: DescribeOptions) {
  switch (resourceType) {
    case configResourceType.topic:
      checkTopicName(name)
      return describeTopicConfig(broker.topics.get(name, zeroUuid).config, options)
    case configResourceType.broker:
      if (name === '') return describeClusterConfig(broker.config, options)
      checkThisBroker(broker, name)
      return describeBrokerConfig(broker.config, options)
    case configResourceType.brokerLogger:
      checkThisBroker(broker, name)
      return none
    case configResourceType.clientMetrics:
      checkNamed(name)
      return none
    case configResourceType.group:
      checkNamed(name)
      return describeGroupConfig(broker.groupConfigs, name, options)
    default:
      throw unknownResource(resourceType)
  }
}

function checkNamed(name: string): void {
  if (name === '') throw protocolError('INVALID_REQUEST', 'the resource has no name')
}

const none: DescribedConfig[] = []
