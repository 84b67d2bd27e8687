// Checks a prebuilt binary: architecture, newest glibc symbol, exported symbols, NODELETE flag, libraries, size.
//   node scripts/gate-binary.mjs [prebuilds/linux-x64/seglog.node ...]
// Reads them with readelf (binutils). Ends with `N passed, N failed`.
import { existsSync, statSync } from 'node:fs'
import { join } from 'node:path'
import { pathToFileURL } from 'node:url'
import { countLine, filesUnder, outputOf, root } from './shared.mjs'

const maxBytes = 1_500_000
const maxGlibc = [2, 28]
const allowedExports = /^(napi_register_module_v\d+|node_api_module_get_api_version_v\d+)$/
const allowedLibraries = /^(libc|libm|libpthread|libdl|librt|ld-linux-[\w-]+)\.so\.\d+$/
const machines = { x64: 'Advanced Micro Devices X86-64', arm64: 'AArch64' }

const readelf = (file, ...options) =>
  outputOf('readelf', ['-W', ...options, file], { env: { ...process.env, LC_ALL: 'C' } })
const all = (text, pattern) => [...text.matchAll(pattern)].map(([, found]) => found)
const isNewer = ([major, minor], [atMost, atMostMinor]) => major > atMost || (major === atMost && minor > atMostMinor)

/** What is wrong with the binary at `prebuilds/PLATFORM-ARCH/seglog.node`: one text per finding, null where right. */
export function inspectBinary(file) {
  const [, arch] = file.match(/linux-(x64|arm64)(?:-musl)?\//) ?? []
  const header = readelf(file, '--file-header')
  if (header === null) return { readable: 'readelf (binutils) is missing or cannot read it' }
  const symbols = readelf(file, '--dyn-syms')
  const dynamic = readelf(file, '--dynamic')

  const [, machine] = header.match(/Machine:\s+(.*)/)
  const versions = all(symbols, /@GLIBC_([\d.]+)/g).map((version) => version.split('.').map(Number))
  const newest = versions.reduce((best, version) => (isNewer(version, best) ? version : best), [0, 0])
  const exported = all(symbols, /(?:FUNC|OBJECT)\s+(?:GLOBAL|WEAK|UNIQUE)\s+(?:DEFAULT|PROTECTED)\s+\d+\s+(\S+)/g)
  const foreign = exported.filter((name) => !allowedExports.test(name))
  const libraries = all(dynamic, /\(NEEDED\).*\[(.*)\]/g).filter((name) => !allowedLibraries.test(name))
  const bytes = statSync(join(root, file)).size

  return {
    architecture: machine === machines[arch] ? null : `${machine} under ${arch}`,
    glibc: isNewer(newest, maxGlibc) ? `needs GLIBC_${newest.join('.')}, above ${maxGlibc.join('.')}` : null,
    exports: foreign.length > 0 ? `exports ${foreign.slice(0, 5).join(', ')}` : null,
    'registers itself': exported.some((name) => allowedExports.test(name)) ? null : 'exports no napi_register_module',
    nodelete: /FLAGS_1\).*NODELETE/.test(dynamic) ? null : 'is not linked with -z nodelete',
    libraries: libraries.length > 0 ? `needs ${libraries.join(', ')}` : null,
    size: bytes > maxBytes ? `${bytes} bytes, above ${maxBytes}` : null,
  }
}

/** Prints a line per finding and gives back the counts. */
export function gateBinaries(files) {
  const counts = { passed: 0, failed: files.length === 0 ? 1 : 0 }
  if (files.length === 0) console.log('no binary under prebuilds/ (npm run prebuild)')
  for (const file of files) {
    if (!existsSync(join(root, file))) throw new Error(`${file} does not exist (npm run prebuild)`)
    for (const [name, finding] of Object.entries(inspectBinary(file))) {
      counts[finding ? 'failed' : 'passed']++
      if (finding) console.log(`${file}: ${name}: ${finding}`)
    }
    console.log(`${file}: ${statSync(join(root, file)).size} bytes`)
  }
  return counts
}

if (import.meta.url === pathToFileURL(process.argv[1]).href) {
  const named = process.argv.slice(2)
  const counts = gateBinaries(named.length > 0 ? named : filesUnder(['prebuilds'], (file) => file.endsWith('.node')))
  console.log(countLine(counts))
  process.exitCode = counts.failed > 0 ? 1 : 0
}
