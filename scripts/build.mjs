// Bundles ts/ into dist/: CommonJS with shared and lazily loaded chunks, a thin ES module over each entry, and types.
//   node scripts/build.mjs [--force]
//
// esbuild splits only ES modules. So it first bundles to split ES modules, then each chunk is turned into CommonJS:
// `import()` becomes a `require` made when it is reached, and a module is never in two chunks, so that there is one
// instance of everything whichever way the package is loaded.
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
  const target = 'node20'
  const { outputFiles, metafile } = await esbuild.build({
    absWorkingDir: root,
    entryPoints: { ...library, ...programs },
    outdir: 'dist',
    chunkNames: 'chunks/[name]-[hash]',
    bundle: true,
    splitting: true,
    format: 'esm',
    platform: 'node',
    target,
    external: [...Object.keys(dependencies), ...Object.keys(peerDependencies), '*.node'],
    logLevel: 'warning',
    write: false,
    metafile: true,
  })
  refuseCommonJsSources(metafile.inputs)
  mkdirSync(join(root, 'dist', 'chunks'), { recursive: true })
  for (const { path, text } of outputFiles) {
    const { code } = await esbuild.transform(text, {
      format: 'cjs',
      platform: 'node',
      target,
      supported: { 'dynamic-import': false },
    })
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
