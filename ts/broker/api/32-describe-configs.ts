import { apiKey } from '../../protocol/apis.js'
import { protocolError } from '../../protocol/errors.js'
import { configResourceType, type DescribeConfigsResponse } from '../../protocol/messages/32-describe-configs.js'
import { zeroUuid } from '../../protocol/uuid.js'
import type { BrokerState } from '../broker-state.js'
import { type DescribeOptions, describeBrokerConfig, describeTopicConfig } from '../describe-config.js'
import { apiHandler } from './api-handler.js'
import { type Resource, resourceFailure, unknownResource } from './config-resource.js'

/** Versions 1-4. Every key, with its value in force and where that comes from. */
export const describeConfigs = apiHandler(apiKey.describeConfigs, '1-4', (broker, request): DescribeConfigsResponse => {
  const results = request.resources.map((resource) => {
    const { resourceType, resourceName, configurationKeys: keys } = resource
    try {
      const options = { keys, synonyms: request.includeSynonyms, documentation: request.includeDocumentation }
      return {
        errorCode: 0,
        errorMessage: null,
        resourceType,
        resourceName,
        configs: configsOf(broker, resource, options),
      }
    } catch (error) {
      return Object.assign(resourceFailure(error, resource), { configs: [] })
    }
  })
  return { throttleTimeMs: 0, results }
})

function configsOf(broker: BrokerState, { resourceType, resourceName }: Resource, options: DescribeOptions) {
  if (resourceType === configResourceType.topic) {
    return describeTopicConfig(broker.topics.get(resourceName, zeroUuid).config, options)
  }
  if (resourceType !== configResourceType.broker) throw unknownResource(resourceType)
  if (resourceName !== '' && resourceName !== String(broker.nodeId)) {
    throw protocolError('INVALID_REQUEST', `this is broker ${broker.nodeId}, not ${JSON.stringify(resourceName)}`)
  }
  return describeBrokerConfig(broker.config, options)
}
