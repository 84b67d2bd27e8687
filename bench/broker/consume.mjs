/**
 * Readers of 1 KB records in 1 MB batches: from the beginning of what lies there (catch-up), and behind producers that
 * write as fast as the readers follow (tail). One reader, and eight that each read everything. Every reader checks that
 * batch follows batch. A reader's CPU in the tail rows holds its share of what writing costs.
 */
import { load } from '../lib/load.mjs'
import { closedLoop } from './produce.mjs'
import { freshTopic } from './topics.mjs'
import { cpuSecondsPerGigabyte, megabytesPerSecond } from './units.mjs'

const megabytes = 1000
const record = { 'record-bytes': 1024, 'batch-bytes': 1_000_000 }

function readers(what, consumers, work) {
  const name = consumers === 1 ? what : `${what} ${consumers} consumers`
  return {
    group: 'consume',
    rows: { [`${name} MB/s`]: megabytesPerSecond, [`${name} CPU-s/GB`]: cpuSecondsPerGigabyte },
    megabytes,
    async run(server, scale) {
      const read = await work(server, consumers, Math.ceil((megabytes * 1e6 * scale) / Math.sqrt(consumers)))
      return { [`${name} MB/s`]: read.mb_s, [`${name} CPU-s/GB`]: read.server_cpu_s_gb }
    },
  }
}

async function catchUp(server, consumers, bytes) {
  const topic = freshTopic('catch-up')
  const { records } = await load(server, 'produce', { ...closedLoop, ...record, topic, create: 1, bytes })
  return load(server, 'consume', { topic, consumers, 'record-bytes': 1024, expect: records })
}

function tail(server, consumers, bytes) {
  return load(server, 'tail', { ...closedLoop, ...record, topic: freshTopic('tail'), create: 1, consumers, bytes })
}

export const consumeScenarios = [
  readers('tail consume', 1, tail),
  readers('tail consume', 8, tail),
  readers('catch-up consume', 1, catchUp),
  readers('catch-up consume', 8, catchUp),
]
