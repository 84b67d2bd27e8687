/** One record of 100 B a request, 64 requests under way over eight connections. */
import { load } from '../lib/load.mjs'
import { freshTopic } from './topics.mjs'
import { cost, rate } from './units.mjs'

export const smallRequests = { connections: 8, 'in-flight': 8, 'record-bytes': 100, 'batch-bytes': 1, acks: -1 }

export const smallRequestScenarios = [
  {
    group: 'produce',
    rows: { 'small requests/s': rate('requests/s'), 'small requests CPU-us each': cost('us') },
    megabytes: 100,
    async run(server, scale) {
      const topic = freshTopic('small')
      const written = await load(server, 'produce', { ...smallRequests, topic, create: 1, seconds: 4 * scale })
      await load(server, 'consume', { topic, 'record-bytes': 100, expect: written.records, crc: 1 })
      return {
        'small requests/s': written.requests_s,
        'small requests CPU-us each': (written.server_cpu_s / written.records) * 1e6,
      }
    },
  },
]
