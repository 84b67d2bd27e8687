// Bundles ts/ into dist/: CommonJS, a thin ES module over each entry of the library, and types.
//   node scripts/build.mjs [--force]
//
// The library is one file: calls from chunk to chunk would go through getters, which made a send cost twice as much. The
// command line, whose commands are loaded when they are asked for, is split. esbuild splits only ES modules, so it is first
// bundled to those, then each chunk is turned into CommonJS: `import()` becomes a `require` made when it is reached.
import { chmodSync, mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { createRequire } from 'node:module'
import { basename, join } from 'node:path'
import { pathToFileURL } from 'node:url'
import { buildIfStale, filesUnder, root, run } from './shared.mjs'

const { dependencies = {}, peerDependencies = {} } = JSON.parse(readFileSync(join(root, 'package.json'), 'utf8'))

/** What `exports` of package.json names (library) and what `bin` and the scripts start (programs). */
const library = { index: 'ts/index.ts' }
const programs = { cli: 'ts/cli/main.ts' }

export async function buildTypeScript({ force = false } = {}) {
  const names = [...Object.keys(library), ...Object.keys(programs)]
  const bundle = {
    name: 'typescript',
    inputs: ['ts', 'package.json', 'package-lock.json', 'tsconfig.json', 'tsconfig.types.json', 'scripts/build.mjs'],
    outputs: names.map((name) => `dist/${name}.js`),
    force,
  }
  return buildIfStale(bundle, async () => {
    console.error('building dist/')
    rmSync(join(root, 'dist'), { recursive: true, force: true })
    await bundleCommonJs()
    writeEsModules()
    writeTypes()
  })
}

async function bundleCommonJs() {
  const esbuild = await import('esbuild')
  const platform = { platform: 'node', target: 'node20' }
  const bundle = {
    ...platform,
    absWorkingDir: root,
    outdir: 'dist',
    bundle: true,
    external: [...Object.keys(dependencies), ...Object.keys(peerDependencies), '*.node'],
    logLevel: 'warning',
    metafile: true,
  }
  const one = await esbuild.build({ ...bundle, entryPoints: library, format: 'cjs' })
  const split = await esbuild.build({
    ...bundle,
    entryPoints: programs,
    chunkNames: 'chunks/[name]-[hash]',
    splitting: true,
    format: 'esm',
    write: false,
  })
  refuseCommonJsSources({ ...one.metafile.inputs, ...split.metafile.inputs })
  mkdirSync(join(root, 'dist', 'chunks'), { recursive: true })
  for (const { path, text } of split.outputFiles) {
    const supported = { 'dynamic-import': false }
    const { code } = await esbuild.transform(text, { ...platform, format: 'cjs', supported })
    writeFileSync(path, code)
  }
  for (const name of Object.keys(programs)) chmodSync(join(root, 'dist', `${name}.js`), 0o755)
}

/** esbuild takes a source that imports but exports nothing for CommonJS, and wraps it and all it imports. */
function refuseCommonJsSources(inputs) {
  const taken = Object.keys(inputs).filter((file) => inputs[file].format === 'cjs')
  if (taken.length > 0) throw new Error(`exports nothing, add \`export {}\`: ${taken.join(', ')}`)
}

/** dist/NAME.mjs: the same instance under its names, for `import`. */
function writeEsModules() {
  const require = createRequire(import.meta.url)
  for (const name of Object.keys(library)) {
    const names = Object.keys(require(join(root, 'dist', `${name}.js`))).sort()
    const text = `import library from './${name}.js'\n\nexport const { ${names.join(', ')} } = library\n`
    writeFileSync(join(root, 'dist', `${name}.mjs`), text)
  }
}

/** dist/types/: what tsc declares; beside it one entry for `require` and one for `import`. */
function writeTypes() {
  run('tsc', ['--project', 'tsconfig.types.json'])
  for (const [name, source] of Object.entries(library)) {
    const text = `export * from './types/${basename(source, '.ts')}.js'\n`
    writeFileSync(join(root, 'dist', `${name}.d.ts`), text)
    writeFileSync(join(root, 'dist', `${name}.d.mts`), text)
  }
}

if (import.meta.url === pathToFileURL(process.argv[1]).href) {
  const built = await buildTypeScript({ force: process.argv.includes('--force') })
  const files = filesUnder(['dist'], (file) => file.endsWith('js')).length
  console.error(built ? `built dist/ (${files} files of JavaScript)` : 'dist/ is fresh')
}
