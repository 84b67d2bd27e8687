import { zeroUuid } from '../protocol/uuid.js'

/** What is known of topics' ids. */
export interface TopicIds {
  /** The zero uuid where it is not known. */
  idOf(topic: string): string
}

/** The id a request gives, or else the known one; the zero uuid where there is neither. */
export function knownId(topic: { topicId: string }, name: string, ids: TopicIds): string {
  return topic.topicId === zeroUuid ? ids.idOf(name) : topic.topicId
}

/** True if each of these topics can be named by its id. */
export function allKnown<T extends { topicId: string }>(
  topics: readonly T[],
  nameOf: (topic: T) => string,
  ids: TopicIds,
): boolean {
  return topics.every((topic) => knownId(topic, nameOf(topic), ids) !== zeroUuid)
}
