import { apiKey } from '../../protocol/apis.js'
import type { ListPartitionReassignmentsResponse } from '../../protocol/messages/46-list-partition-reassignments.js'
import { apiHandler } from './api-handler.js'

/** Version 0. Nothing is being moved: one broker has everything. */
export const listPartitionReassignments = apiHandler(
  apiKey.listPartitionReassignments,
  '0',
  (): ListPartitionReassignmentsResponse => ({ throttleTimeMs: 0, errorCode: 0, errorMessage: null, topics: [] }),
)
