import { apiKey } from '../../protocol/apis.js'
import type { DescribeAclsResponse } from '../../protocol/messages/29-describe-acls.js'
import { apiHandler } from './api-handler.js'
import { securityDisabled } from './security-disabled.js'

/** Versions 1-3. There is no authorizer: SECURITY_DISABLED. */
export const describeAcls = apiHandler(
  apiKey.describeAcls,
  '1-3',
  (): DescribeAclsResponse => ({ throttleTimeMs: 0, ...securityDisabled, resources: [] }),
)
