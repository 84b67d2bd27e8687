/** The load generator of bench/load, run against a server on the clients' cores. */
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { loadProgram } from '../../scripts/build-bench.mjs'
import { clientCores } from './servers.mjs'

/**
 * One run of it; resolves to what it printed, throws what it complained of. `options` are its KEY=VALUE pairs, see the
 * heads of bench/load/*_mode.cc.
 */
export async function load(server, mode, options = {}) {
  const pairs = Object.entries({ bootstrap: server.bootstrap, 'server-pid': server.pid, ...options })
  const args = [loadProgram, mode, ...pairs.map(([key, value]) => `${key}=${value}`)]
  const child = spawn('taskset', ['-c', clientCores, ...args], { stdio: ['ignore', 'pipe', 'pipe'] })
  const text = { stdout: '', stderr: '' }
  for (const name of Object.keys(text)) {
    child[name].on('data', (chunk) => {
      text[name] += chunk
    })
  }
  const [code] = await once(child, 'close')
  if (code !== 0) throw new Error(`load ${args.slice(1).join(' ')}: ended with ${code}: ${text.stderr}`)
  return JSON.parse(text.stdout)
}
