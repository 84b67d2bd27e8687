import type { MaybePromise } from '../../log/maybe-promise.js'
import type { ApiKey, RequestOf, ResponseOf } from '../../protocol/apis.js'
import { type VersionRange, type VersionSpec, versionRange } from '../../protocol/schema.js'
import type { BrokerState } from '../broker-state.js'
import type { RequestContext } from '../request-context.js'

export type Handle<K extends ApiKey> = (
  broker: BrokerState,
  request: RequestOf<K>,
  context: RequestContext,
) => MaybePromise<ResponseOf<K>>

/** One API as this broker offers it. */
export interface ApiHandler<K extends ApiKey> {
  readonly key: K
  readonly versions: VersionRange
  readonly handle: Handle<K>
}

export function apiHandler<K extends ApiKey>(key: K, versions: VersionSpec, handle: Handle<K>): ApiHandler<K> {
  return { key, versions: versionRange(versions), handle }
}
