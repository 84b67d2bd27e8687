import type { Logger } from '../log/logger.js'
import { protocolError } from '../protocol/errors.js'
import { configType } from '../protocol/messages/32-describe-configs.js'
import { type BrokerConfig, baseKey, type ConfigMap, checkBrokerConfig } from './broker-config.js'
import { brokerConfigs } from './broker-config-table.js'
import type { MetadataStore } from './metadata-store.js'

/** Whom a config set while the broker runs is for: this broker, or all of the cluster. */
export type ConfigScope = 'broker' | 'cluster'

const layerOf = { broker: 'dynamic', cluster: 'dynamicDefault' } as const

/** The broker's configs that were set while it ran: stored, and put over those it was started with. */
export class DynamicConfigs {
  readonly #store: MetadataStore
  readonly #config: BrokerConfig
  readonly #names: Readonly<Record<ConfigScope, string>>

  /** Puts what is stored in force. What this release does not take any more is left out, with a line in the log. */
  constructor(store: MetadataStore, config: BrokerConfig, nodeId: number, logger: Logger) {
    this.#store = store
    this.#config = config
    this.#names = { broker: String(nodeId), cluster: '' }
    for (const scope of ['broker', 'cluster'] as const) config.setLayer(layerOf[scope], usable(this.get(scope), logger))
  }

  /** What is set. */
  get(scope: ConfigScope): ConfigMap {
    return this.#store.brokerConfigs.get(this.#names[scope]) ?? {}
  }

  /** Resolves once the change is durable and in force; `change` sees the newest, and may throw to refuse. */
  async update(scope: ConfigScope, change: (configs: ConfigMap) => ConfigMap): Promise<void> {
    await this.#store.updateBrokerConfigs(this.#names[scope], change)
    this.#config.setLayer(layerOf[scope], this.get(scope))
  }
}

function usable(configs: ConfigMap, logger: Logger): ConfigMap {
  const taken = Object.entries(configs).filter(([key, value]) => {
    try {
      checkBrokerConfig(key, value)
      return true
    } catch (err) {
      logger.error({ key, err }, 'a stored broker config is not taken any more and has no effect')
      return false
    }
  })
  return Object.fromEntries(taken)
}

/**
 * Checks a value that is to be set while the broker runs. Throws UNKNOWN_CONFIG, INVALID_CONFIG, and INVALID_REQUEST for
 * one that may not be: Kafka's tools know the difference.
 */
export function checkDynamicConfig(scope: ConfigScope, key: string, value: string): string {
  const checked = checkBrokerConfig(key, value)
  const { update, type } = brokerConfigs[baseKey(key)]
  if (update === 'read-only') {
    throw protocolError('INVALID_REQUEST', `${key} is set when the broker starts and cannot change while it runs`, {
      key,
    })
  }
  if (update === 'per-broker' && scope === 'cluster') {
    throw protocolError('INVALID_REQUEST', `${key} can be set for one broker only; name the broker`, { key })
  }
  if (type === configType.password) {
    throw protocolError('INVALID_REQUEST', `${key} is a secret, and secrets are not stored`, { key })
  }
  return checked
}
