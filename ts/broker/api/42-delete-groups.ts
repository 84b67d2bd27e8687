import { apiKey } from '../../protocol/apis.js'
import type { DeleteGroupsResponse } from '../../protocol/messages/42-delete-groups.js'
import { answering } from './answering.js'
import { apiHandler } from './api-handler.js'

type Result = DeleteGroupsResponse['results'][number]

/** Versions 0-2. Groups without members only; their offsets go with them. */
export const deleteGroups = apiHandler(
  apiKey.deleteGroups,
  '0-2',
  async (broker, request): Promise<DeleteGroupsResponse> => {
    const results = [...new Set(request.groupsNames)].map((groupId) =>
      answering<Result>(
        async () => {
          await broker.groups.delete(groupId)
          return { groupId, errorCode: 0 }
        },
        (errorCode) => ({ groupId, errorCode }),
      ),
    )
    return { throttleTimeMs: 0, results: await Promise.all(results) }
  },
)
