import {
  type BrokerConfigDef,
  booleanConfig,
  type ConfigDef,
  choiceConfig,
  intConfig,
  listConfig,
  longConfig,
  textConfig,
} from './config-def.js'
import { acceptedKeys } from './kafka-broker-keys.js'
import { topicConfigs } from './topic-config-table.js'

export type BrokerConfigTable = Readonly<Record<string, BrokerConfigDef>>

const used = { used: true } as const
const anyCount = 0x7fff_ffff

/** What the broker and its server act on themselves. */
const own: Readonly<Record<string, ConfigDef>> = {
  'advertised.listeners': listConfig(
    null,
    null,
    'Addresses that clients are told to connect to, as NAME://host:port; where none is given, those of the listeners.',
    used,
  ),
  'auto.create.topics.enable': booleanConfig(
    true,
    'Create a topic when a client that may have it created asks for it by name.',
    used,
  ),
  'broker.id': intConfig(-1, -1, 'The older name of node.id, taken where that is not given.', used),
  'broker.rack': textConfig(null, 'Rack or zone of this broker, as clients are told it.', used),
  'connections.max.idle.ms': longConfig(
    600_000,
    -1,
    'A connection on which nothing moved for this long is closed; -1 for never.',
    used,
  ),
  'default.replication.factor': intConfig(1, 1, 'Replicas of topics created without a number of their own.', used),
  'delete.topic.enable': booleanConfig(true, 'Allow topics to be deleted.', used),
  'fetch.max.bytes': intConfig(
    57_671_680,
    1024,
    'Largest answer to one fetch, in bytes; a first batch above it is given whole.',
    used,
  ),
  'group.consumer.assignors': {
    ...listConfig(
      'uniform,range',
      null,
      'Assignors that members of the consumer protocol may ask for; the first is for groups where nobody does.',
      used,
    ),
    expected: 'a comma-separated list of uniform, range, with one of them at least',
    accepts: (text) => /^\s*(uniform|range)\s*(,\s*(uniform|range)\s*)*$/.test(text),
  },
  'group.consumer.heartbeat.interval.ms': intConfig(
    5000,
    1,
    'How often members of the consumer protocol are told to be heard of.',
    used,
  ),
  'group.consumer.max.heartbeat.interval.ms': intConfig(
    15_000,
    1,
    'Longest group.consumer.heartbeat.interval.ms.',
    used,
  ),
  'group.consumer.max.session.timeout.ms': intConfig(60_000, 1, 'Longest group.consumer.session.timeout.ms.', used),
  'group.consumer.max.size': intConfig(anyCount, 1, 'Members that one group of the consumer protocol may have.', used),
  'group.consumer.migration.policy': {
    ...textConfig(
      'bidirectional',
      'Whether a group with members becomes one of the consumer protocol when somebody joins it as such (upgrade), and one of the classic protocol when the last such member is gone (downgrade), or both, or disabled.',
      used,
    ),
    expected: 'one of bidirectional, upgrade, downgrade, disabled',
    accepts: (text) => /^(bidirectional|upgrade|downgrade|disabled)$/i.test(text),
  },
  'group.consumer.min.heartbeat.interval.ms': intConfig(
    5000,
    1,
    'Shortest group.consumer.heartbeat.interval.ms.',
    used,
  ),
  'group.consumer.min.session.timeout.ms': intConfig(45_000, 1, 'Shortest group.consumer.session.timeout.ms.', used),
  'group.consumer.session.timeout.ms': intConfig(
    45_000,
    1,
    'How long a member of the consumer protocol may be silent.',
    used,
  ),
  'group.initial.rebalance.delay.ms': intConfig(
    0,
    0,
    'How long the first rebalance of an empty group waits for more members. Kafka waits 3 s; 0 lets a consumer begin at once.',
    used,
  ),
  'group.max.session.timeout.ms': intConfig(
    1_800_000,
    1,
    'Longest session timeout a member of the classic protocol may ask for.',
    used,
  ),
  'group.max.size': intConfig(anyCount, 1, 'Members that one group of the classic protocol may have.', used),
  'group.min.session.timeout.ms': intConfig(
    6000,
    1,
    'Shortest session timeout a member of the classic protocol may ask for.',
    used,
  ),
  listeners: listConfig('PLAINTEXT://:9092', null, 'Addresses the broker listens on, as NAME://host:port.', used),
  'log.dir': listConfig(null, null, 'The data directory, where log.dirs does not say it.', used),
  'log.dirs': listConfig(null, null, 'The data directory.', used),
  'max.connections': intConfig(20_000, 0, 'Connections taken at a time; further ones are closed at once.', used),
  'max.connections.per.ip': intConfig(
    anyCount,
    0,
    'Connections taken at a time from one address; further ones are closed at once.',
    used,
  ),
  'max.connections.per.ip.overrides': {
    ...textConfig('', 'Other limits than max.connections.per.ip for single addresses.', used),
    expected: 'address:count, comma-separated',
    accepts: (text) => text === '' || text.split(',').every((item) => /^\s*[^\s,]+:\d{1,10}\s*$/.test(item)),
  },
  'max.incremental.fetch.session.cache.slots': intConfig(
    1000,
    0,
    'Fetch sessions kept at a time; clients beyond them send whole requests.',
    used,
  ),
  'max.request.partition.size.limit': intConfig(
    2000,
    1,
    'Most partitions in one answer to DescribeTopicPartitions.',
    used,
  ),
  'node.id': intConfig(
    1,
    0,
    'Number of this broker in the cluster; a data directory keeps the one it was made with.',
    used,
  ),
  'num.partitions': intConfig(1, 1, 'Partitions of topics created without a number of their own.', {
    used: true,
    max: 100_000,
  }),
  'offset.metadata.max.bytes': intConfig(4096, 0, 'Longest text that may be stored with a committed offset.', used),
  'offsets.retention.check.interval.ms': longConfig(
    600_000,
    1,
    'How often offsets are looked through for old ones.',
    used,
  ),
  'offsets.retention.minutes': intConfig(
    10_080,
    1,
    'How long offsets are kept after their group lost its last member, or its interest in their topic.',
    used,
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
    used,
  ),
  'producer.id.expiration.ms': intConfig(
    86_400_000,
    1,
    'How long the last sequence numbers of an idempotent producer that has fallen silent are remembered.',
    used,
  ),
  'queued.max.request.bytes': longConfig(
    268_435_456,
    -1,
    'Bytes of requests held at a time, over all connections; above it they are read one by one. -1 for no limit.',
    used,
  ),
  'seglog.journal.max.bytes': longConfig(
    0,
    0,
    'Experimental, see format.md. How large the file may become in which the flushes of many partitions are one, at most 128 MiB; 0 flushes every partition by itself.',
    used,
  ),
  'seglog.request.receive.timeout.ms': longConfig(
    30_000,
    1,
    'Time for a request that has begun to arrive whole, longer by a second for each 16 KiB that came; then its connection is closed.',
    used,
  ),
  'seglog.transfer': choiceConfig(
    'auto',
    ['auto', 'always', 'off'],
    "How connections are served. auto: by the engine where the platform has that (Linux), what is read from files mostly without passing through the process. off: by Node's sockets. always: as auto, and everything sent from files by the transfer, whatever its size; an error at the start where the platform has none.",
    used,
  ),
  'socket.request.max.bytes': intConfig(
    104_857_600,
    1,
    'Largest request taken, in bytes; a larger one closes the connection.',
    used,
  ),
}

