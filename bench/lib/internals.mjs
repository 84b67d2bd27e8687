/** The engine below the library, for benchmarks of single floors: bundled from ts/ on the fly. */
import { createRequire } from 'node:module'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { buildSync } from 'esbuild'

const root = fileURLToPath(new URL('../..', import.meta.url))

/** Loads `ts/<entry>` with everything it imports. */
export function loadInternal(entry) {
  return loadTogether([entry])
}

/** As `loadInternal` for several entries, whose exports come as one: they share what they import. */
export function loadTogether(entries) {
  const outfile = join(root, 'node_modules', '.cache', 'bench', `${entries.join('+').replaceAll('/', '-')}.cjs`)
  const contents = entries.map((entry) => `export * from './${entry}'`).join('\n')
  buildSync({
    stdin: { contents, resolveDir: join(root, 'ts'), loader: 'ts' },
    outfile,
    bundle: true,
    platform: 'node',
    format: 'cjs',
    packages: 'external',
    logLevel: 'error',
  })
  process.env.SEGLOG_NATIVE ??= join(root, 'build', 'Release', 'seglog.node')
  return createRequire(import.meta.url)(outfile)
}
