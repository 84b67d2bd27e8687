// What the scripts share: the root folder, running a program, and telling whether something built is stale.
// Node built-ins only: these run before node_modules exists.
import { spawnSync } from 'node:child_process'
import { createHash } from 'node:crypto'
import { closeSync, existsSync, mkdirSync, openSync, readdirSync, readFileSync, statSync, writeFileSync } from 'node:fs'
import { delimiter, dirname, join, relative } from 'node:path'
import { fileURLToPath } from 'node:url'

export const root = join(dirname(fileURLToPath(import.meta.url)), '..')
export const cacheFolder = join(root, 'node_modules', '.cache', 'seglog')

/** Runs a program with its output shown; resolves programs of node_modules/.bin first. Exits with its code if it fails. */
export function run(program, args = [], options = {}) {
  const code = tryRun(program, args, options)
  if (code !== 0) {
    console.error(`failed with ${code}: ${[program, ...args].join(' ')}`)
    process.exit(code)
  }
}

/** Like `run`, but gives back the exit code (128 + n where a signal ended it, 127 where there is no such program). */
export function tryRun(program, args = [], { cwd = root, env = process.env, ...options } = {}) {
  const path = [join(root, 'node_modules', '.bin'), env.PATH].join(delimiter)
  const result = spawnSync(program, args, { stdio: 'inherit', ...options, cwd, env: { ...env, PATH: path } })
  if (result.error) console.error(`${program}: ${result.error.message}`)
  if (result.error?.code === 'ENOENT') return 127
  return result.status ?? 128
}

/** Like `tryRun`, but shows the output only of a run that failed. */
export function tryQuietly(program, args, options) {
  mkdirSync(cacheFolder, { recursive: true })
  const log = join(cacheFolder, 'quiet.log')
  const file = openSync(log, 'w')
  const code = tryRun(program, args, { ...options, stdio: ['ignore', file, file] })
  closeSync(file)
  if (code !== 0) process.stderr.write(readFileSync(log))
  return code
}

/** What a program prints, trimmed; null where it fails or is missing. */
export function outputOf(program, args = [], options = {}) {
  const result = spawnSync(program, args, { cwd: root, encoding: 'utf8', maxBuffer: 1 << 28, ...options })
  return result.status === 0 ? result.stdout.trim() : null
}

/** Every file under the given files and folders, sorted, as paths from the root. */
export function filesUnder(paths, wanted = () => true) {
  const found = []
  const visit = (path) => {
    if (!existsSync(path)) return
    if (!statSync(path).isDirectory()) return void found.push(relative(root, path))
    for (const name of readdirSync(path)) if (name !== 'node_modules' && name !== 'build') visit(join(path, name))
  }
  for (const path of paths) visit(join(root, path))
  return found.filter(wanted).sort()
}

/** A digest over the names and bytes of the given files and folders, and over this platform. */
export function fingerprint(paths, wanted) {
  const hash = createHash('sha256').update(`${process.platform} ${process.arch}\n`)
  for (const file of filesUnder(paths, wanted)) hash.update(`${file}\n`).update(readFileSync(join(root, file)))
  return hash.digest('hex')
}

/**
 * Runs `build` unless the inputs are those of its last success and every output is there. The stamp is written only
 * after `build` returned, so a build cut short is done again.
 */
export async function buildIfStale({ name, inputs, wanted, outputs, force = false }, build) {
  const stamp = join(cacheFolder, `${name}.stamp`)
  const digest = fingerprint(inputs, wanted)
  const fresh = existsSync(stamp) && readFileSync(stamp, 'utf8') === digest
  if (!force && fresh && outputs.every((path) => existsSync(join(root, path)))) return false
  await build()
  mkdirSync(cacheFolder, { recursive: true })
  writeFileSync(stamp, digest)
  return true
}

/** The last line of every suite, which .ci/run adds up. */
export function countLine({ passed, failed, skipped = 0 }) {
  return `${passed} passed, ${failed} failed${skipped ? `, ${skipped} skipped` : ''}`
}

/** The counts of several runs together. */
export function addCounts(runs) {
  const sum = (name) => runs.reduce((total, counts) => total + counts[name], 0)
  return { passed: sum('passed'), failed: sum('failed'), skipped: sum('skipped') }
}
