/** Runs a TypeScript program of this folder as a child process that may be killed at any moment. */
import { type ChildProcessByStdio, spawn } from 'node:child_process'
import { existsSync } from 'node:fs'
import { join } from 'node:path'
import type { Readable } from 'node:stream'
import { buildSync } from 'esbuild'

const root = join(__dirname, '..', '..')
const cache = join(root, 'node_modules', '.cache', 'crash')
const binary = [process.env.SEGLOG_NATIVE, join(root, 'build', 'Release', 'seglog.node')].find(
  (path) => path && existsSync(path),
)

/** Bundles `test/crash/<name>.ts` and returns the path of the program. */
export function bundleProgram(name: string): string {
  const outfile = join(cache, `${name}.cjs`)
  buildSync({
    entryPoints: [join(__dirname, `${name}.ts`)],
    outfile,
    bundle: true,
    platform: 'node',
    format: 'cjs',
    packages: 'external',
    logLevel: 'error',
  })
  return outfile
}

export function startProgram(program: string, options: object): ChildProcessByStdio<null, Readable, Readable> {
  return spawn(process.execPath, [program, JSON.stringify(options)], {
    stdio: ['ignore', 'pipe', 'pipe'],
    env: { ...process.env, ...(binary ? { SEGLOG_NATIVE: binary } : {}) },
  })
}

/** Collects a child's output until it ends, by itself or by a signal. */
export async function outcome(
  child: ChildProcessByStdio<null, Readable, Readable>,
): Promise<{ output: string; errors: string; code: number | null; signal: string | null }> {
  let output = ''
  let errors = ''
  child.stdout.on('data', (chunk: Buffer) => {
    output += chunk.toString()
  })
  child.stderr.on('data', (chunk: Buffer) => {
    errors += chunk.toString()
  })
  return new Promise((resolve) => {
    child.once('close', (code, signal) => resolve({ output, errors, code, signal }))
  })
}

/** A repeatable random source (mulberry32). */
export function randomFrom(seed: number): () => number {
  let state = seed >>> 0
  return () => {
    state = (state + 0x6d2b79f5) >>> 0
    let mixed = Math.imul(state ^ (state >>> 15), state | 1)
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61)
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 4294967296
  }
}
