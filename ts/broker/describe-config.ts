import { configSource, configType, type DescribedConfig } from '../protocol/messages/32-describe-configs.js'
import { type BrokerConfig, baseKey, type ConfigLayer } from './broker-config.js'
import { brokerConfigs } from './broker-config-table.js'
import type { ConfigDef } from './config-def.js'
import { groupConfigs } from './group-config-table.js'
import type { GroupConfigs, GroupConfigValue } from './group-configs.js'
import type { ConfigValue, TopicConfig } from './topic-config.js'
import { topicConfigs } from './topic-config-table.js'

export interface DescribeOptions {
  /** Null or empty: all keys. */
  keys: readonly string[] | null
  synonyms: boolean
  documentation: boolean
}

const sourceOf: Readonly<Record<ConfigLayer | 'topic' | 'group', number>> = {
  topic: configSource.topic,
  group: configSource.group,
  dynamic: configSource.dynamicBroker,
  dynamicDefault: configSource.dynamicDefaultBroker,
  static: configSource.staticBroker,
  default: configSource.default,
}

/** Every config of a topic with its value in force and where that comes from. Keys that do not exist are left out. */
export function describeTopicConfig(config: TopicConfig, options: DescribeOptions): DescribedConfig[] {
  const keys = Object.keys(topicConfigs).filter((key) => key !== 'internal.segment.bytes' || key in config.overrides)
  return asked(keys, options).map((key) =>
    described(key, config.get(key), false, topicConfigs[key], config.values(key), options),
  )
}

/** Every config of this broker. */
export function describeBrokerConfig(config: BrokerConfig, options: DescribeOptions): DescribedConfig[] {
  const forListeners = Object.keys(config.layer('static')).filter((key) => baseKey(key) !== key)
  return asked([...Object.keys(brokerConfigs), ...forListeners], options).map((key) => {
    const def = brokerConfigs[baseKey(key)]
    const value = config.isSet(key) ? config.get(key) : def.default
    // The key's own value and those that would count without it. What stands before it was set at a stronger key: taken
    // for this one's, it makes one without a value look like a secret to kafka-configs before 4.0, which then refuses.
    const values = config.values(...sameMeaning(key))
    const own = values.findIndex((one) => one.key === key)
    return described(key, value, def.update === 'read-only', def, own < 0 ? [] : values.slice(own), options)
  })
}

/** What was set for all brokers of the cluster while they ran; keys that were not are left out. */
export function describeClusterConfig(config: BrokerConfig, options: DescribeOptions): DescribedConfig[] {
  const set = config.layer('dynamicDefault')
  return asked(Object.keys(set), options).map((key) => {
    const value: ConfigValue = { key, value: set[key], layer: 'dynamicDefault' }
    return described(key, set[key], false, brokerConfigs[baseKey(key)], [value], options)
  })
}

/** Every config of a group. */
export function describeGroupConfig(configs: GroupConfigs, group: string, options: DescribeOptions): DescribedConfig[] {
  const set = configs.get(group)
  return asked(Object.keys(groupConfigs), options).map((key) => {
    return described(key, configs.inForce(key, set), false, groupConfigs[key], configs.values(key, set), options)
  })
}

const sameMeanings: readonly (readonly string[])[] = [
  ['log.roll.ms', 'log.roll.hours'],
  ['log.roll.jitter.ms', 'log.roll.jitter.hours'],
  ['log.retention.ms', 'log.retention.minutes', 'log.retention.hours'],
]

/** The keys that set the same thing, the strongest first. */
function sameMeaning(key: string): readonly string[] {
  if (key === 'log.flush.interval.ms') return [key, 'log.flush.scheduler.interval.ms']
  const base = baseKey(key)
  return sameMeanings.find((keys) => keys.includes(key)) ?? (base === key ? [key] : [key, base])
}

function asked(known: readonly string[], { keys }: DescribeOptions): string[] {
  const wanted = keys === null || keys.length === 0 ? known : known.filter((key) => keys.includes(key))
  return [...wanted].sort()
}

function described(
  name: string,
  value: string | null,
  readOnly: boolean,
  def: ConfigDef,
  values: readonly (ConfigValue | GroupConfigValue)[],
  options: DescribeOptions,
): DescribedConfig {
  const secret = def.type === configType.password
  const doc = def.used ? def.doc : `${def.doc} (Kept for Kafka's tools; Seglog does not act on it.)`
  const synonyms = values.map(({ key, value, layer }) => ({
    name: key,
    value: secret ? null : value,
    source: sourceOf[layer],
  }))
  return {
    name,
    value: secret ? null : value,
    readOnly,
    configSource: synonyms[0]?.source ?? configSource.default,
    isSensitive: secret,
    synonyms: options.synonyms ? synonyms : [],
    configType: def.type,
    documentation: options.documentation ? doc : null,
  }
}
