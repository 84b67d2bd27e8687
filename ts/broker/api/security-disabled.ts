import { protocolErrors } from '../../protocol/errors.js'

/** What ACL requests are answered while nobody's permissions are checked. */
export const securityDisabled = {
  errorCode: protocolErrors.SECURITY_DISABLED.code,
  errorMessage: 'this broker has no authorizer: everybody may do everything',
} as const
