/**
 * Seglog's broker and Apache Kafka, alternating: Kafka's own performance tools produce and consume the same records on
 * both (acks=all, page cache on both sides), and the servers are watched from outside. What was produced is consumed and
 * counted. SEGLOG_BENCH_MB sets the volume of one run (default 512), SEGLOG_BENCH_ROUNDS the rounds (default 3).
 */
import { join } from 'node:path'
import { timed } from './lib/children.mjs'
import { median, withFolder } from './lib/rounds.mjs'
import { fetchKafka, kafkaTool, startKafka, startSeglog } from './lib/servers.mjs'

const megabytes = Number(process.env.SEGLOG_BENCH_MB ?? 512)
const rounds = Number(process.env.SEGLOG_BENCH_ROUNDS ?? 3)
const starts = { seglog: startSeglog, kafka: startKafka }
const sizes = [100, 1024]

export async function run(report) {
  fetchKafka()
  await startTimes(report)
  const figures = { seglog: {}, kafka: {} }
  const note = (name, row, value) => {
    figures[name][row] ??= []
    figures[name][row].push(value)
  }
  for (let round = 0; round < rounds; round += 1) {
    for (const [name, startServer] of Object.entries(starts)) {
      await withFolder(async (folder) => {
        const server = await startServer(join(folder, name))
        try {
          note(name, 'idle memory', server.residentMegabytes())
          await load(server, 'warm', 1024, 64)
          for (const size of sizes) await measure(server, size, (row, value) => note(name, row, value))
          note(name, 'memory after load', server.residentMegabytes())
        } finally {
          await server.stop()
        }
      })
    }
  }
  for (const [row, values] of Object.entries(figures.seglog)) {
    const [value, peerValue] = [median(values), median(figures.kafka[row])]
    const more = row.endsWith('MB/s')
    const unit = more ? 'MB/s' : row.endsWith('CPU-s/GB') ? 's/GB' : 'MB'
    report({ name: row, value, unit, peer: 'kafka', peerValue, ratio: more ? value / peerValue : peerValue / value })
  }
}

async function measure(server, size, note) {
  const topic = `bench-${size}`
  const records = Math.floor((megabytes * 1e6) / size)
  const kind = size === 100 ? '100B' : '1KB'
  let cpu = server.cpuSeconds()
  note(`produce ${kind} MB/s`, await load(server, topic, size, megabytes))
  const gigabytes = (records * size) / 1e9
  note(`produce ${kind} CPU-s/GB`, (server.cpuSeconds() - cpu) / gigabytes)
  cpu = server.cpuSeconds()
  const args = ['--bootstrap-server', server.bootstrap, '--topic', topic, '--num-records', String(records)]
  const output = await kafkaTool('org.apache.kafka.tools.ConsumerPerformance', [
    ...args,
    '--timeout',
    '60000',
    '--hide-header',
  ])
  const fields = output.trim().split('\n').at(-1).split(', ')
  if (Number(fields[4]) < records) throw new Error(`${server.name}: ${fields[4]} of ${records} records came back`)
  note(`consume ${kind} MB/s`, (records * size) / 1e6 / (Number(fields[7]) / 1000))
  note(`consume ${kind} CPU-s/GB`, (server.cpuSeconds() - cpu) / gigabytes)
}

/** Megabytes per second of Kafka's producer. It lingers until its batches are full: both servers get and give the same. */
async function load(server, topic, size, volume) {
  const output = await kafkaTool('org.apache.kafka.tools.ProducerPerformance', [
    ...['--topic', topic, '--num-records', String(Math.floor((volume * 1e6) / size)), '--record-size', String(size)],
    ...['--throughput', '-1', '--bootstrap-server', server.bootstrap],
    ...['--command-property', 'acks=all', 'batch.size=65536', 'linger.ms=50', 'buffer.memory=67108864'],
  ])
  const found = [...output.matchAll(/([\d.]+) records\/sec/g)].at(-1)
  if (!found) throw new Error(`${server.name}: no figure in ${output}`)
  return (Number(found[1]) * size) / 1e6
}

/** From the start of the process to the first answered request, beside a bare `node -e 0`. */
async function startTimes(report) {
  const bare = []
  for (let i = 0; i < 9; i += 1) bare.push((await timed(['-e', 'process.stdout.write("x")'])).ms)
  const figures = { seglog: [], kafka: [] }
  for (let i = 0; i < 5; i += 1) {
    for (const [name, startServer] of Object.entries(starts)) {
      if (name === 'kafka' && i > 1) continue
      await withFolder(async (folder) => {
        const server = await startServer(join(folder, name))
        figures[name].push(server.firstAnswerMs)
        await server.stop()
      })
    }
  }
  const [value, peerValue] = [median(figures.seglog), median(figures.kafka)]
  report({ name: 'start to first answer', value, unit: 'ms', peer: 'kafka', peerValue, ratio: peerValue / value })
  const node = median(bare)
  report({
    name: 'start over bare Node',
    value: value / node,
    unit: 'times',
    peer: 'bound',
    peerValue: 2.6,
    ratio: (2.6 * node) / value,
  })
}
