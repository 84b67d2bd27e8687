/** 64 producers, each with one request of one 128 B record under way that is on disk when it is acknowledged. */
import { load } from '../lib/load.mjs'
import { freshTopic } from './topics.mjs'
import { milliseconds, rate } from './units.mjs'

function flush(partitions) {
  const name = `flush 64 producers ${partitions === 1 ? '1 partition' : `${partitions} partitions`}`
  return {
    group: 'flushed',
    rows: { [`${name} rec/s`]: rate('rec/s'), [`${name} p99`]: milliseconds },
    megabytes: 50,
    async run(server, scale) {
      const topic = freshTopic('flush')
      const shape = { connections: 64, 'in-flight': 1, 'record-bytes': 128, 'batch-bytes': 1, acks: -1 }
      const written = await load(server, 'produce', { ...shape, topic, create: partitions, seconds: 5 * scale })
      await load(server, 'consume', { topic, 'record-bytes': 128, expect: written.records, crc: 1 })
      return { [`${name} rec/s`]: written.records_s, [`${name} p99`]: written.ack_p99_us / 1000 }
    },
  }
}

export const flushScenarios = [1, 16, 256].map(flush)
