import { apiKey } from '../../protocol/apis.js'
import { type ProtocolErrorName, protocolErrors } from '../../protocol/errors.js'
import type {
  DescribeClientQuotasRequest,
  DescribeClientQuotasResponse,
} from '../../protocol/messages/48-describe-client-quotas.js'
import { apiHandler } from './api-handler.js'

const entityTypes = ['user', 'client-id', 'ip']

/** Versions 0-1. There are no quotas: a filter that makes sense finds none. */
export const describeClientQuotas = apiHandler(
  apiKey.describeClientQuotas,
  '0-1',
  (_, { components }): DescribeClientQuotasResponse => {
    const fault = faultOf(components)
    if (fault === null) return { throttleTimeMs: 0, errorCode: 0, errorMessage: null, entries: [] }
    const [name, errorMessage] = fault
    return { throttleTimeMs: 0, errorCode: protocolErrors[name].code, errorMessage, entries: null }
  },
)

function faultOf(components: DescribeClientQuotasRequest['components']): [ProtocolErrorName, string] | null {
  const seen = new Set<string>()
  for (const { entityType, matchType, match } of components) {
    if (entityType === '') return ['INVALID_REQUEST', 'a filter names no type of entity']
    if (!entityTypes.includes(entityType)) {
      return ['UNSUPPORTED_VERSION', `quotas are for ${entityTypes.join(', ')}; there is no entity type ${entityType}`]
    }
    if (seen.has(entityType)) return ['INVALID_REQUEST', `the filter names ${entityType} twice`]
    seen.add(entityType)
    if (matchType < 0 || matchType > 2) return ['INVALID_REQUEST', `match type ${matchType} is not known`]
    if ((matchType === 0) !== (match !== null)) {
      return [
        'INVALID_REQUEST',
        `match type ${matchType} of ${entityType} ${match === null ? 'needs a' : 'takes no'} name`,
      ]
    }
  }
  if (seen.has('ip') && seen.size > 1) return ['INVALID_REQUEST', 'quotas of addresses go with no other entity']
  return null
}
