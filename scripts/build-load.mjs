// Builds the benches' load generator, bench/load, with g++ into build/bench/load, unless it is there and current.
//   node scripts/build-load.mjs
import { mkdirSync } from 'node:fs'
import { join } from 'node:path'
import { pathToFileURL } from 'node:url'
import { buildIfStale, filesUnder, outputOf, root, tryQuietly } from './shared.mjs'

export const loadProgram = join(root, 'build', 'bench', 'load')

/** What the generator takes from the core: batches and their CRC, as the engine itself reads them. */
const core = ['crc32c', 'crc32c_arm', 'crc32c_table', 'crc32c_x86', 'record_batch', 'record_head', 'status']
const flags = ['-std=c++20', '-O2', '-Wall', '-Wextra', '-Inative/core', '-pthread']

export async function buildLoad() {
  const own = filesUnder(['bench/load'])
  const cores = core.map((name) => `native/core/${name}.cc`)
  const target = { name: 'bench-load', inputs: [...own, ...cores], outputs: ['build/bench/load'] }
  await buildIfStale(target, () => {
    if (outputOf('g++', ['--version']) === null) throw new Error('needs g++: apt-get install g++')
    console.error('building the load generator')
    mkdirSync(join(root, 'build', 'bench'), { recursive: true })
    const sources = [...own.filter((file) => file.endsWith('.cc')), ...cores]
    if (tryQuietly('g++', [...flags, ...sources, '-o', loadProgram]) !== 0) throw new Error('bench/load did not build')
  })
}

if (import.meta.url === pathToFileURL(process.argv[1]).href) await buildLoad()
