import { SeglogError } from '../errors/seglog-error.js'
import type { LogConfig } from '../log/log-config.js'
import type { Logger } from '../log/logger.js'
import type { BrokerConfig, ConfigLayer, ConfigMap } from './broker-config.js'
import { checkConfig, listItems, toNumber } from './config-def.js'
import { topicConfigs } from './topic-config-table.js'

export interface ConfigValue {
  /** The key that set it: the topic's own or one of the broker's. */
  readonly key: string
  /** As written at that key, in its unit. */
  readonly value: string
  readonly layer: ConfigLayer | 'topic'
}

/**
 * The configs of one topic: its own values over the broker's over Kafka's defaults. Immutable: an alteration of either
 * makes a new one.
 */
export class TopicConfig {
  /** The topic's own values, already checked. */
  readonly overrides: ConfigMap
  readonly log: LogConfig
  readonly #broker: BrokerConfig

  constructor(overrides: ConfigMap, broker: BrokerConfig) {
    this.overrides = overrides
    this.#broker = broker
    this.log = this.#logConfig()
  }

  /** Every value the key has, the one that counts first: topic, broker keys by layer, defaults. */
  values(key: string): ConfigValue[] {
    const found: ConfigValue[] = this.#broker.values(...topicConfigs[key].synonyms.map((synonym) => synonym.key))
    if (Object.hasOwn(this.overrides, key)) found.unshift({ key, value: this.overrides[key], layer: 'topic' })
    return found
  }

  /** What is in force, in the topic key's unit. */
  get(key: string): string {
    if (Object.hasOwn(this.overrides, key)) return this.overrides[key]
    const { synonyms, default: ownDefault } = topicConfigs[key]
    if (!synonyms.some((synonym) => this.#broker.isSet(synonym.key))) return ownDefault ?? ''
    const [strongest] = this.values(key)
    const factor = synonyms.find((synonym) => synonym.key === strongest.key)!.factor
    return factor === 1 || strongest.value === '-1' ? strongest.value : String(Number(strongest.value) * factor)
  }

  #logConfig(): LogConfig {
    const number = (key: string) => toNumber(this.get(key))
    const forTests = this.get('internal.segment.bytes')
    return {
      segmentBytes: forTests === '' ? number('segment.bytes') : toNumber(forTests),
      segmentMs: number('segment.ms'),
      segmentJitterMs: number('segment.jitter.ms'),
      indexBytes: number('segment.index.bytes'),
      indexIntervalBytes: number('index.interval.bytes'),
      maxMessageBytes: number('max.message.bytes'),
      messageTimestampType: this.get('message.timestamp.type') as LogConfig['messageTimestampType'],
      messageTimestampBeforeMaxMs: number('message.timestamp.before.max.ms'),
      messageTimestampAfterMaxMs: number('message.timestamp.after.max.ms'),
      retentionMs: number('retention.ms'),
      retentionBytes: number('retention.bytes'),
      cleanupPolicy: listItems(this.get('cleanup.policy')) as ('delete' | 'compact')[],
      flushMessages: number('flush.messages'),
      writeCaching: this.get('write.caching') === 'true',
      minInsyncReplicas: Number(this.get('min.insync.replicas')),
    }
  }
}

/**
 * Checks a topic's own configs. Throws UNKNOWN_CONFIG or INVALID_CONFIG. Keys that Kafka has and Seglog does not act on
 * are taken, and said once per process and logger.
 */
export function checkTopicConfigs(
  given: Iterable<readonly [key: string, value: string | null]>,
  topic: string,
  logger: Logger,
): Record<string, string> {
  const checked: Record<string, string> = {}
  for (const [key, value] of given) {
    checked[key] = checkConfig(topicConfigs, key, value, `topic ${topic}`)
    if (!topicConfigs[key].used) sayUnused('topic', key, logger)
  }
  return checked
}

/** Throws INVALID_CONFIG for values in force that contradict each other. */
export function checkTopicConfigsTogether(config: TopicConfig, topic: string): void {
  const [least, most] = ['min.compaction.lag.ms', 'max.compaction.lag.ms'].map((key) => toNumber(config.get(key)))
  if (least <= most) return
  const key = 'min.compaction.lag.ms'
  throw new SeglogError(
    'INVALID_CONFIG',
    `${key} of topic ${topic} is ${least}, above max.compaction.lag.ms, ${most}`,
    {
      key,
    },
  )
}

const said = new WeakMap<Logger, Set<string>>()

/** Says once per logger that a config is taken without effect. */
export function sayUnused(owner: 'topic' | 'broker', key: string, logger: Logger): void {
  const what = `${owner} config ${key}`
  const keys = said.get(logger) ?? new Set<string>()
  said.set(logger, keys)
  if (keys.has(what)) return
  keys.add(what)
  logger.warn({ key }, `${what} is kept, but Seglog does not act on it`)
}
