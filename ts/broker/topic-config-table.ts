import {
  booleanConfig,
  type ConfigTable,
  choiceConfig,
  intConfig,
  listConfig,
  longConfig,
  longMax,
  ratioConfig,
} from './config-def.js'

const hour = 3_600_000
const hours = (key: string) => ({ key, factor: hour })
const minutes = (key: string) => ({ key, factor: 60_000 })

/** Every topic config of Kafka 4.3 with its default and rule, and Seglog's own `write.caching`. */
export const topicConfigs: ConfigTable = {
  'cleanup.policy': listConfig(
    'delete',
    ['delete', 'compact'],
    'What happens to old records: delete whole segments by age and size, compact to the newest record of each key, both, or (empty) keep everything.',
    { synonyms: ['log.cleanup.policy'] },
  ),
  'compression.gzip.level': {
    ...intConfig(-1, -1, "Level for records that the broker compresses with gzip; -1 is the codec's own.", {
      synonyms: ['compression.gzip.level'],
    }),
    expected: '-1 or a whole number from 1 to 9',
    accepts: (text) => text === '-1' || /^[1-9]$/.test(text),
  },
  'compression.lz4.level': intConfig(9, 1, 'Level for records that the broker compresses with lz4.', {
    max: 17,
    synonyms: ['compression.lz4.level'],
  }),
  'compression.type': choiceConfig(
    'producer',
    ['uncompressed', 'zstd', 'lz4', 'snappy', 'gzip', 'producer'],
    'Codec of stored batches; producer keeps what the producer chose.',
    { synonyms: ['compression.type'] },
  ),
  'compression.zstd.level': intConfig(3, -131072, 'Level for records that the broker compresses with zstd.', {
    max: 22,
    synonyms: ['compression.zstd.level'],
  }),
  'delete.retention.ms': longConfig(24 * hour, 0, 'How long a compacted topic keeps the mark of a deleted key.', {
    synonyms: ['log.cleaner.delete.retention.ms'],
  }),
  'file.delete.delay.ms': longConfig(60_000, 0, 'How long a removed segment stays on disk before its files go.', {
    synonyms: ['log.segment.delete.delay.ms'],
  }),
  'flush.messages': longConfig(longMax, 1, 'Start a flush to disk after this many records, whatever acks asked for.', {
    used: true,
    synonyms: ['log.flush.interval.messages'],
  }),
  'flush.ms': longConfig(longMax, 0, 'Start a flush to disk when records have waited this long.', {
    synonyms: ['log.flush.interval.ms', 'log.flush.scheduler.interval.ms'],
  }),
  'follower.replication.throttled.replicas': listConfig('', null, 'Replicas whose followers copy at a limited rate.'),
  'index.interval.bytes': intConfig(4096, 0, 'Bytes of log between two index entries.', {
    used: true,
    synonyms: ['log.index.interval.bytes'],
  }),
  'internal.segment.bytes': {
    ...intConfig(0, 1, 'Segment size without the usual lower limit; for tests only.', { used: true }),
    default: '',
  },
  'leader.replication.throttled.replicas': listConfig(
    '',
    null,
    'Replicas whose leaders serve copies at a limited rate.',
  ),
  'local.retention.bytes': longConfig(
    -2,
    -2,
    'Size kept on local disk when older segments are in tiered storage; -2 means retention.bytes.',
    { synonyms: ['log.local.retention.bytes'] },
  ),
  'local.retention.ms': longConfig(
    -2,
    -2,
    'Time kept on local disk when older segments are in tiered storage; -2 means retention.ms.',
    { synonyms: ['log.local.retention.ms'] },
  ),
  'max.compaction.lag.ms': longConfig(longMax, 1, 'Longest time a record of a compacted topic may stay uncompacted.', {
    synonyms: ['log.cleaner.max.compaction.lag.ms'],
  }),
  'max.message.bytes': intConfig(1_048_588, 0, 'Largest record batch taken, in bytes, after compression.', {
    used: true,
    synonyms: ['message.max.bytes'],
  }),
  'message.timestamp.after.max.ms': longConfig(
    hour,
    0,
    "How far a record's timestamp may lie ahead of the broker's clock.",
    { used: true, synonyms: ['log.message.timestamp.after.max.ms'] },
  ),
  'message.timestamp.before.max.ms': longConfig(
    longMax,
    0,
    "How far a record's timestamp may lie behind the broker's clock.",
    { used: true, synonyms: ['log.message.timestamp.before.max.ms'] },
  ),
  'message.timestamp.type': choiceConfig(
    'CreateTime',
    ['CreateTime', 'LogAppendTime'],
    "Whose clock stamps records: the producer's at creation, or the broker's at append.",
    { used: true, synonyms: ['log.message.timestamp.type'] },
  ),
  'min.cleanable.dirty.ratio': ratioConfig(
    0.5,
    'Share of a log that must be uncompacted before compaction is worth its while.',
    { synonyms: ['log.cleaner.min.cleanable.ratio'] },
  ),
  'min.compaction.lag.ms': longConfig(0, 0, 'Shortest time a record of a compacted topic stays uncompacted.', {
    synonyms: ['log.cleaner.min.compaction.lag.ms'],
  }),
  'min.insync.replicas': intConfig(1, 1, 'Replicas that must be in sync for acks=all to be taken.', {
    used: true,
    synonyms: ['min.insync.replicas'],
  }),
  preallocate: booleanConfig(
    false,
    'Reserve the whole segment when it is made. Seglog reserves in steps that grow with use.',
    { synonyms: ['log.preallocate'] },
  ),
  'remote.log.copy.disable': booleanConfig(false, 'Stop copying segments to tiered storage.'),
  'remote.log.delete.on.disable': booleanConfig(false, 'Delete what is in tiered storage when it is switched off.'),
  'remote.storage.enable': booleanConfig(false, 'Move old segments to tiered storage.'),
  'retention.bytes': longConfig(
    -1,
    -1,
    "Size above which a partition's oldest segments are deleted; -1 without limit.",
    { synonyms: ['log.retention.bytes'] },
  ),
  'retention.ms': longConfig(168 * hour, -1, 'Age above which segments are deleted; -1 never.', {
    synonyms: ['log.retention.ms', minutes('log.retention.minutes'), hours('log.retention.hours')],
  }),
  'segment.bytes': intConfig(1024 ** 3, 1024 ** 2, 'Size at which a new segment file is begun.', {
    used: true,
    synonyms: ['log.segment.bytes'],
  }),
  'segment.index.bytes': intConfig(10 * 1024 ** 2, 4, 'Size of the offset index at which a new segment is begun.', {
    used: true,
    synonyms: ['log.index.size.max.bytes'],
  }),
  'segment.jitter.ms': longConfig(
    0,
    0,
    'Random time taken off segment.ms, so that many partitions do not roll at once.',
    { used: true, synonyms: ['log.roll.jitter.ms', hours('log.roll.jitter.hours')] },
  ),
  'segment.ms': longConfig(168 * hour, 1, 'Age at which a new segment is begun.', {
    used: true,
    synonyms: ['log.roll.ms', hours('log.roll.hours')],
  }),
  'unclean.leader.election.enable': booleanConfig(false, 'Let a replica lead that may miss acknowledged records.', {
    synonyms: ['unclean.leader.election.enable'],
  }),
  'write.caching': booleanConfig(
    false,
    'Acknowledge acks=all from the page cache, as Kafka does, without waiting for the disk.',
    { used: true, synonyms: ['log.write.caching'] },
  ),
}
