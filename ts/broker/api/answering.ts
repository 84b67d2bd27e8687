import type { SeglogError } from '../../errors/seglog-error.js'
import { isPromise, type MaybePromise } from '../../log/maybe-promise.js'
import { withCause } from '../../protocol/cause.js'
import { asSeglogError, errorCodeOf } from '../error-codes.js'

/** What `act` answers; where it throws or rejects, what `failed` makes of the error, which is attached to it. */
export function answering<R extends object>(
  act: () => MaybePromise<R>,
  failed: (errorCode: number, error: SeglogError) => R,
): MaybePromise<R> {
  const failure = (thrown: unknown): R => {
    const error = asSeglogError(thrown)
    return withCause(failed(errorCodeOf(error), error), error)
  }
  try {
    const answer = act()
    return isPromise(answer) ? answer.catch(failure) : answer
  } catch (error) {
    return failure(error)
  }
}
