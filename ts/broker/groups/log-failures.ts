import type { SeglogError } from '../../errors/seglog-error.js'
import { errorName, protocolError } from '../../protocol/errors.js'
import { errorCodeOf } from '../error-codes.js'

/**
 * What the client of a group is told when `__consumer_offsets` could not be written: names that clients answer by finding
 * the coordinator and trying again, except where that is in vain. The failure itself is the cause.
 */
export function memberErrorOf(error: SeglogError): SeglogError {
  switch (errorName(errorCodeOf(error))) {
    case 'UNKNOWN_TOPIC_OR_PARTITION':
    case 'UNKNOWN_TOPIC_ID':
    case 'NOT_ENOUGH_REPLICAS':
    case 'REQUEST_TIMED_OUT':
      return protocolError('COORDINATOR_NOT_AVAILABLE', error.message, { cause: error })
    case 'NOT_LEADER_OR_FOLLOWER':
    case 'KAFKA_STORAGE_ERROR':
      return protocolError('NOT_COORDINATOR', error.message, { cause: error })
    case 'MESSAGE_TOO_LARGE':
    case 'RECORD_LIST_TOO_LARGE':
      return protocolError('UNKNOWN_SERVER_ERROR', error.message, { cause: error })
    default:
      return error
  }
}

/** As `memberErrorOf`, for an offset commit. */
export function commitErrorOf(error: SeglogError): SeglogError {
  const name = errorName(errorCodeOf(error))
  if (name !== 'MESSAGE_TOO_LARGE' && name !== 'RECORD_LIST_TOO_LARGE') return memberErrorOf(error)
  return protocolError('INVALID_COMMIT_OFFSET_SIZE', error.message, { cause: error })
}
