import { apiKey } from '../../protocol/apis.js'
import type { ListGroupsResponse } from '../../protocol/messages/16-list-groups.js'
import { answering } from './answering.js'
import { apiHandler } from './api-handler.js'

/** The only type of group there is. */
const classic = 'classic'

/**
 * Versions 0-5. Every partition of `__consumer_offsets` that has groups is loaded for it. States and types are compared
 * without regard to case.
 */
export const listGroups = apiHandler(apiKey.listGroups, '0-5', (broker, request) =>
  answering<ListGroupsResponse>(
    async () => {
      const states = new Set(request.statesFilter.map((state) => state.trim().toLowerCase()))
      const types = request.typesFilter.map((type) => type.trim().toLowerCase())
      const groups = types.length > 0 && !types.includes(classic) ? [] : await broker.groups.all()
      return {
        throttleTimeMs: 0,
        errorCode: 0,
        groups: groups
          .filter(({ state }) => states.size === 0 || states.has(state.toLowerCase()))
          .map(({ id, protocolType, state }) => ({
            groupId: id,
            protocolType: protocolType ?? '',
            groupState: state,
            groupType: classic,
          })),
      }
    },
    (errorCode) => ({ throttleTimeMs: 0, errorCode, groups: [] }),
  ),
)
