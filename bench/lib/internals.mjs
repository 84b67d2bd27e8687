/** The engine below the library, for benchmarks of single floors: bundled from ts/ on the fly. */
import { createRequire } from 'node:module'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { buildSync } from 'esbuild'

const root = fileURLToPath(new URL('../..', import.meta.url))

/** Loads `ts/<entry>` with everything it imports. */
export function loadInternal(entry) {
  const outfile = join(root, 'node_modules', '.cache', 'bench', `${entry.replaceAll('/', '-')}.cjs`)
  buildSync({
    entryPoints: [join(root, 'ts', entry)],
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
