// Runs benchmarks: `npm run bench -- NAME... [--json] [OPTION...]`; without a name it lists them.
//   --json    one line per row: {"bench","name","value","unit","peer","peerValue","ratio"}; else a table
//   --save    rows of a narrowed run of broker or zero-copy replace those of the same names in bench/results
// Other options are the benchmark's own (broker has some: bench/broker/options.mjs). Whole runs of broker and zero-copy
// are kept anyway; from what is kept, bench/RESULTS.md, its plots and the README's table are written.
// bench/NAME.mjs exports `run(report)`. The peers have their own package.json there and are installed on first use;
// better-sqlite3 is compiled here, since its binaries do not come from the npm registry.
import { spawnSync } from 'node:child_process'
import { existsSync, readdirSync, rmSync, statSync, symlinkSync } from 'node:fs'
import { createRequire } from 'node:module'
import { dirname, join, resolve } from 'node:path'
import { pathToFileURL } from 'node:url'
import { buildIfStale, root, run, tryQuietly } from './shared.mjs'

const folder = join(root, 'bench')
const names = readdirSync(folder)
  .filter((file) => file.endsWith('.mjs'))
  .map((file) => file.slice(0, -4))
const asked = process.argv.slice(2).filter((arg) => !arg.startsWith('--'))
const json = process.argv.includes('--json')
const options = process.argv.slice(2).filter((arg) => arg.startsWith('--') && arg !== '--json')
const unknown = asked.filter((name) => !names.includes(name))

/** Those that measure the stores of bench/lib/peers.mjs. */
const withStores = new Set(['embedded', 'fsync'])

if (asked.length === 0 || unknown.length > 0) {
  if (unknown.length > 0) console.error(`no benchmark named ${unknown.join(', ')}`)
  console.error(`npm run bench -- NAME... [--json]\n  ${names.join('\n  ')}`)
  process.exit(unknown.length > 0 ? 2 : 0)
}

await installPeers()
if (asked.some((name) => withStores.has(name))) await compileSqlite()
for (const name of asked) await runBenchmark(name)

function installPeers() {
  const peers = {
    name: 'bench-peers',
    inputs: ['bench/package.json', 'bench/package-lock.json'],
    outputs: ['bench/node_modules/seglog', 'bench/node_modules/vega'],
  }
  return buildIfStale(peers, () => {
    console.error('installing the peers')
    const quiet = { cwd: folder, stdio: ['ignore', 2, 2] }
    run('npm', ['install', '--no-save', '--ignore-scripts', '--no-audit', '--no-fund', '--loglevel=error'], quiet)
    // The library under its own name, as a user's program imports it.
    const link = join(folder, 'node_modules', 'seglog')
    rmSync(link, { force: true })
    symlinkSync('../..', link, 'dir')
  })
}

function compileSqlite() {
  const sqlite = join('bench', 'node_modules', 'better-sqlite3')
  const outputs = [join(sqlite, 'build', 'Release', 'better_sqlite3.node')]
  return buildIfStale({ name: 'bench-sqlite', inputs: ['bench/package-lock.json'], outputs }, () => {
    console.error('compiling better-sqlite3')
    const prefix = resolve(dirname(process.execPath), '..')
    const beside = existsSync(join(prefix, 'include', 'node', 'common.gypi'))
    const gyp = createRequire(import.meta.url).resolve('node-gyp/bin/node-gyp.js')
    const options = ['--release', '--jobs', '2', '--loglevel', 'error']
    const args = ['rebuild', ...options, ...(beside ? ['--nodedir', prefix] : [])]
    const code = tryQuietly(process.execPath, [gyp, ...args], { cwd: join(root, sqlite) })
    if (code !== 0) throw new Error(`better-sqlite3 did not compile (node-gyp ended with ${code})`)
  })
}

/** In a process of its own, so that one benchmark's heap and threads are not the next one's. */
async function runBenchmark(name) {
  const runner = join(root, 'scripts', 'bench-one.mjs')
  const file = pathToFileURL(join(folder, `${name}.mjs`)).href
  const target = join(folder, 'results', `${name}.json`)
  const before = timeOf(target)
  const args = ['--expose-gc', runner, name, file, json ? 'json' : 'table', target, ...options]
  const { status } = spawnSync(process.execPath, args, { stdio: 'inherit' })
  if (status !== 0) process.exitCode = 1
  else if (timeOf(target) !== before) await (await import('./bench-report.mjs')).reportResults()
}

function timeOf(file) {
  return existsSync(file) ? statSync(file).mtimeMs : 0
}
