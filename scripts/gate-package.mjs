// Gates of the packed package: publint, attw, what the tarball holds, TypeScript's node16 resolution from both module
// kinds, and jest, vitest and node:test each loading it and writing one record.
//   node scripts/gate-package.mjs
// The tarball needs no prebuilt binary here: the addon of this checkout is used. Ends with `N passed, N failed`.
import { rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { makeProject, npmInstall, pack, temporaryFolder } from './packed.mjs'
import { countLine, root, tryRun } from './shared.mjs'

const folder = temporaryFolder('gate')
const { tarball, files, bytes } = pack(folder)
const project = makeProject(join(folder, 'project'), tarball)
const inProject = {
  cwd: project,
  env: { ...process.env, SEGLOG_NATIVE: join(root, 'build', 'Release', 'seglog.node'), NODE_PATH: '' },
}
const passes = (program, ...args) => tryRun(program, args, inProject) === 0

const checks = [
  ['the tarball holds what it must and nothing else', contents],
  ['publint', () => passes('publint', 'run', tarball, '--strict')],
  ['attw', () => passes('attw', tarball, '--profile', 'node16')],
  ['types from an ES module and from CommonJS', types],
  ['node:test', () => passes(process.execPath, '--test', 'loads.node.test.mjs')],
  ['jest', () => passes('jest', '--rootDir', project, '--testMatch', '**/loads.jest.test.js')],
  ['vitest', () => vitest()],
]

function contents() {
  const unwanted = files.filter((file) => !/^(dist|native|prebuilds)\/|^(package\.json|README\.md|LICENSE)$/.test(file))
  const builds = files.filter((file) => /^native\/(build|test|fuzz)\//.test(file))
  const needed = ['dist/index.js', 'dist/index.mjs', 'dist/index.d.ts', 'dist/index.d.mts', 'dist/cli.js', 'LICENSE']
  const shipped = ['native/binding.gyp', 'native/build.mjs', 'native/sources.txt']
  const absent = [...needed, ...shipped].filter((file) => !files.includes(file))
  for (const file of [...unwanted, ...builds]) console.error(`${file} should not be in the tarball`)
  for (const file of absent) console.error(`${file} is not in the tarball`)
  console.log(`${files.length} files, ${Math.round(bytes / 1024)} KiB packed`)
  return unwanted.length + builds.length + absent.length === 0
}

function types() {
  npmInstall(project, '@types/node@20')
  const options = {
    module: 'node16',
    target: 'es2022',
    lib: ['es2023', 'esnext.disposable'],
    strict: true,
    noEmit: true,
  }
  const config = { compilerOptions: { ...options, types: ['node'] }, files: ['uses-types.mts', 'uses-types.cts'] }
  writeFileSync(join(project, 'tsconfig.json'), JSON.stringify(config))
  const holds = passes('tsc', '--project', project)
  rmSync(join(project, 'tsconfig.json'))
  return holds
}

/** vitest is imported by the test file itself, so it must be found from the project. */
function vitest() {
  npmInstall(project, 'vitest@4')
  return passes(join(project, 'node_modules', '.bin', 'vitest'), 'run', '--root', project, 'loads.vitest')
}

const counts = { passed: 0, failed: 0 }
for (const [name, check] of checks) {
  const outcome = check() ? 'passed' : 'failed'
  counts[outcome]++
  console.log(`${outcome}: ${name}`)
}
console.log(countLine(counts))
process.exitCode = counts.failed > 0 ? 1 : 0
