import { protocolErrors } from '../protocol/errors.js'

const codes = (...names: (keyof typeof protocolErrors)[]): ReadonlySet<number> =>
  new Set(names.map((name) => protocolErrors[name].code))

/** The partition is led elsewhere, or the broker does not know of it yet: what is known of its topic is in doubt. */
export const leaderErrors = codes(
  'UNKNOWN_TOPIC_OR_PARTITION',
  'LEADER_NOT_AVAILABLE',
  'NOT_LEADER_OR_FOLLOWER',
  'REPLICA_NOT_AVAILABLE',
  'KAFKA_STORAGE_ERROR',
  'FENCED_LEADER_EPOCH',
  'UNKNOWN_LEADER_EPOCH',
  'OFFSET_NOT_AVAILABLE',
  'UNKNOWN_TOPIC_ID',
  'INCONSISTENT_TOPIC_ID',
)

/** There may be no such topic at all: not worth waiting for as long as for a leader. */
export const unknownTopicErrors = codes('UNKNOWN_TOPIC_OR_PARTITION', 'UNKNOWN_TOPIC_ID', 'INCONSISTENT_TOPIC_ID')

/** Another broker coordinates now. */
export const coordinatorMoved = codes('NOT_COORDINATOR', 'COORDINATOR_NOT_AVAILABLE')

/** The coordinator is right, and not ready. */
export const coordinatorLoading = codes('COORDINATOR_LOAD_IN_PROGRESS')

export const controllerMoved = codes('NOT_CONTROLLER')

/** True if any part of an answer has one of these error codes. */
export function hasError(answer: unknown, wanted: ReadonlySet<number>): boolean {
  if (typeof answer !== 'object' || answer === null || answer instanceof Uint8Array) return false
  if (Array.isArray(answer)) return answer.some((part) => hasError(part, wanted))
  const { errorCode } = answer as { errorCode?: number }
  if (errorCode !== undefined && wanted.has(errorCode)) return true
  return Object.values(answer).some((value) => hasError(value, wanted))
}
