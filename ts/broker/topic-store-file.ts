import { SeglogError } from '../errors/seglog-error.js'
import { isUuid } from '../protocol/uuid.js'
import type { ConfigMap } from './broker-config.js'
import type { TopicRecord } from './metadata-store.js'

/** What `seglog.json` holds. */
export interface StoreState {
  readonly topics: Map<string, TopicRecord>
  /** By topic id. */
  readonly deleting: Map<string, TopicRecord>
  /** By node id; for all brokers under the empty name. */
  readonly brokerConfigs: Map<string, ConfigMap>
  /** By group id. */
  readonly groupConfigs: Map<string, ConfigMap>
  /** Every id below it may have been issued. */
  nextProducerId: number
}

const formatVersion = 1

export function emptyState(): StoreState {
  const none = { topics: new Map(), deleting: new Map(), brokerConfigs: new Map(), groupConfigs: new Map() }
  return { ...none, nextProducerId: 0 }
}

/**
 * `seglog.json`: `{ "version": 1, "nextProducerId": 1000, "topics": [{ "name", "id", "partitions", "configs" }],
 * "deleting": [...], "brokerConfigs": { "": {...}, "1": {...} }, "groupConfigs": {...} }`, one topic per line so that people and diffs can read
 * it.
 */
export function serializeState(state: StoreState): Buffer {
  const list = (topics: Iterable<TopicRecord>) => {
    const lines = Array.from(topics, (topic) => `    ${JSON.stringify(topic)}`)
    return lines.length === 0 ? '[]' : `[\n${lines.join(',\n')}\n  ]`
  }
  return Buffer.from(
    `{\n  "version": ${formatVersion},\n  "nextProducerId": ${state.nextProducerId},\n` +
      `  "topics": ${list(state.topics.values())},\n  "deleting": ${list(state.deleting.values())},\n` +
      `  "brokerConfigs": ${JSON.stringify(Object.fromEntries(state.brokerConfigs))},\n` +
      `  "groupConfigs": ${JSON.stringify(Object.fromEntries(state.groupConfigs))}\n}\n`,
  )
}

/** Throws CORRUPT_METADATA naming what is wrong; a newer format is refused rather than guessed at. */
export function parseState(bytes: Buffer, path: string): StoreState {
  const parsed = parseJson(bytes, path)
  if (!isObject(parsed)) throw corrupt(path, 'it is no JSON object')
  if (parsed.version !== formatVersion) {
    throw corrupt(path, `its version is ${JSON.stringify(parsed.version)}, this release reads ${formatVersion}`)
  }
  const next = parsed.nextProducerId
  if (typeof next !== 'number' || !Number.isSafeInteger(next) || next < 0)
    throw corrupt(path, 'nextProducerId is no count')
  const topics = parseTopics(parsed.topics, 'topics', path)
  const deleting = parseTopics(parsed.deleting, 'deleting', path)
  return {
    topics: new Map(topics.map((topic) => [topic.name, topic])),
    deleting: new Map(deleting.map((topic) => [topic.id, topic])),
    brokerConfigs: parseConfigs(parsed.brokerConfigs ?? {}, 'brokerConfigs', path),
    groupConfigs: parseConfigs(parsed.groupConfigs ?? {}, 'groupConfigs', path),
    nextProducerId: next,
  }
}

function parseJson(bytes: Buffer, path: string): unknown {
  try {
    return JSON.parse(bytes.toString())
  } catch (error) {
    throw corrupt(path, error instanceof Error ? error.message : String(error))
  }
}

function parseTopics(value: unknown, list: string, path: string): TopicRecord[] {
  if (!Array.isArray(value)) throw corrupt(path, `"${list}" is no list`)
  return value.map((entry: unknown, i) => {
    if (!isObject(entry)) throw corrupt(path, `entry ${i} of "${list}" is no object`)
    const { name, id, partitions, configs } = entry
    if (typeof name !== 'string' || name === '') throw corrupt(path, `entry ${i} of "${list}" has no name`)
    if (typeof id !== 'string' || !isUuid(id)) throw corrupt(path, `topic ${name} has no valid id`)
    if (typeof partitions !== 'number' || !Number.isSafeInteger(partitions) || partitions < 1) {
      throw corrupt(path, `topic ${name} has no valid partition count`)
    }
    if (!isConfigMap(configs)) throw corrupt(path, `topic ${name} has no valid configs`)
    return { name, id, partitions, configs }
  })
}

function parseConfigs(value: unknown, list: string, path: string): Map<string, ConfigMap> {
  if (!isObject(value)) throw corrupt(path, `"${list}" is no object`)
  return new Map(
    Object.entries(value).map(([owner, configs]) => {
      if (!isConfigMap(configs)) throw corrupt(path, `"${list}" of ${JSON.stringify(owner)} are not valid`)
      return [owner, configs]
    }),
  )
}

function isConfigMap(value: unknown): value is ConfigMap {
  return isObject(value) && Object.values(value).every((config) => typeof config === 'string')
}

function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}

function corrupt(path: string, why: string): SeglogError {
  const message = `${path} cannot be used: ${why}. Restore it from a copy, or move it away to have the partition folders adopted (their configs are then lost)`
  return new SeglogError('CORRUPT_METADATA', message, { path })
}
