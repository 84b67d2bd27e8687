// The tarball as users get it: built with its binary, installed by npm, npm ci and pnpm with install scripts off, then
// used on this Node and on the newest one, with no compiler in PATH; and compiled on demand where no binary fits.
//   node scripts/test-package.mjs
// Ends with `N passed, N failed`, the checks of the binary included.
import { existsSync, rmSync } from 'node:fs'
import { join } from 'node:path'
import { gateBinaries } from './gate-binary.mjs'
import {
  installedProgram,
  installNewestNode,
  makeProject,
  npmCleanInstall,
  pack,
  pathWithoutCompiler,
  temporaryFolder,
} from './packed.mjs'
import { countLine, outputOf, run, tryRun } from './shared.mjs'

run(process.execPath, ['scripts/prebuild.mjs'])
const folder = temporaryFolder('package')
const binary = `prebuilds/${process.platform}-${process.arch}/seglog.node`
const counts = gateBinaries([binary])

function check(name, holds) {
  counts[holds ? 'passed' : 'failed']++
  console.log(`${holds ? 'passed' : 'failed'}: ${name}`)
}

const { tarball, files, bytes } = pack(folder)
console.log(`${tarball}: ${files.length} files, ${Math.round(bytes / 1024)} KiB`)
check('the tarball carries the binary', files.includes(binary))
check('nothing in it makes npm compile', !files.includes('binding.gyp') && !hasInstallScript())

function hasInstallScript() {
  const manifest = outputOf('tar', ['-xOf', tarball, 'package/package.json'])
  return ['preinstall', 'install', 'postinstall'].some((name) => JSON.parse(manifest).scripts?.[name])
}

/** An environment without this checkout's variables and with nothing that compiles. */
function bareEnvironment(node, name) {
  const { HOME, TMPDIR } = process.env
  return { HOME, ...(TMPDIR ? { TMPDIR } : {}), PATH: pathWithoutCompiler(join(folder, `path-${name}`), node) }
}

const newest = installNewestNode(join(folder, 'newest-node'))
check('the newest Node is on the registry', newest !== null)
const nodes = [process.execPath, ...(newest ? [newest] : [])].map((node, n) => ({
  label: outputOf(node, ['--version']),
  node,
  env: bareEnvironment(node, n),
}))

function useOnEveryNode(installer, project) {
  for (const { label, node, env } of nodes) {
    const program = (file, ...args) => tryRun(node, [file, ...args], { cwd: project, env, timeout: 60_000 }) === 0
    check(`${installer}, Node ${label}: require`, program('use-it.cjs'))
    check(`${installer}, Node ${label}: import`, program('use-it.mjs'))
    const command = join('node_modules', 'seglog', 'dist', 'cli.js')
    check(`${installer}, Node ${label}: command line`, program(command, '--version'))
  }
}

useOnEveryNode('npm install', makeProject(join(folder, 'npm'), tarball))
useOnEveryNode('npm ci', makeProject(join(folder, 'npm-ci'), tarball, npmCleanInstall))
useOnEveryNode('pnpm add', makeProject(join(folder, 'pnpm'), tarball, pnpmAdd))
compileOnDemand(makeProject(join(folder, 'on-demand'), tarball))

/** pnpm of the last line that runs on Node 20, with a store of its own. */
function pnpmAdd(project, what) {
  const tools = join(folder, 'pnpm-itself')
  if (!existsSync(tools)) makeProject(tools, 'pnpm@10')
  const pnpm = join(tools, 'node_modules', 'pnpm', 'bin', 'pnpm.cjs')
  const args = ['add', what, '--ignore-scripts', '--store-dir', join(folder, 'pnpm-store'), '--reporter=silent']
  run(process.execPath, [pnpm, ...args], { cwd: project, env: { ...process.env, CI: 'true' } })
}

/** Without a binary: an error that names the command, which then makes one. */
function compileOnDemand(project) {
  rmSync(join(project, 'node_modules', 'seglog', 'prebuilds'), { recursive: true })
  const failing = "require('seglog').open('x').catch((error) => console.log(error.code, error.message))"
  const said = outputOf(process.execPath, ['-e', failing], { cwd: project }) ?? ''
  check('without a binary the error names the command', /NATIVE_BINARY_MISSING.*build-native/s.test(said))
  const built = tryRun(installedProgram(project, 'seglog'), ['build-native'], { cwd: project, stdio: ['ignore', 2, 2] })
  check('seglog build-native compiles', built === 0)
  check('and the library uses it', tryRun(process.execPath, ['use-it.cjs'], { cwd: project }) === 0)
}

console.log(countLine(counts))
process.exitCode = counts.failed > 0 ? 1 : 0
