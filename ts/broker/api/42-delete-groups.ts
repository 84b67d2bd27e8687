import { apiKey } from '../../protocol/apis.js'
import type { DeleteGroupsResponse } from '../../protocol/messages/42-delete-groups.js'
import { answering } from './answering.js'
import { apiHandler } from './api-handler.js'
import { inTurns } from './in-turns.js'

type Result = DeleteGroupsResponse['results'][number]

/** Versions 0-2. Groups without members only; their offsets go with them. */
export const deleteGroups = apiHandler(
  apiKey.deleteGroups,
  '0-2',
  async (broker, request, context): Promise<DeleteGroupsResponse> => {
    const results = await inTurns([...new Set(request.groupsNames)], context.pace, (groupId) =>
      answering<Result>(
        async () => {
          await broker.groups.delete(groupId)
          return { groupId, errorCode: 0 }
        },
        (errorCode) => ({ groupId, errorCode }),
      ),
    )
    return { throttleTimeMs: 0, results }
  },
)