/** Keys of the broker that set how long its topics keep and roll, in coarser units than the topics' own. */
const times: Readonly<Record<string, ConfigDef>> = {
  'log.flush.interval.ms': { ...topicConfigs['flush.ms'], default: null },
  'log.flush.scheduler.interval.ms': topicConfigs['flush.ms'],
  'log.retention.hours': {
    ...intConfig(168, -1, 'retention.ms of topics, in hours.'),
    used: topicConfigs['retention.ms'].used,
  },
  'log.retention.minutes': {
    ...intConfig(0, -1, 'retention.ms of topics, in minutes.'),
    default: null,
    used: topicConfigs['retention.ms'].used,
  },
  'log.retention.ms': { ...topicConfigs['retention.ms'], default: null },
  'log.roll.hours': intConfig(168, 1, 'segment.ms of topics, in hours.', used),
  'log.roll.jitter.hours': intConfig(0, 0, 'segment.jitter.ms of topics, in hours.', used),
  'log.roll.jitter.ms': { ...topicConfigs['segment.jitter.ms'], default: null },
  'log.roll.ms': { ...topicConfigs['segment.ms'], default: null },
}

/** Kafka's choice, which its tools know. */
const clusterWide = new Set([
  'max.connections',
  'max.connections.per.ip',
  'max.connections.per.ip.overrides',
  'log.flush.interval.ms',
  'log.retention.ms',
  'log.roll.jitter.ms',
  'log.roll.ms',
  'producer.id.expiration.ms',
])

function makeTable(): BrokerConfigTable {
  const table: Record<string, BrokerConfigDef> = { ...acceptedKeys }
  for (const def of Object.values(topicConfigs)) {
    for (const { key } of def.synonyms) table[key] = { ...def, synonyms: [], update: 'cluster-wide' }
  }
  for (const [key, def] of Object.entries({ ...own, ...times })) {
    const update = clusterWide.has(key) ? 'cluster-wide' : key === 'listeners' ? 'per-broker' : 'read-only'
    table[key] = { ...def, synonyms: [], update }
  }
  return table
}

/** Every broker config taken: those of the broker, those that set defaults of topics, and the rest of Kafka's. */
export const brokerConfigs: BrokerConfigTable = makeTable()
