// Builds the addon with cmake-js: a release, or one under a sanitizer.
//   node scripts/native-cmake.mjs [--sanitize=address|thread]
// The binary is build/addon[-SANITIZER]/seglog.node; SEGLOG_NATIVE=that path makes the library load it. A sanitized one
// needs its runtime first in the process: LD_PRELOAD=$(g++ -print-file-name=libasan.so) (libtsan.so).
import { existsSync } from 'node:fs'
import { dirname, join, resolve } from 'node:path'
import { pathToFileURL } from 'node:url'
import { outputOf, root, tryQuietly } from './shared.mjs'
import { sanitizers } from './test-native.mjs'

/** Compiles native/ into build/NAME/seglog.node with further CMake definitions, and gives back that path. */
export function compileWithCMake(name, definitions = {}, { config = 'Release' } = {}) {
  const folder = join(root, 'build', name)
  const prefix = resolve(dirname(process.execPath), '..')
  const beside = existsSync(join(prefix, 'include', 'node', 'node_api.h'))
  if (!beside) console.error(`no headers beside ${process.execPath}: cmake-js downloads those of ${process.version}`)
  const env = { ...process.env, ...(beside ? { npm_config_nodedir: prefix } : {}) }
  const defined = Object.entries(definitions).map(([key, value]) => `--CD${key}=${value}`)
  const generator = outputOf('ninja', ['--version']) ? ['--generator', 'Ninja'] : []
  const args = ['--directory', join(root, 'native'), '--out', folder, '--config', config, '--parallel', '2']
  console.error(`compiling the addon into build/${name}`)
  const code = tryQuietly('cmake-js', ['compile', ...args, ...generator, ...defined], { env })
  if (code !== 0) throw new Error(`cmake-js ended with ${code}`)
  return [join(folder, 'seglog.node'), join(folder, config, 'seglog.node')].find((path) => existsSync(path))
}

if (import.meta.url === pathToFileURL(process.argv[1]).href) {
  const sanitize = process.argv.find((arg) => arg.startsWith('--sanitize='))?.slice('--sanitize='.length) ?? ''
  const name = sanitize ? `addon-${sanitize}` : 'addon'
  const config = sanitize ? 'RelWithDebInfo' : 'Release'
  console.log(compileWithCMake(name, { SEGLOG_SANITIZE: sanitizers[sanitize] }, { config }))
}
