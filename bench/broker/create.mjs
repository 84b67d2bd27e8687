/** A topic of 1,000 partitions with a record acknowledged in each, and 1,000 topics with leaders that serve them. */
import { load } from '../lib/load.mjs'
import { freshTopic } from './topics.mjs'
import { seconds } from './units.mjs'

export const createScenarios = [
  {
    group: 'create',
    rows: { '1000 partitions create+write s': seconds },
    megabytes: 100,
    async run(server) {
      const shape = { connections: 8, 'in-flight': 8, 'record-bytes': 100, 'batch-bytes': 1 }
      const made = await load(server, 'create', { ...shape, topic: freshTopic('created'), partitions: 1000 })
      return { '1000 partitions create+write s': made.seconds }
    },
  },
  {
    group: 'create',
    rows: { '1000 topics created s': seconds },
    megabytes: 10,
    async run(server) {
      const made = await load(server, 'create', { topic: freshTopic('topics'), topics: 1000 })
      return { '1000 topics created s': made.seconds }
    },
  },
]
