import { apiKey } from '../../protocol/apis.js'
import { protocolErrors } from '../../protocol/errors.js'
import type { DescribeClusterResponse } from '../../protocol/messages/60-describe-cluster.js'
import { authorizedOperations } from '../authorized-operations.js'
import { thisNode } from '../this-node.js'
import { apiHandler } from './api-handler.js'

const brokers = 1
const controllers = 2

/** Versions 0-2. One broker, which is its own controller, but does not speak as one (MISMATCHED_ENDPOINT_TYPE). */
export const describeCluster = apiHandler(
  apiKey.describeCluster,
  '0-2',
  (broker, request, context): DescribeClusterResponse => {
    if (request.endpointType !== brokers) return failure(request.endpointType)
    return {
      throttleTimeMs: 0,
      errorCode: 0,
      errorMessage: null,
      endpointType: brokers,
      clusterId: broker.clusterId,
      controllerId: broker.nodeId,
      brokers: [{ brokerId: broker.nodeId, ...thisNode(broker, context), isFenced: false }],
      clusterAuthorizedOperations: authorizedOperations('cluster', request.includeClusterAuthorizedOperations),
    }
  },
)

function failure(endpointType: number): DescribeClusterResponse {
  const error = endpointType === controllers ? 'MISMATCHED_ENDPOINT_TYPE' : 'UNSUPPORTED_ENDPOINT_TYPE'
  return {
    throttleTimeMs: 0,
    errorCode: protocolErrors[error].code,
    errorMessage: `endpoint type ${endpointType} was asked for, this is a broker (${brokers})`,
    endpointType: brokers,
    clusterId: '',
    controllerId: -1,
    brokers: [],
    clusterAuthorizedOperations: authorizedOperations('cluster', false),
  }
}
