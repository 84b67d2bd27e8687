// Compiles the addon for the Node that runs this, into build/Release/seglog.node of the package.
//   node native/build.mjs            (`npx seglog build-native` and `npm run build:native` come here)
// Needs g++ (or clang++), make and python3. Node built-ins only: it also runs inside an installed package.
import { spawnSync } from 'node:child_process'
import { copyFileSync, existsSync, mkdirSync, renameSync } from 'node:fs'
import { createRequire } from 'node:module'
import { dirname, join, resolve } from 'node:path'
import { fileURLToPath, pathToFileURL } from 'node:url'

const native = dirname(fileURLToPath(import.meta.url))
const target = join(native, '..', 'build', 'Release', 'seglog.node')

/** The folder whose include/node holds the headers of the running Node; null where they were not installed with it. */
function headersBesideNode() {
  const prefix = resolve(dirname(process.execPath), '..')
  return existsSync(join(prefix, 'include', 'node', 'common.gypi')) ? prefix : null
}

/** How to start node-gyp: a copy beside this package, the one inside npm, else through npx. */
function nodeGypCommand() {
  const npmFolder = join(dirname(process.execPath), '..', 'lib', 'node_modules', 'npm')
  const besideNpm = process.env.npm_execpath && resolve(dirname(process.env.npm_execpath), '..')
  for (const from of [native, npmFolder, besideNpm]) {
    if (!from) continue
    try {
      return [process.execPath, createRequire(join(from, 'x.js')).resolve('node-gyp/bin/node-gyp.js')]
    } catch {
      // Not here: look in the next place.
    }
  }
  return ['npx', '--yes', 'node-gyp']
}

/** Builds the addon and gives back its path. Throws an Error whose message says what to install. */
export function compileAddon() {
  const prefix = headersBesideNode()
  if (!prefix) console.error(`no headers beside ${process.execPath}: node-gyp downloads those of ${process.version}`)
  const [program, ...before] = nodeGypCommand()
  const args = ['configure', 'build', '--directory', native, '--jobs', '2', '--loglevel', 'warn']
  if (prefix) args.push('--nodedir', prefix)
  const { status, error, stdout, stderr } = spawnSync(program, [...before, ...args], {
    cwd: native,
    stdio: ['ignore', 'pipe', 'pipe'],
    maxBuffer: 1 << 28,
  })
  if (status !== 0) {
    process.stderr.write(Buffer.concat([stdout ?? Buffer.of(), stderr ?? Buffer.of()]))
    const reason = error ? error.message : `node-gyp ended with ${status}`
    throw new Error(`the addon did not compile (${reason}). It needs a C++20 compiler, make and python3.`)
  }
  // A new file under the old name: a process that has the old one mapped keeps it.
  mkdirSync(dirname(target), { recursive: true })
  copyFileSync(join(native, 'build', 'Release', 'seglog.node'), `${target}.new`)
  renameSync(`${target}.new`, target)
  return target
}

if (process.argv[1] && import.meta.url === pathToFileURL(process.argv[1]).href) {
  try {
    console.error(`built ${compileAddon()}`)
  } catch (error) {
    console.error(error.message)
    process.exitCode = 1
  }
}
