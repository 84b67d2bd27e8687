import { SeglogError } from '../errors/seglog-error.js'
import type { BrokerConfig, ConfigMap, LayeredValue } from './broker-config.js'
import { checkConfig, toNumber } from './config-def.js'
import { groupConfigs } from './group-config-table.js'
import type { MetadataStore } from './metadata-store.js'

export interface GroupConfigValue {
  readonly key: string
  readonly value: string
  readonly layer: LayeredValue['layer'] | 'group'
}

const [heartbeat, session] = ['consumer.heartbeat.interval.ms', 'consumer.session.timeout.ms']

/** The configs of single groups, over the broker's. A group need not exist to have some. */
export class GroupConfigs {
  readonly #store: MetadataStore
  readonly #broker: BrokerConfig

  constructor(store: MetadataStore, broker: BrokerConfig) {
    this.#store = store
    this.#broker = broker
  }

  /** Groups that have configs of their own. */
  get names(): string[] {
    return [...this.#store.groupConfigs.keys()]
  }

  /** What is set for the group. */
  get(group: string): ConfigMap {
    return this.#store.groupConfigs.get(group) ?? {}
  }

  /** What is in force for the group, where `set` is what it has of its own. */
  inForce(key: string, set: ConfigMap): string {
    return this.values(key, set)[0].value
  }

  /** What is in force, within the broker's bounds: they may have been others when it was set. */
  number(group: string, key: string): number {
    const [min, max] = this.#bounds(key)
    return Math.min(max, Math.max(min, toNumber(this.inForce(key, this.get(group)))))
  }

  /** Every value the key has, the one that counts first. */
  values(key: string, set: ConfigMap): GroupConfigValue[] {
    const values: GroupConfigValue[] = this.#broker.values(...groupConfigs[key].synonyms.map((synonym) => synonym.key))
    if (Object.hasOwn(set, key)) values.unshift({ key, value: set[key], layer: 'group' })
    return values
  }

  /** Answers the value as it is kept. Throws UNKNOWN_CONFIG, INVALID_CONFIG. */
  checked(group: string, key: string, value: string): string {
    const text = checkConfig(groupConfigs, key, value, `group ${group}`)
    const [min, max] = this.#bounds(key)
    if (toNumber(text) >= min && toNumber(text) <= max) return text
    const message = `${key} of group ${group} must be from ${min} to ${max}, as the broker has it, got ${text}`
    throw new SeglogError('INVALID_CONFIG', message, { key })
  }

  /** Throws INVALID_CONFIG for values in force that contradict each other. */
  checkTogether(group: string, set: ConfigMap): void {
    const [interval, timeout] = [heartbeat, session].map((key) => toNumber(this.inForce(key, set)))
    if (interval < timeout) return
    const message = `${heartbeat} of group ${group} must be less than ${session}, ${timeout}, got ${interval}`
    throw new SeglogError('INVALID_CONFIG', message, { key: heartbeat })
  }

  /** Resolves once durable and in force. `change` sees the newest, and may throw to refuse. */
  update(group: string, change: (set: ConfigMap) => ConfigMap): Promise<void> {
    return this.#store.updateGroupConfigs(group, change)
  }

  #bounds(key: string): number[] {
    const name = key.replace('consumer.', '')
    return ['min', 'max'].map((bound) => this.#broker.number(`group.consumer.${bound}.${name}`))
  }
}
