import { SeglogError } from '../errors/seglog-error.js'
import { brokerConfigs } from './broker-config-table.js'
import { checkBounds } from './config-bounds.js'
import { checkConfig, listItems, toNumber } from './config-def.js'

/** Where a broker's value comes from, the strongest first. The dynamic ones were set while a broker ran, and stay. */
export const configLayers = ['dynamic', 'dynamicDefault', 'static', 'default'] as const
export type ConfigLayer = (typeof configLayers)[number]

export interface LayeredValue {
  readonly key: string
  /** As written at this key, in its unit. */
  readonly value: string
  readonly layer: ConfigLayer
}

/** What was set, by key. */
export type ConfigMap = Readonly<Record<string, string>>

/** Told after values changed, with their keys. */
export type ConfigListener = (changed: ReadonlySet<string>) => void

/** The broker's configs. Those that may change do so while it runs: read them when they are needed, or watch. */
export class BrokerConfig {
  readonly #layers: Record<Exclude<ConfigLayer, 'default'>, ConfigMap>
  #effective: ReadonlyMap<string, string>
  readonly #listeners = new Set<ConfigListener>()

  /** Throws UNKNOWN_CONFIG naming the nearest known key, or INVALID_CONFIG. */
  constructor(given: Readonly<Record<string, string | number | boolean>> = {}) {
    const checked: Record<string, string> = {}
    for (const [key, value] of Object.entries(given)) {
      if (value === undefined) throw new SeglogError('INVALID_CONFIG', `${key} of the broker has no value`, { key })
      checked[key] = checkBrokerConfig(key, String(value))
    }
    this.#layers = { dynamic: {}, dynamicDefault: {}, static: checked }
    this.#effective = this.#merged()
    checkBounds(this)
  }

  /** What is in force; empty for a key that has neither value nor default. */
  get(key: string): string {
    return this.#effective.get(key) ?? brokerConfigs[key].default ?? ''
  }

  /** Infinity above 2^53: Kafka's "never" is 2^63 - 1. */
  number(key: string): number {
    return toNumber(this.get(key))
  }

  flag(key: string): boolean {
    return this.get(key) === 'true'
  }

  /** Its older name, broker.id, counts where node.id is not set. */
  get nodeId(): number {
    const older = this.number('broker.id')
    return this.isSet('node.id') || older < 0 ? this.number('node.id') : older
  }

  list(key: string): string[] {
    return listItems(this.get(key))
  }

  /** True if the key was set to something, at whatever place. */
  isSet(key: string): boolean {
    return this.#effective.has(key)
  }

  /**
   * Every value of keys that mean one config (its own first), the one that counts first: where a value was set matters
   * more than at which of the keys.
   */
  values(...keys: readonly string[]): LayeredValue[] {
    const found: LayeredValue[] = []
    for (const layer of configLayers) {
      for (const key of keys) {
        const value = layer === 'default' ? brokerConfigs[key]?.default : own(this.#layers[layer], key)
        if (value !== undefined && value !== null) found.push({ key, value, layer })
      }
    }
    return found
  }

  layer(layer: Exclude<ConfigLayer, 'default'>): ConfigMap {
    return this.#layers[layer]
  }

  /** Values that are only known once something runs, such as ports: from now on as if it had been started with them. */
  settle(values: ConfigMap): void {
    this.setLayer('static', { ...this.#layers.static, ...values })
  }

  /** Replaces a layer by checked values, and tells those who watch. */
  setLayer(layer: Exclude<ConfigLayer, 'default'>, values: ConfigMap): void {
    this.#layers[layer] = values
    const before = this.#effective
    this.#effective = this.#merged()
    const changed = new Set<string>()
    for (const key of new Set([...before.keys(), ...this.#effective.keys()])) {
      if (before.get(key) !== this.#effective.get(key)) changed.add(key)
    }
    if (changed.size > 0) for (const listener of [...this.#listeners]) listener(changed)
  }

  /** Calls `listener` after changes, until the returned function is called. */
  watch(listener: ConfigListener): () => void {
    this.#listeners.add(listener)
    return () => {
      this.#listeners.delete(listener)
    }
  }

  #merged(): Map<string, string> {
    const { dynamic, dynamicDefault, static: fixed } = this.#layers
    return new Map(Object.entries({ ...fixed, ...dynamicDefault, ...dynamic }))
  }
}

function own(values: ConfigMap, key: string): string | undefined {
  return Object.hasOwn(values, key) ? values[key] : undefined
}

const ofListener = /^listener\.name\.[^.]+\.(?:[a-z0-9-]+\.(?=sasl\.))?(.+)$/

/** The key without the name of the listener it is for: `listener.name.internal.ssl.key.password`. */
export function baseKey(key: string): string {
  return ofListener.exec(key)?.[1] ?? key
}

/** Checks one key and value; answers the value as it is kept. Throws UNKNOWN_CONFIG or INVALID_CONFIG. */
export function checkBrokerConfig(key: string, value: string | null): string {
  const base = baseKey(key)
  return checkConfig(brokerConfigs, Object.hasOwn(brokerConfigs, base) ? base : key, value, 'the broker')
}
