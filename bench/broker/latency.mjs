/**
 * Open loop: 1 KB records, one a request, at 10, 30 and 60% of what the slower of the servers can do (requests
 * acknowledged and read by one consumer, 64 under way). Latency counts from the intended time of sending, to the reader
 * and to the acknowledgement, over 16 partitions and eight connections.
 */
import { load } from '../lib/load.mjs'
import { freshTopic } from './topics.mjs'
import { milliseconds } from './units.mjs'

export const latencyShape = { connections: 8, 'record-bytes': 1024, acks: -1, create: 16 }
const percentiles = { p50: 'p50_us', p99: 'p99_us', 'p99.9': 'p999_us' }

/** Requests a second that a server acknowledges and hands to a reader. */
export async function capacityOf(server, scale) {
  const closed = { ...latencyShape, 'in-flight': 8, 'batch-bytes': 1, topic: freshTopic('capacity') }
  return (await load(server, 'tail', { ...closed, bytes: 20e6 * scale })).records_s
}

function latency(percent) {
  const row = (what, percentile) => `${what} ${percentile} ${percent}%`
  const kinds = { latency: 'end', 'acknowledge latency': 'ack' }
  const rows = Object.keys(kinds).flatMap((kind) => Object.keys(percentiles).map((name) => row(kind, name)))
  return {
    group: 'latency',
    rows: Object.fromEntries(rows.map((name) => [name, milliseconds])),
    megabytes: 200,
    async run(server, scale, { capacity }) {
      const rate = Math.max(1, Math.round((capacity * percent) / 100))
      const times = { 'warm-seconds': 2 * scale, seconds: (percent === 30 ? 10 : 5) * scale }
      const seen = await load(server, 'latency', { ...latencyShape, ...times, rate, topic: freshTopic('latency') })
      return Object.fromEntries(
        Object.entries(kinds).flatMap(([kind, prefix]) =>
          Object.entries(percentiles).map(([name, key]) => [row(kind, name), seen[`${prefix}_${key}`] / 1000]),
        ),
      )
    },
  }
}

export const latencyScenarios = [10, 30, 60].map(latency)
