import type { SeglogError } from '../../errors/seglog-error.js'
import { withCause } from '../../protocol/cause.js'
import { type ProtocolErrorName, protocolErrors } from '../../protocol/errors.js'
import type { JoinGroupResponse } from '../../protocol/messages/11-join-group.js'
import type { SyncGroupResponse } from '../../protocol/messages/14-sync-group.js'
import { errorCodeOf } from '../error-codes.js'
import { noAssignment } from './member.js'

/** What failed: by name, or as an error that the answer carries with it. */
export type Failure = ProtocolErrorName | SeglogError

/** A JoinGroup that failed; the member id is the one to come back with, empty for a new one. */
export function joinFailure(memberId: string, failure: Failure): JoinGroupResponse {
  return failed(failure, (errorCode) => ({
    throttleTimeMs: 0,
    errorCode,
    generationId: -1,
    protocolType: null,
    protocolName: null,
    leader: '',
    skipAssignment: false,
    memberId,
    members: [],
  }))
}

export function syncFailure(failure: Failure): SyncGroupResponse {
  return failed(failure, (errorCode) => ({
    throttleTimeMs: 0,
    errorCode,
    protocolType: null,
    protocolName: null,
    assignment: noAssignment,
  }))
}

/** `answer` with the failure's code, and the failure attached where there is more than its name. */
export function failed<T extends object>(failure: Failure, answer: (errorCode: number) => T): T {
  if (typeof failure === 'string') return answer(protocolErrors[failure].code)
  return withCause(answer(errorCodeOf(failure)), failure)
}
