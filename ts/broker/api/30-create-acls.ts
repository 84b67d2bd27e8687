import { apiKey } from '../../protocol/apis.js'
import type { CreateAclsResponse } from '../../protocol/messages/30-create-acls.js'
import { apiHandler } from './api-handler.js'
import { securityDisabled } from './security-disabled.js'

/** Versions 1-3. There is no authorizer: SECURITY_DISABLED for each. */
export const createAcls = apiHandler(
  apiKey.createAcls,
  '1-3',
  (_, { creations }): CreateAclsResponse => ({ throttleTimeMs: 0, results: creations.map(() => securityDisabled) }),
)
