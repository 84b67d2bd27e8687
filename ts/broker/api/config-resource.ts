import { withCause } from '../../protocol/cause.js'
import { protocolError } from '../../protocol/errors.js'
import { configResourceType } from '../../protocol/messages/32-describe-configs.js'
import { zeroUuid } from '../../protocol/uuid.js'
import type { BrokerState } from '../broker-state.js'
import { asSeglogError, errorCodeOf } from '../error-codes.js'
import type { Topic } from '../topics.js'

/** Whose configs a request is about. */
export interface Resource {
  readonly resourceType: number
  readonly resourceName: string
}

interface ResourceAnswer extends Resource {
  errorCode: number
  errorMessage: string | null
}

/** The topic of an alteration. Brokers' configs are fixed when they are opened. */
export function alterableTopic(broker: BrokerState, { resourceType, resourceName }: Resource): Topic {
  if (resourceType === configResourceType.topic) return broker.topics.get(resourceName, zeroUuid)
  if (resourceType !== configResourceType.broker) throw unknownResource(resourceType)
  throw protocolError('INVALID_REQUEST', "a broker's configs are given when it is opened and cannot be altered later")
}

export function unknownResource(resourceType: number): Error {
  return protocolError(
    'INVALID_REQUEST',
    `resource type ${resourceType} has no configs here; topics (2) and brokers (4) have`,
  )
}

export function altered({ resourceType, resourceName }: Resource): ResourceAnswer {
  return { errorCode: 0, errorMessage: null, resourceType, resourceName }
}

export function resourceFailure(thrown: unknown, { resourceType, resourceName }: Resource): ResourceAnswer {
  const error = asSeglogError(thrown)
  return withCause({ errorCode: errorCodeOf(error), errorMessage: error.message, resourceType, resourceName }, error)
}
