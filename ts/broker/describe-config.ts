import { configSource, type DescribedConfig } from '../protocol/messages/32-describe-configs.js'
import { type BrokerConfig, brokerConfigs } from './broker-config.js'
import type { ConfigDef } from './config-def.js'
import type { ConfigOrigin, TopicConfig } from './topic-config.js'
import { topicConfigs } from './topic-config-table.js'

export interface DescribeOptions {
  /** Null: all keys. */
  keys: readonly string[] | null
  synonyms: boolean
  documentation: boolean
}

const sourceOf: Readonly<Record<ConfigOrigin, number>> = {
  topic: configSource.topic,
  broker: configSource.staticBroker,
  default: configSource.default,
}

/** Every config of a topic with its value in force and where that comes from. Keys that do not exist are left out. */
export function describeTopicConfig(config: TopicConfig, options: DescribeOptions): DescribedConfig[] {
  return keysOf(topicConfigs, options.keys)
    .filter((key) => key !== 'internal.segment.bytes' || Object.hasOwn(config.overrides, key))
    .map((key) => {
      const values = config.values(key)
      const synonyms = values.map(({ key: name, value, origin }) => ({ name, value, source: sourceOf[origin] }))
      return described(key, values[0].value, sourceOf[values[0].origin], false, topicConfigs[key], synonyms, options)
    })
}

/** Every config of the broker; they are fixed while it is open. */
export function describeBrokerConfig(config: BrokerConfig, options: DescribeOptions): DescribedConfig[] {
  return keysOf(brokerConfigs, options.keys).map((key) => {
    const def = brokerConfigs[key]
    const given = config.given(key)
    const synonyms = [{ name: key, value: def.default, source: configSource.default as number }]
    if (given !== undefined) synonyms.unshift({ name: key, value: given, source: configSource.staticBroker })
    return described(key, synonyms[0].value, synonyms[0].source, true, def, synonyms, options)
  })
}

function keysOf(table: Readonly<Record<string, ConfigDef>>, asked: readonly string[] | null): string[] {
  return asked === null ? Object.keys(table).sort() : asked.filter((key) => Object.hasOwn(table, key))
}

function described(
  name: string,
  value: string,
  source: number,
  readOnly: boolean,
  def: ConfigDef,
  synonyms: DescribedConfig['synonyms'],
  options: DescribeOptions,
): DescribedConfig {
  const doc = def.used ? def.doc : `${def.doc} (Kept for Kafka's tools; Seglog does not act on it yet.)`
  return {
    name,
    value,
    readOnly,
    configSource: source,
    isSensitive: false,
    synonyms: options.synonyms ? synonyms : [],
    configType: def.type,
    documentation: options.documentation ? doc : null,
  }
}
