import { apiKey } from '../../protocol/apis.js'
import { protocolErrors } from '../../protocol/errors.js'
import type { ApiVersionsResponse } from '../../protocol/messages/18-api-versions.js'
import { apiHandler } from './api-handler.js'

const softwareNameSince = 3
/** What Kafka takes for the name and the version of a client's software. */
const softwareName = /^[a-zA-Z0-9](?:[a-zA-Z0-9\-.]*[a-zA-Z0-9])?$/

/**
 * Versions 0-4. What this broker offers, by its registered handlers. A request of a later version is answered by the
 * server, which knows the connection. Features: none so far, so the epoch of the finalized ones is -1, "unknown".
 */
export const apiVersions = apiHandler(apiKey.apiVersions, '0-4', (broker, request, context): ApiVersionsResponse => {
  const { clientSoftwareName: name, clientSoftwareVersion: version } = request
  if (context.apiVersion >= softwareNameSince && !(softwareName.test(name) && softwareName.test(version))) {
    return answer({ errorCode: protocolErrors.INVALID_REQUEST.code })
  }
  return answer({ apiKeys: broker.offered })
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
