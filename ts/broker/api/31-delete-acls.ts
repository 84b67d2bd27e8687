import { apiKey } from '../../protocol/apis.js'
import type { DeleteAclsResponse } from '../../protocol/messages/31-delete-acls.js'
import { apiHandler } from './api-handler.js'
import { securityDisabled } from './security-disabled.js'

/** Versions 1-3. There is no authorizer: SECURITY_DISABLED for each filter. */
export const deleteAcls = apiHandler(
  apiKey.deleteAcls,
  '1-3',
  (_, { filters }): DeleteAclsResponse => ({
    throttleTimeMs: 0,
    filterResults: filters.map(() => ({ ...securityDisabled, matchingAcls: [] })),
  }),
)
