import { SeglogError } from '../errors/seglog-error.js'
import { booleanConfig, type ConfigDef, type ConfigTable, checkConfig, intConfig, longConfig } from './config-def.js'
import { topicConfigs } from './topic-config-table.js'

const own: ConfigTable = {
  'auto.create.topics.enable': booleanConfig(
    true,
    'Create a topic when a client that may have it created asks for it by name.',
    { used: true },
  ),
  'connections.max.idle.ms': longConfig(
    600_000,
    -1,
    'A connection on which nothing moved for this long is closed; -1 for never.',
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
  'group.initial.rebalance.delay.ms': intConfig(
    0,
    0,
    'How long the first rebalance of an empty group waits for more members. Kafka waits 3 s; 0 lets a consumer begin at once.',
    { used: true },
  ),
  'group.max.session.timeout.ms': intConfig(1_800_000, 1, 'Longest session timeout a member may ask for.', {
    used: true,
  }),
  'group.max.size': intConfig(2_147_483_647, 1, 'Members that one group may have.', { used: true }),
  'group.min.session.timeout.ms': intConfig(6000, 1, 'Shortest session timeout a member may ask for.', { used: true }),
  'max.connections': intConfig(20_000, 0, 'Connections taken at a time; further ones are closed at once.', {
    used: true,
  }),
  'max.connections.per.ip': intConfig(
    2_147_483_647,
    0,
    'Connections taken at a time from one address; further ones are closed at once.',
    { used: true },
  ),
  'node.id': intConfig(1, 0, 'Number of this broker in the cluster; a data directory keeps the one it was made with.', {
    used: true,
  }),
  'num.partitions': intConfig(1, 1, 'Partitions of topics created without a number of their own.', {
    used: true,
    max: 100_000,
  }),
  'offset.metadata.max.bytes': intConfig(4096, 0, 'Longest text that may be stored with a committed offset.', {
    used: true,
  }),
  'offsets.retention.check.interval.ms': longConfig(600_000, 1, 'How often offsets are looked through for old ones.', {
    used: true,
  }),
  'offsets.retention.minutes': intConfig(
    10_080,
    1,
    'How long offsets are kept after their group lost its last member, or its interest in their topic.',
    { used: true },
  ),
  'offsets.topic.num.partitions': intConfig(
    50,
    1,
    'Partitions of the topic that keeps groups and their offsets, when it is made. Not to be changed later.',
    { used: true, max: 100_000 },
  ),
  'offsets.topic.segment.bytes': intConfig(
    104_857_600,
    1024 ** 2,
    'Segment size of the topic that keeps groups and their offsets, when it is made.',
    { used: true },
  ),
  'queued.max.request.bytes': longConfig(
    268_435_456,
    -1,
    'Bytes of requests held at a time, over all connections; above it they are read one by one. -1 for no limit.',
    { used: true },
  ),
  'seglog.request.receive.timeout.ms': longConfig(
    30_000,
    1,
    'Time for a request that has begun to arrive whole, longer by a second for each 16 KiB that came; then its connection is closed.',
    { used: true },
  ),
  'socket.request.max.bytes': intConfig(
    104_857_600,
    1,
    'Largest request taken, in bytes; the connection of a larger one is closed.',
    { used: true },
  ),
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
