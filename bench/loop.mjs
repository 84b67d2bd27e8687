/**
 * What the event loop feels: its delay while the library writes at full rate beside a process that fills the page cache
 * without syncing, and the latency of one awaited send.
 */
import { spawn } from 'node:child_process'
import { freemem } from 'node:os'
import { join } from 'node:path'
import { monitorEventLoopDelay } from 'node:perf_hooks'
import { open } from 'seglog'
import { bufferArrays } from './lib/records.mjs'
import { percentile, withFolder } from './lib/rounds.mjs'

const filler = `
const fs = require('node:fs')
const file = fs.openSync(process.argv[1], 'w')
const block = Buffer.alloc(1 << 20, 7)
for (let left = Number(process.argv[2]); left > 0; left -= block.length) fs.writeSync(file, block)
fs.closeSync(file)
`

async function besideAnUnsyncedWriter(report, folder) {
  const log = await open(join(folder, 'data'))
  await log.admin().createTopic({ topic: 'bench', partitions: 4 })
  const producer = log.producer({ acks: 1 })
  const arrays = bufferArrays(20_000, 1000, 100)
  const twiceTheLimit = Math.min(2 * 0.2 * freemem(), 10 * 2 ** 30)
  const other = spawn(process.execPath, ['-e', filler, join(folder, 'filler'), String(twiceTheLimit)], {
    stdio: 'ignore',
  })
  let running = true
  other.once('exit', () => {
    running = false
  })
  const delays = monitorEventLoopDelay({ resolution: 1 })
  delays.enable()
  let sent = 0
  const start = Date.now()
  while (running && Date.now() - start < 60_000) {
    await producer.send({ topic: 'bench', messages: arrays[(sent / 100) % arrays.length] })
    sent += 100
  }
  delays.disable()
  other.kill()
  const took = (Date.now() - start) / 1000
  await log.close()
  report({
    name: 'event loop delay p99.9 beside an unsynced writer',
    value: delays.percentile(99.9) / 1e6,
    unit: 'ms',
  })
  report({ name: 'event loop delay max beside an unsynced writer', value: delays.max / 1e6, unit: 'ms' })
  report({ name: 'produced meanwhile', value: (sent * 1000) / took / 1e6, unit: 'MB/s' })
}

async function oneAwaitedSend(report, folder) {
  const log = await open(join(folder, 'single'))
  await log.admin().createTopic({ topic: 'bench', partitions: 1 })
  const producer = log.producer({ acks: 1 })
  const messages = [{ value: Buffer.alloc(100, 1) }]
  const times = []
  for (let n = 0; n < 220_000; n += 1) {
    const before = process.hrtime.bigint()
    await producer.send({ topic: 'bench', messages })
    const took = Number(process.hrtime.bigint() - before) / 1000
    if (n >= 20_000) times.push(took)
  }
  await log.close()
  times.sort((a, b) => a - b)
  for (const [name, fraction] of [
    ['p50', 0.5],
    ['p99', 0.99],
    ['p99.9', 0.999],
  ]) {
    report({ name: `awaited send 100 B acks=1 ${name}`, value: percentile(times, fraction), unit: 'us' })
  }
}

export async function run(report) {
  await withFolder((folder) => oneAwaitedSend(report, folder))
  await withFolder((folder) => besideAnUnsyncedWriter(report, folder))
}
