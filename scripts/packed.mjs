// The package as users get it: packs this checkout and installs the tarball in an empty project.
import { copyFileSync, mkdirSync, mkdtempSync, readdirSync, rmSync, symlinkSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { basename, dirname, join } from 'node:path'
import { outputOf, root, run } from './shared.mjs'

const quiet = ['--ignore-scripts', '--no-audit', '--no-fund', '--loglevel=error']

const temporaryFolders = []
process.on('exit', () => {
  for (const folder of temporaryFolders) rmSync(folder, { recursive: true, force: true })
})

/** A temporary folder, removed when the process ends. */
export function temporaryFolder(name) {
  const folder = mkdtempSync(join(tmpdir(), `seglog-${name}-`))
  temporaryFolders.push(folder)
  return folder
}

/** Packs the checkout into `folder`: the tarball's path and the files in it. */
export function pack(folder) {
  const output = outputOf('npm', ['pack', '--json', '--loglevel=error', '--pack-destination', folder])
  if (output === null) throw new Error('npm pack failed')
  const [{ filename, files, size }] = Object.values(JSON.parse(output))
  return { tarball: join(folder, basename(filename)), files: files.map(({ path }) => path), bytes: size }
}

/** A project with the tarball installed by npm, without install scripts, and the programs of test/package in it. */
export function makeProject(folder, tarball, install = npmInstall) {
  mkdirSync(folder, { recursive: true })
  writeFileSync(join(folder, 'package.json'), JSON.stringify({ name: 'a-project', version: '1.0.0', private: true }))
  const programs = join(root, 'test', 'package')
  for (const file of readdirSync(programs)) copyFileSync(join(programs, file), join(folder, file))
  install(folder, tarball)
  return folder
}

export function npmInstall(folder, ...packages) {
  run('npm', ['install', ...quiet, ...packages], { cwd: folder, stdio: ['ignore', 'ignore', 'inherit'] })
}

/** Installs again from the lock file that the first installation wrote. */
export function npmCleanInstall(folder, tarball) {
  npmInstall(folder, tarball)
  rmSync(join(folder, 'node_modules'), { recursive: true })
  run('npm', ['ci', ...quiet], { cwd: folder, stdio: ['ignore', 'ignore', 'inherit'] })
}

/** A PATH on which there is this `node` and a shell, and no compiler, make or python. */
export function pathWithoutCompiler(folder, node) {
  mkdirSync(folder, { recursive: true })
  const found = (name) => outputOf('sh', ['-c', `command -v ${name}`])
  const programs = { node, sh: found('sh'), env: found('env') }
  for (const [name, target] of Object.entries(programs)) symlinkSync(target, join(folder, name))
  return folder
}

/** Where npm puts a program of a package that was installed in `folder`. */
export const installedProgram = (folder, name) => join(folder, 'node_modules', '.bin', name)

/** The newest Node, as the npm registry carries it; null where it has none for this platform. */
export function installNewestNode(folder) {
  const name = `node-${process.platform}-${process.arch}`
  if (outputOf('npm', ['view', name, 'version', '--loglevel=error']) === null) return null
  mkdirSync(folder, { recursive: true })
  writeFileSync(join(folder, 'package.json'), '{"private":true}')
  npmInstall(folder, name)
  return join(dirname(installedProgram(folder, 'x')), '..', name, 'bin', 'node')
}
