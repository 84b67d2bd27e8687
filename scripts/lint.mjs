// Style and architecture: formatting, lint, types, the floors of the house, and the core's freedom from Node.
//   node scripts/lint.mjs [--fix]
// Ends with one line `N passed, N failed`; each check is one.
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { countLine, filesUnder, outputOf, root, tryRun } from './shared.mjs'

const fix = process.argv.includes('--fix')
const nodeHeader =
  /^\s*#\s*include\s*[<"](?:[^>"]*\/)?(node_api|js_native_api|napi|napi-inl|node|uv|v8)(_types)?\.h[>"]/m

/** Name of the check and a function that is true where it holds. */
const checks = [
  ['biome', () => tryRun('biome', ['check', '--error-on-warnings', ...(fix ? ['--write'] : []), '.']) === 0],
  ['types', () => tryRun('tsc', ['--noEmit']) === 0],
  ['floors', () => tryRun('depcruise', ['--config', '.dependency-cruiser.cjs', '--output-type', 'err', 'ts']) === 0],
  ['core includes no Node header', coreIsFreeOfNode],
  ['sources.txt is complete', sourcesAreListed],
  ['error codes are generated', () => tryRun(process.execPath, ['scripts/generate-errors.mjs', '--check']) === 0],
  ['clang-format', clangFormat],
]

function coreIsFreeOfNode() {
  const guilty = filesUnder(['native/core'], (file) => nodeHeader.test(readFileSync(join(root, file), 'utf8')))
  for (const file of guilty) console.error(`${file} includes a header of Node: that belongs in native/addon`)
  return guilty.length === 0
}

function sourcesAreListed() {
  const listed = readFileSync(join(root, 'native', 'sources.txt'), 'utf8')
    .trim()
    .split('\n')
  const present = filesUnder(['native/core', 'native/addon'], (file) => file.endsWith('.cc')).map((file) =>
    file.slice(7),
  )
  const forgotten = present.filter((file) => !listed.includes(file))
  const gone = listed.filter((file) => !present.includes(file))
  for (const file of forgotten) console.error(`native/${file} is not in native/sources.txt`)
  for (const file of gone) console.error(`native/sources.txt names ${file}, which does not exist`)
  return forgotten.length + gone.length === 0
}

function clangFormat() {
  if (outputOf('clang-format', ['--version']) === null) {
    if (process.env.CI) return false
    console.error('clang-format is not here (apt-get install clang-format): not checked')
    return null
  }
  const sources = filesUnder(['native', 'bench'], (file) => /\.(cc|h)$/.test(file))
  const how = ['--style=file:native/.clang-format', '--Werror', fix ? '-i' : '--dry-run']
  return sources.length === 0 || tryRun('clang-format', [...how, ...sources]) === 0
}

const counts = { passed: 0, failed: 0, skipped: 0 }
for (const [name, check] of checks) {
  const holds = check()
  const outcome = holds === null ? 'skipped' : holds ? 'passed' : 'failed'
  counts[outcome]++
  console.log(`${outcome}: ${name}`)
}
console.log(countLine(counts))
process.exitCode = counts.failed > 0 ? 1 : 0
