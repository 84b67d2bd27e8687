import { apiKey } from '../../protocol/apis.js'
import type { VersionRange } from '../../protocol/schema.js'
import { handlers } from './handlers.js'

/** One line of an ApiVersions answer. */
export interface OfferedApi {
  readonly apiKey: number
  readonly minVersion: number
  readonly maxVersion: number
}

/**
 * What ApiVersions answers. Produce is said to begin at version 0, though versions 0 to 2 are refused: librdkafka before
 * 2.12 turns compression off where version 0 is missing (KAFKA-18659).
 */
export function offeredApis(): readonly OfferedApi[] {
  return Object.values(handlers).map(({ key, versions: { from, to } }) => ({
    apiKey: key,
    minVersion: key === apiKey.produce ? 0 : from,
    maxVersion: to,
  }))
}

const answered = new Map<number, VersionRange>(Object.values(handlers).map(({ key, versions }) => [key, versions]))

/** Versions of an API that the broker answers; null for one that it does not have. */
export function answeredVersions(key: number): VersionRange | null {
  return answered.get(key) ?? null
}
