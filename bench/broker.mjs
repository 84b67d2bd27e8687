/**
 * Seglog's broker and Apache Kafka, alternating: librdkafka's performance tool produces and consumes the same records on
 * both (acks=all, page cache on both sides), and the servers are watched from outside. What was produced is consumed and
 * counted. Both serve 64 MB before anything is counted, which compiles the hot paths of both virtual machines.
 * SEGLOG_BENCH_MB sets the volume of one run (default 1024), SEGLOG_BENCH_ROUNDS the rounds (default 5).
 */
import { closeSync, openSync, rmSync, writeSync } from 'node:fs'
import { join } from 'node:path'
import { timed } from './lib/children.mjs'
import { buildRdkafka, consume, produce } from './lib/rdkafka.mjs'
import { median, withFolder } from './lib/rounds.mjs'
import { fetchKafka, startKafka, startSeglog } from './lib/servers.mjs'

const megabytes = Number(process.env.SEGLOG_BENCH_MB ?? 1024)
const rounds = Number(process.env.SEGLOG_BENCH_ROUNDS ?? 5)
const starts = { seglog: startSeglog, kafka: startKafka }
const sizes = [100, 1024]

export async function run(report) {
  fetchKafka()
  buildRdkafka()
  await startTimes(report)
  const figures = { seglog: {}, kafka: {} }
  const note = (name, row, value) => {
    figures[name][row] ??= []
    figures[name][row].push(value)
  }
  for (let round = 0; round < rounds; round += 1) {
    for (const [name, startServer] of Object.entries(starts)) {
      await withFolder(async (folder) => {
        touchPages(folder)
        const server = await startServer(join(folder, name))
        try {
          note(name, 'idle memory', server.residentMegabytes())
          await warm(server)
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
  for (const [name, work] of Object.entries({ produce, consume })) {
    const cpu = server.cpuSeconds()
    note(`${name} ${kind} MB/s`, await work(server.bootstrap, topic, records, size))
    note(`${name} ${kind} CPU-s/GB`, (server.cpuSeconds() - cpu) / ((records * size) / 1e9))
  }
}

/**
 * Gives the page cache as many pages as a server will write, and frees them again. The first touch of a page costs a
 * virtual machine 4 us, and else whoever comes second would write to pages that the first one has paid for.
 */
function touchPages(folder) {
  const file = join(folder, 'touched')
  const block = Buffer.alloc(1 << 20, 1)
  const descriptor = openSync(file, 'w')
  for (let i = 0; i < megabytes * sizes.length + 256; i += 1) writeSync(descriptor, block)
  closeSync(descriptor)
  rmSync(file)
}

async function warm(server) {
  for (const work of [produce, consume]) await work(server.bootstrap, 'warm', 62_500, 1024)
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
