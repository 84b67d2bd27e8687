import { type ApiKey, apiKey, type RequestOf, type ResponseOf } from '../protocol/apis.js'
import { configResourceType } from '../protocol/messages/32-describe-configs.js'
import { groupedBy } from './grouping.js'

type DescribeConfigs = typeof apiKey.describeConfigs
type AlterConfigs = typeof apiKey.alterConfigs
type IncrementalAlterConfigs = typeof apiKey.incrementalAlterConfigs

export type ResourceKey = DescribeConfigs | AlterConfigs | IncrementalAlterConfigs

interface Resource {
  readonly resourceType: number
  readonly resourceName: string
}

interface ResourceRequest {
  readonly resources: readonly Resource[]
}

/** Answers of DescribeConfigs are `results`, of the others `responses`. */
interface ResourceResponse {
  readonly results?: readonly Resource[]
  readonly responses?: readonly Resource[]
}

export function isResourceKey(key: ApiKey): key is ResourceKey {
  return key === apiKey.describeConfigs || key === apiKey.alterConfigs || key === apiKey.incrementalAlterConfigs
}

/**
 * A request about configs, divided by who answers: a broker's own configs are for that broker (its id), everything else
 * for any of them (null).
 */
export function byAnswerer<K extends ResourceKey>(request: RequestOf<K>): Map<number | null, RequestOf<K>> {
  const whole = request as unknown as ResourceRequest
  const groups = groupedBy(whole.resources, brokerOf)
  if (groups.size === 0) return new Map([[null, request]])
  return new Map(
    Array.from(groups, ([nodeId, resources]) => [nodeId, { ...whole, resources } as unknown as RequestOf<K>]),
  )
}

/** The answers to the parts of a request as one, in its order. */
export function joinResources<K extends ResourceKey>(
  request: RequestOf<K>,
  answers: readonly ResponseOf<K>[],
): ResponseOf<K> {
  if (answers.length === 1) return answers[0]
  const { resources } = request as unknown as ResourceRequest
  const place = new Map(resources.map((resource, index) => [nameOf(resource), index]))
  const inOrder = (list: readonly Resource[]) =>
    [...list].sort((a, b) => (place.get(nameOf(a)) ?? 0) - (place.get(nameOf(b)) ?? 0))
  const parts = answers as unknown as readonly ResourceResponse[]
  const joined = parts.flatMap(({ results, responses }) => results ?? responses ?? [])
  const field = parts[0].results === undefined ? 'responses' : 'results'
  return { throttleTimeMs: 0, [field]: inOrder(joined) } as unknown as ResponseOf<K>
}

function brokerOf({ resourceType, resourceName }: Resource): number | null {
  const isOwn = resourceType === configResourceType.broker || resourceType === configResourceType.brokerLogger
  return isOwn && /^\d+$/.test(resourceName) ? Number(resourceName) : null
}

function nameOf({ resourceType, resourceName }: Resource): string {
  return `${resourceType} ${resourceName}`
}
