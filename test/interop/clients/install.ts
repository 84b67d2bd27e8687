/**
 * Puts foreign clients into node_modules/.cache/interop, each in a folder of its own, once per version. Package
 * registries are the only sources and no install script runs.
 */
import { spawnSync } from 'node:child_process'
import { existsSync, mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'

export const cache = join(__dirname, '..', '..', '..', 'node_modules', '.cache', 'interop')
export const programs = join(__dirname, '..', 'programs')

/** Runs `install(folder)` unless the folder holds what `recipe` says; resolves to the folder. */
export function installOnce(name: string, recipe: string, install: (folder: string) => void): string {
  const folder = join(cache, name)
  const stamp = join(folder, '.complete')
  if (existsSync(stamp) && readFileSync(stamp, 'utf8') === recipe) return folder
  rmSync(folder, { recursive: true, force: true })
  mkdirSync(folder, { recursive: true })
  install(folder)
  writeFileSync(stamp, recipe)
  return folder
}

/** npm packages (name to version) in a folder with a package.json of its own. */
export function npmFolder(name: string, packages: Record<string, string>): string {
  const manifest = JSON.stringify({ private: true, dependencies: packages }, null, 2)
  return installOnce(`npm-${name}`, manifest, (folder) => {
    writeFileSync(join(folder, 'package.json'), manifest)
    // The runtime is one of the packages: what the packages say about the npm's own Node is beside the point.
    execute('npm', ['install', '--ignore-scripts', '--no-audit', '--no-fund', '--engine-strict=false'], folder)
  })
}

/** A Node of its own, of this major version, from npm; resolves to the executable. */
export function nodeFromNpm(major: number): string {
  const name = `node-${process.platform === 'win32' ? 'win' : process.platform}-${process.arch}`
  const folder = npmFolder(`node-${major}`, { [name]: String(major) })
  return join(folder, 'node_modules', name, 'bin', process.platform === 'win32' ? 'node.exe' : 'node')
}

/** Python packages (`name==version`) for PYTHONPATH. */
export function pipFolder(name: string, packages: readonly string[]): string {
  return installOnce(`pip-${name}`, packages.join('\n'), (folder) => {
    execute('pip3', ['install', '--quiet', '--only-binary', ':all:', '--target', folder, ...packages], folder)
  })
}

/** Every jar that a pom names, in one folder. */
export function mavenFolder(name: string, pom: string): string {
  return installOnce(`maven-${name}`, readFileSync(pom, 'utf8'), (folder) => {
    execute('mvn', ['-q', '-B', '-f', pom, 'dependency:copy-dependencies', `-DoutputDirectory=${folder}`], folder)
  })
}

/** Classes of `programs/java`, compiled against a folder of jars. */
export function javaClasses(name: string, jars: string, sources: readonly string[]): string {
  const files = sources.map((source) => join(programs, 'java', source))
  const recipe = files.map((file) => readFileSync(file, 'utf8')).join('\n')
  return installOnce(`classes-${name}`, recipe, (folder) => {
    execute('javac', ['-nowarn', '-cp', join(jars, '*'), '-d', folder, ...files], folder)
  })
}

function execute(program: string, args: readonly string[], cwd: string): void {
  const run = spawnSync(program, args, { cwd, encoding: 'utf8', maxBuffer: 1 << 28 })
  if (run.error) throw new Error(`${program} cannot run: ${run.error.message}`)
  if (run.status !== 0) throw new Error(`${program} ${args.join(' ')} exited ${run.status}\n${run.stdout}${run.stderr}`)
}
