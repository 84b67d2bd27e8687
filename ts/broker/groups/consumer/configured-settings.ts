import type { BrokerConfig } from '../../broker-config.js'
import type { GroupConfigs } from '../../group-configs.js'
import type { ConsumerSettings } from './consumer-host.js'

/** As the configs are now. */
export class ConfiguredConsumerSettings implements ConsumerSettings {
  readonly #config: BrokerConfig
  readonly #groups: GroupConfigs

  constructor(config: BrokerConfig, groups: GroupConfigs) {
    this.#config = config
    this.#groups = groups
  }

  sessionTimeoutMs(group: string): number {
    return this.#groups.number(group, 'consumer.session.timeout.ms')
  }

  heartbeatIntervalMs(group: string): number {
    return this.#groups.number(group, 'consumer.heartbeat.interval.ms')
  }

  get maxSize(): number {
    return this.#config.number('group.consumer.max.size')
  }

  get assignors(): readonly string[] {
    return this.#config.list('group.consumer.assignors')
  }

  get upgrades(): boolean {
    return ['bidirectional', 'upgrade'].includes(this.#policy)
  }

  get downgrades(): boolean {
    return ['bidirectional', 'downgrade'].includes(this.#policy)
  }

  get #policy(): string {
    return this.#config.get('group.consumer.migration.policy').toLowerCase()
  }
}
