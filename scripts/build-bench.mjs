// Builds the benches' own C++ programs with g++ into build/bench, unless they are there and current.
//   node scripts/build-bench.mjs
import { mkdirSync } from 'node:fs'
import { join } from 'node:path'
import { pathToFileURL } from 'node:url'
import { buildIfStale, filesUnder, outputOf, root, tryQuietly } from './shared.mjs'

export const loadProgram = join(root, 'build', 'bench', 'load')
export const zeroCopyProgram = join(root, 'build', 'bench', 'zero-copy')

const crc = ['crc32c', 'crc32c_arm', 'crc32c_fold', 'crc32c_table', 'crc32c_x86']
/** What the programs take from the core and from each other: batches and their CRC, as the engine itself reads them. */
const core = (names) => names.map((name) => `native/core/${name}.cc`)
const shared = ['json_line', 'options'].map((name) => `bench/load/${name}.cc`)
const flags = ['-std=c++20', '-O2', '-Wall', '-Wextra', '-pthread', '-Inative/core', '-Ibench/load']

/** The load generator of the judge. */
export const buildLoad = () => build('load', core([...crc, 'record_batch', 'record_head', 'status']))

/** The three ways from a file to a socket. */
export const buildZeroCopy = () => build('zero-copy', [...core(crc), ...shared])

async function build(name, others) {
  const own = filesUnder([`bench/${name}`], (file) => /\.(cc|h)$/.test(file))
  const target = { name: `bench-${name}`, inputs: [...own, ...others], outputs: [`build/bench/${name}`] }
  await buildIfStale(target, () => {
    if (outputOf('g++', ['--version']) === null) throw new Error('needs g++: apt-get install g++')
    console.error(`building bench/${name}`)
    mkdirSync(join(root, 'build', 'bench'), { recursive: true })
    const sources = [...own.filter((file) => file.endsWith('.cc')), ...others]
    const code = tryQuietly('g++', [...flags, ...sources, '-o', join('build', 'bench', name)])
    if (code !== 0) throw new Error(`bench/${name} did not build`)
  })
}

if (import.meta.url === pathToFileURL(process.argv[1]).href) {
  await buildLoad()
  await buildZeroCopy()
}
