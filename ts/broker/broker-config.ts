import { SeglogError } from '../errors/seglog-error.js'
import { booleanConfig, type ConfigDef, type ConfigTable, checkConfig, intConfig, longConfig } from './config-def.js'
import { topicConfigs } from './topic-config-table.js'

const own: ConfigTable = {
  'auto.create.topics.enable': booleanConfig(
    true,
    'Create a topic when a client that may have it created asks for it by name.',
    { used: true },
  ),
  'default.replication.factor': intConfig(1, 1, 'Replicas of topics created without a number of their own.', {
    used: true,
  }),
  'delete.topic.enable': booleanConfig(true, 'Allow topics to be deleted.', { used: true }),
  'fetch.max.bytes': intConfig(
    57_671_680,
    1024,
    'Largest answer to one fetch, in bytes; a first batch above it is given whole.',
    { used: true },
  ),
  'node.id': intConfig(1, 0, 'Number of this broker in the cluster; a data directory keeps the one it was made with.', {
    used: true,
  }),
  'num.partitions': intConfig(1, 1, 'Partitions of topics created without a number of their own.', {
    used: true,
    max: 100_000,
  }),
}

const withSynonyms: Record<string, ConfigDef> = { ...own }
for (const def of Object.values(topicConfigs)) {
  for (const { key, factor } of def.synonyms) {
    // Keys in hours and minutes hold smaller numbers of the same kind; -1 stays "without limit".
    withSynonyms[key] =
      factor === 1 ? def : { ...longConfig(BigInt(def.default) / BigInt(factor), -1, def.doc), used: def.used }
  }
}

/** Every broker config taken: those of the broker itself and those that set defaults of topics. */
export const brokerConfigs: ConfigTable = withSynonyms

/** The broker's configs, fixed when it is opened. */
export class BrokerConfig {
  readonly #given: ReadonlyMap<string, string>

  /** Throws UNKNOWN_CONFIG naming the nearest known key, or INVALID_CONFIG. */
  constructor(given: Readonly<Record<string, string | number | boolean>> = {}) {
    const checked = new Map<string, string>()
    for (const [key, value] of Object.entries(given)) {
      if (value === undefined) throw new SeglogError('INVALID_CONFIG', `${key} of the broker has no value`, { key })
      checked.set(key, checkConfig(brokerConfigs, key, String(value), 'the broker'))
    }
    this.#given = checked
  }

  /** What was set for the key, undefined if nothing was. */
  given(key: string): string | undefined {
    return this.#given.get(key)
  }

  get(key: string): string {
    return this.#given.get(key) ?? brokerConfigs[key].default
  }

  number(key: string): number {
    return Number(this.get(key))
  }

  flag(key: string): boolean {
    return this.get(key) === 'true'
  }
}
