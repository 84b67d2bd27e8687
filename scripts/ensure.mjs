// Makes a checkout runnable: installs, builds the addon, builds the TypeScript, each only where stale.
//   node scripts/ensure.mjs            all three
//   node scripts/ensure.mjs install    only the packages (the others: native, build)
// `npm start` and `npm test` call it first, so that each works as the first command after `git clone`.
import { existsSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { root, run } from './shared.mjs'

const steps = process.argv.slice(2)
const asked = (step) => steps.length === 0 || steps.includes(step)

/** True where node_modules lacks a package of the lock file or holds another version (platform packages aside). */
function installIsStale() {
  const installed = join(root, 'node_modules', '.package-lock.json')
  if (!existsSync(installed)) return true
  const packagesOf = (file) => JSON.parse(readFileSync(file, 'utf8')).packages
  const have = packagesOf(installed)
  return Object.entries(packagesOf(join(root, 'package-lock.json'))).some(
    ([path, { version, optional, devOptional, peer }]) =>
      path !== '' && !optional && !devOptional && !peer && have[path]?.version !== version,
  )
}

// No package needs its install script: the same install works where scripts are off. Not `npm ci`: it refuses a lock file
// made where the registry lacked another platform's optional package.
if (asked('install') && installIsStale()) {
  console.error('installing packages (npm install)')
  run('npm', ['install', '--no-save', '--ignore-scripts', '--no-audit', '--no-fund', '--loglevel=error'], {
    stdio: ['ignore', 2, 2],
  })
}
if (asked('native')) await (await import('./build-native.mjs')).buildNative()
if (asked('build')) await (await import('./build.mjs')).buildTypeScript()
