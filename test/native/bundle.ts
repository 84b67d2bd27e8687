import { join } from 'node:path'
import { build } from 'esbuild'

const root = join(__dirname, '../..')

/**
 * The engine as one CommonJS file under the package's root, for child processes and worker threads, which do not read
 * TypeScript. It exports what `open-engine.ts` exports.
 */
export async function bundledEngine(): Promise<string> {
  const outfile = join(root, 'node_modules/.cache/seglog/test-native', `engine-${process.pid}.cjs`)
  await build({
    entryPoints: [join(root, 'ts/native/open-engine.ts')],
    outfile,
    bundle: true,
    format: 'cjs',
    platform: 'node',
    target: 'node20',
    logLevel: 'warning',
  })
  return outfile
}
