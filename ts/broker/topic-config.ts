import type { LogConfig } from '../log/log-config.js'
import type { Logger } from '../log/logger.js'
import type { BrokerConfig } from './broker-config.js'
import { checkConfig, listItems, toNumber } from './config-def.js'
import { topicConfigs } from './topic-config-table.js'

/** Where a value comes from, the strongest first. */
export type ConfigOrigin = 'topic' | 'broker' | 'default'

export interface ConfigValue {
  readonly value: string
  readonly origin: ConfigOrigin
  /** The key that set it: the topic's own or the broker's. */
  readonly key: string
}

/**
 * The configs of one topic: its own values over the broker's over Kafka's defaults. Immutable: an alteration makes a new
 * one.
 */
export class TopicConfig {
  /** The topic's own values, already checked. */
  readonly overrides: Readonly<Record<string, string>>
  readonly log: LogConfig
  readonly #broker: BrokerConfig

  constructor(overrides: Readonly<Record<string, string>>, broker: BrokerConfig) {
    this.overrides = overrides
    this.#broker = broker
    this.log = this.#logConfig()
  }

  /** Every value the key has, the one that counts first: topic, broker keys, default. */
  values(key: string): ConfigValue[] {
    const def = topicConfigs[key]
    const found: ConfigValue[] = []
    if (Object.hasOwn(this.overrides, key)) found.push({ value: this.overrides[key], origin: 'topic', key })
    for (const synonym of def.synonyms) {
      const value = this.#broker.given(synonym.key)
      if (value !== undefined) found.push({ value: scaled(value, synonym.factor), origin: 'broker', key: synonym.key })
    }
    found.push({ value: def.default, origin: 'default', key: def.synonyms[0]?.key ?? key })
    return found
  }

  get(key: string): string {
    return Object.hasOwn(this.overrides, key) ? this.overrides[key] : this.values(key)[0].value
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

function scaled(value: string, factor: number): string {
  return factor === 1 || value === '-1' ? value : String(Number(value) * factor)
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
    if (!topicConfigs[key].used) sayUnused(key, logger)
  }
  return checked
}

const said = new WeakMap<Logger, Set<string>>()

function sayUnused(key: string, logger: Logger): void {
  const keys = said.get(logger) ?? new Set<string>()
  said.set(logger, keys)
  if (keys.has(key)) return
  keys.add(key)
  logger.warn({ key }, `topic config ${key} is kept, but Seglog does not act on it yet`)
}
