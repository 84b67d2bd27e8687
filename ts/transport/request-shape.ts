import type { ApiKey, RequestOf, ResponseOf } from '../protocol/apis.js'
import type { TopicIds } from './topic-ids.js'

/**
 * What the table of an API cannot say: requests whose older versions hold the same things in other fields, and those that
 * name topics by ids only. The client gives and takes the newest shape, with names.
 */
export interface RequestShape<K extends ApiKey> {
  /** The newest version that can carry this request. */
  newest(request: RequestOf<K>, ids: TopicIds): number
  /** The request as the version writes it. */
  fold(request: RequestOf<K>, version: number, ids: TopicIds): RequestOf<K>
  /** The answer to the `folded` request as the newest version would give it to `request`, in its order. */
  unfold(response: ResponseOf<K>, request: RequestOf<K>, version: number, folded: RequestOf<K>): ResponseOf<K>
}

export const anyVersion = 0x7fff

/** A request that needs nothing of the kind; others override what they must. */
export const plainShape = {
  newest: (): number => anyVersion,
  fold: <T>(request: T): T => request,
  unfold: <T>(response: T): T => response,
}
