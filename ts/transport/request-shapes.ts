import { type ApiKey, apiKey } from '../protocol/apis.js'
import { fetchShape } from './fetch-shape.js'
import { findCoordinatorShape, leaveGroupShape, offsetCommitShape, offsetFetchShape } from './group-shapes.js'
import { produceShape } from './produce-shape.js'
import { plainShape, type RequestShape } from './request-shape.js'

/** From here on topics are deleted by name or id. */
const deleteByIdFrom = 6

const deleteTopicsShape: RequestShape<typeof apiKey.deleteTopics> = {
  ...plainShape,
  fold(request, version) {
    if (version >= deleteByIdFrom) return { ...request, topicNames: [] }
    return { ...request, topics: [], topicNames: request.topics.map(({ name }) => name ?? '') }
  },
}

const metadataShape: RequestShape<typeof apiKey.metadata> = {
  ...plainShape,
  // Version 0 has no null: an empty list asks for all.
  fold: (request, version) => (version === 0 && request.topics === null ? { ...request, topics: [] } : request),
}

const shapes: { [K in ApiKey]?: RequestShape<K> } = {
  [apiKey.produce]: produceShape,
  [apiKey.fetch]: fetchShape,
  [apiKey.metadata]: metadataShape,
  [apiKey.offsetCommit]: offsetCommitShape,
  [apiKey.offsetFetch]: offsetFetchShape,
  [apiKey.findCoordinator]: findCoordinatorShape,
  [apiKey.leaveGroup]: leaveGroupShape,
  [apiKey.deleteTopics]: deleteTopicsShape,
}

export function shapeOf<K extends ApiKey>(key: K): RequestShape<K> {
  return (shapes[key] as RequestShape<K> | undefined) ?? plainShape
}
