/** What the load generator can do against a sink that throws everything away: no row may come near it. */
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { loadProgram } from '../../scripts/build-bench.mjs'
import { load } from '../lib/load.mjs'
import { serverCore } from '../lib/servers.mjs'
import { closedLoop } from './produce.mjs'
import { smallRequests } from './small-requests.mjs'

const bulk = { 'record-bytes': 1024 }
const rows = {
  'load generator against a sink, produce MB/s': async (sink, scale) =>
    (await load(sink, 'produce', { ...closedLoop, ...bulk, bytes: 4e9 * scale })).mb_s,
  'load generator against a sink, consume MB/s': async (sink) => (await load(sink, 'consume', bulk)).mb_s,
  'load generator against a sink, small requests/s': async (sink, scale) =>
    (await load(sink, 'produce', { ...smallRequests, seconds: 2 * scale })).requests_s,
}

export async function ceilings(report, wanted, { scale }) {
  const names = Object.keys(rows).filter(wanted)
  if (names.length === 0) return
  const child = spawn('taskset', ['-c', serverCore, loadProgram, 'sink', 'records=3000000'], {
    stdio: ['ignore', 'pipe', 'inherit'],
  })
  try {
    const [line] = await once(child.stdout, 'data')
    const sink = { bootstrap: `127.0.0.1:${JSON.parse(line).port}`, pid: child.pid }
    for (const name of names) {
      report({ name, value: await rows[name](sink, scale), unit: name.endsWith('MB/s') ? 'MB/s' : 'requests/s' })
    }
  } finally {
    child.kill('SIGKILL')
    await once(child, 'exit')
  }
}
