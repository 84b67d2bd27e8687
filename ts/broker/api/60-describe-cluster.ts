import { apiKey } from '../../protocol/apis.js'
import { protocolErrors } from '../../protocol/errors.js'
import { operationsNotAsked } from '../../protocol/messages/03-metadata.js'
import type { DescribeClusterResponse } from '../../protocol/messages/60-describe-cluster.js'
import { apiHandler } from './api-handler.js'

const brokers = 1

/** Versions 0-2. One broker, which is its own controller. */
export const describeCluster = apiHandler(
  apiKey.describeCluster,
  '0-2',
  (broker, request, context): DescribeClusterResponse => {
    const { host, port } = broker.endpoint(context)
    const mismatch = request.endpointType !== brokers
    return {
      throttleTimeMs: 0,
      errorCode: mismatch ? protocolErrors.MISMATCHED_ENDPOINT_TYPE.code : 0,
      errorMessage: mismatch ? `endpoint type ${request.endpointType} was asked for, this is a broker` : null,
      endpointType: brokers,
      clusterId: broker.clusterId,
      controllerId: broker.nodeId,
      brokers: [{ brokerId: broker.nodeId, host, port, rack: null, isFenced: false }],
      clusterAuthorizedOperations: operationsNotAsked,
    }
  },
)
