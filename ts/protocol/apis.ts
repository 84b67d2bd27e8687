import { produceRequest, produceResponse } from './messages/00-produce.js'
import { fetchRequest, fetchResponse } from './messages/01-fetch.js'
import { listOffsetsRequest, listOffsetsResponse } from './messages/02-list-offsets.js'
import { metadataRequest, metadataResponse } from './messages/03-metadata.js'
import { createTopicsRequest, createTopicsResponse } from './messages/19-create-topics.js'
import { deleteTopicsRequest, deleteTopicsResponse } from './messages/20-delete-topics.js'
import { deleteRecordsRequest, deleteRecordsResponse } from './messages/21-delete-records.js'
import { initProducerIdRequest, initProducerIdResponse } from './messages/22-init-producer-id.js'
import { offsetForLeaderEpochRequest, offsetForLeaderEpochResponse } from './messages/23-offset-for-leader-epoch.js'
import { describeConfigsRequest, describeConfigsResponse } from './messages/32-describe-configs.js'
import { alterConfigsRequest, alterConfigsResponse } from './messages/33-alter-configs.js'
import { describeLogDirsRequest, describeLogDirsResponse } from './messages/35-describe-log-dirs.js'
import { createPartitionsRequest, createPartitionsResponse } from './messages/37-create-partitions.js'
import {
  incrementalAlterConfigsRequest,
  incrementalAlterConfigsResponse,
} from './messages/44-incremental-alter-configs.js'
import { describeClusterRequest, describeClusterResponse } from './messages/60-describe-cluster.js'
import type { Infer } from './schema.js'

/** Kafka's API keys, by name. */
export const apiKey = {
  produce: 0,
  fetch: 1,
  listOffsets: 2,
  metadata: 3,
  createTopics: 19,
  deleteTopics: 20,
  deleteRecords: 21,
  initProducerId: 22,
  offsetForLeaderEpoch: 23,
  describeConfigs: 32,
  alterConfigs: 33,
  describeLogDirs: 35,
  createPartitions: 37,
  incrementalAlterConfigs: 44,
  describeCluster: 60,
} as const

/** Request and response table of every API, by its key. */
export const apis = {
  0: { name: 'Produce', request: produceRequest, response: produceResponse },
  1: { name: 'Fetch', request: fetchRequest, response: fetchResponse },
  2: { name: 'ListOffsets', request: listOffsetsRequest, response: listOffsetsResponse },
  3: { name: 'Metadata', request: metadataRequest, response: metadataResponse },
  19: { name: 'CreateTopics', request: createTopicsRequest, response: createTopicsResponse },
  20: { name: 'DeleteTopics', request: deleteTopicsRequest, response: deleteTopicsResponse },
  21: { name: 'DeleteRecords', request: deleteRecordsRequest, response: deleteRecordsResponse },
  22: { name: 'InitProducerId', request: initProducerIdRequest, response: initProducerIdResponse },
  23: { name: 'OffsetForLeaderEpoch', request: offsetForLeaderEpochRequest, response: offsetForLeaderEpochResponse },
  32: { name: 'DescribeConfigs', request: describeConfigsRequest, response: describeConfigsResponse },
  33: { name: 'AlterConfigs', request: alterConfigsRequest, response: alterConfigsResponse },
  35: { name: 'DescribeLogDirs', request: describeLogDirsRequest, response: describeLogDirsResponse },
  37: { name: 'CreatePartitions', request: createPartitionsRequest, response: createPartitionsResponse },
  44: {
    name: 'IncrementalAlterConfigs',
    request: incrementalAlterConfigsRequest,
    response: incrementalAlterConfigsResponse,
  },
  60: { name: 'DescribeCluster', request: describeClusterRequest, response: describeClusterResponse },
} as const

export type ApiKey = keyof typeof apis
export type RequestOf<K extends ApiKey> = Infer<(typeof apis)[K]['request']>
export type ResponseOf<K extends ApiKey> = Infer<(typeof apis)[K]['response']>
