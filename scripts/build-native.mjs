// Builds the addon from native/ where it is stale (native/build.mjs does the work).
//   node scripts/build-native.mjs [--force]
import { pathToFileURL } from 'node:url'
import { compileAddon } from '../native/build.mjs'
import { buildIfStale } from './shared.mjs'

/** Resolves to true if it compiled, false if the binary was fresh. */
export async function buildNative({ force = false } = {}) {
  const addonSources = {
    name: 'native',
    inputs: ['native', 'package-lock.json'],
    wanted: (file) => !/^native\/(test|fuzz)\/|CMakeLists|\.md$/.test(file),
    outputs: ['build/Release/seglog.node'],
    force,
  }
  return buildIfStale(addonSources, () => {
    console.error('building the native addon')
    compileAddon()
  })
}

if (import.meta.url === pathToFileURL(process.argv[1]).href) {
  const built = await buildNative({ force: process.argv.includes('--force') })
  console.error(built ? 'built build/Release/seglog.node' : 'build/Release/seglog.node is fresh')
}
