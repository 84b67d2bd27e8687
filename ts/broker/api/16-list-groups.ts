import { apiKey } from '../../protocol/apis.js'
import type { ListGroupsResponse } from '../../protocol/messages/16-list-groups.js'
import { answering } from './answering.js'
import { apiHandler } from './api-handler.js'

/**
 * Versions 0-5. Every partition of `__consumer_offsets` that has groups is loaded for it. States and types are compared
 * without regard to case.
 */
export const listGroups = apiHandler(apiKey.listGroups, '0-5', (broker, request) =>
  answering<ListGroupsResponse>(
    async () => {
      const states = new Set(request.statesFilter.map((state) => state.trim().toLowerCase()))
      const types: string[] = request.typesFilter.map((type) => type.trim().toLowerCase())
      const groups = await broker.groups.all()
      return {
        throttleTimeMs: 0,
        errorCode: 0,
        groups: groups
          .filter(({ state }) => states.size === 0 || states.has(state.toLowerCase()))
          .filter(({ type }) => types.length === 0 || types.includes(type))
          .map(({ id, type, protocolType, state }) => ({
            groupId: id,
            protocolType: protocolType ?? '',
            groupState: state,
            groupType: type,
          })),
      }
    },
    (errorCode) => ({ throttleTimeMs: 0, errorCode, groups: [] }),
  ),
)
