import { apiKey } from '../../protocol/apis.js'
import { protocolErrors } from '../../protocol/errors.js'
import type { ApiVersionsResponse } from '../../protocol/messages/18-api-versions.js'
import { apiHandler } from './api-handler.js'

const softwareNameSince = 3
/** Before, a range of levels that begins at 0, which is to be without the feature, could not be told. */
const featuresFromZeroSince = 4
const groupVersion = { name: 'group.version' }
/** What Kafka takes for the name and the version of a client's software. */
const softwareName = /^[a-zA-Z0-9](?:[a-zA-Z0-9\-.]*[a-zA-Z0-9])?$/

/**
 * Versions 0-4. What this broker offers, by its registered handlers. A request of a later version is answered by the
 * server, which knows the connection. Of Kafka's features there is `group.version` 1: groups of the consumer protocol.
 */
export const apiVersions = apiHandler(apiKey.apiVersions, '0-4', (broker, request, context): ApiVersionsResponse => {
  const { clientSoftwareName: name, clientSoftwareVersion: version } = request
  if (context.apiVersion >= softwareNameSince && !(softwareName.test(name) && softwareName.test(version))) {
    return answer({ errorCode: protocolErrors.INVALID_REQUEST.code })
  }
  return answer({
    apiKeys: broker.offered,
    supportedFeatures: [
      { ...groupVersion, minVersion: context.apiVersion >= featuresFromZeroSince ? 0 : 1, maxVersion: 1 },
    ],
    finalizedFeaturesEpoch: 1n,
    finalizedFeatures: [{ ...groupVersion, maxVersionLevel: 1, minVersionLevel: 1 }],
  })
})

function answer(fields: Partial<ApiVersionsResponse>): ApiVersionsResponse {
  return {
    errorCode: 0,
    apiKeys: [],
    throttleTimeMs: 0,
    supportedFeatures: [],
    finalizedFeaturesEpoch: -1n,
    finalizedFeatures: [],
    zkMigrationReady: false,
    ...fields,
  }
}
