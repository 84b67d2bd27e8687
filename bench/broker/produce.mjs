/**
 * Produce in a closed loop: 1 KB and 100 B records in batches of 16 KB and 1 MB over 1, 100 and 1,000 partitions, four
 * connections with five requests each under way. What was acknowledged is read back and counted, CRCs included.
 */
import { load } from '../lib/load.mjs'
import { freshTopic } from './topics.mjs'
import { cpuSecondsPerGigabyte, megabytesPerSecond } from './units.mjs'

export const closedLoop = { connections: 4, 'in-flight': 5, acks: -1 }

const sizes = { '1KB': 1024, '100B': 100 }
const batches = { '1MB': 1_000_000, '16KB': 16_384 }

function produce(size, batch, partitions, volume) {
  const over = partitions === 1 ? '' : ` ${partitions} partitions`
  const name = `produce ${size} ${batch}-batches${over}`
  const cpu = batch === '1MB' && partitions === 1 ? `produce ${size} CPU-s/GB` : `${name} CPU-s/GB`
  return {
    group: 'produce',
    rows: { [`${name} MB/s`]: megabytesPerSecond, [cpu]: cpuSecondsPerGigabyte },
    megabytes: volume,
    async run(server, scale) {
      const topic = freshTopic('produce')
      const record = { 'record-bytes': sizes[size] }
      const written = await load(server, 'produce', {
        ...closedLoop,
        ...record,
        topic,
        create: partitions,
        'batch-bytes': batches[batch],
        bytes: volume * 1e6 * scale,
      })
      await load(server, 'consume', { ...record, topic, expect: written.records, crc: 1 })
      return { [`${name} MB/s`]: written.mb_s, [cpu]: written.server_cpu_s_gb }
    },
  }
}

/** At least a batch for each partition, and more bytes for those that the goals are about. */
export const produceScenarios = Object.keys(sizes).flatMap((size) =>
  Object.keys(batches).flatMap((batch) =>
    [1, 100, 1000].map((partitions) =>
      produce(size, batch, partitions, batch === '1MB' && partitions !== 100 ? 1000 : 200),
    ),
  ),
)
