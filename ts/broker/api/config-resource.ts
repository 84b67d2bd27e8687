import { withCause } from '../../protocol/cause.js'
import { protocolError } from '../../protocol/errors.js'
import type { BrokerState } from '../broker-state.js'
import { asSeglogError, errorCodeOf } from '../error-codes.js'
import type { RequestContext } from '../request-context.js'
import { inTurns } from './in-turns.js'

/** Whose configs a request is about. */
export interface Resource {
  readonly resourceType: number
  readonly resourceName: string
}

interface ResourceAnswer extends Resource {
  errorCode: number
  errorMessage: string | null
}

/** Throws INVALID_REQUEST unless the name of a broker resource is this broker's. */
export function checkThisBroker(broker: BrokerState, name: string): void {
  if (name === String(broker.nodeId)) return
  throw protocolError('INVALID_REQUEST', `this is broker ${broker.nodeId}, not ${JSON.stringify(name)}`)
}

export function unknownResource(resourceType: number): Error {
  return protocolError('INVALID_REQUEST', `resource type ${resourceType} is not known`)
}

/** What `alter` does to each resource of a request, as answers. A resource that is named twice is INVALID_REQUEST. */
export async function eachResource<R extends Resource>(
  resources: readonly R[],
  { pace }: RequestContext,
  alter: (resource: R) => Promise<void>,
): Promise<ResourceAnswer[]> {
  const nameOf = ({ resourceType, resourceName }: Resource) => `${resourceType} ${resourceName}`
  const seen = new Map<string, number>()
  for (const resource of resources) seen.set(nameOf(resource), (seen.get(nameOf(resource)) ?? 0) + 1)
  const one = async (resource: R): Promise<ResourceAnswer> => {
    const { resourceType, resourceName } = resource
    try {
      if (seen.get(nameOf(resource))! > 1) {
        throw protocolError('INVALID_REQUEST', `the request names ${JSON.stringify(resourceName)} more than once`)
      }
      await alter(resource)
      return { errorCode: 0, errorMessage: null, resourceType, resourceName }
    } catch (error) {
      return resourceFailure(error, resource)
    }
  }
  return inTurns(resources, pace, one)
}

/** Throws INVALID_REQUEST for a key that comes twice, or a value that is missing. */
export function checkAlterations(configs: readonly { name: string; value: string | null }[], mayBeNull = false): void {
  const seen = new Set<string>()
  for (const { name: key, value } of configs) {
    if (seen.has(key)) throw protocolError('INVALID_REQUEST', `config ${key} is altered twice`, { key })
    seen.add(key)
    if (value === null && !mayBeNull) throw protocolError('INVALID_REQUEST', `config ${key} has no value`, { key })
  }
}

export function resourceFailure(thrown: unknown, { resourceType, resourceName }: Resource): ResourceAnswer {
  const error = asSeglogError(thrown)
  return withCause({ errorCode: errorCodeOf(error), errorMessage: error.message, resourceType, resourceName }, error)
}
