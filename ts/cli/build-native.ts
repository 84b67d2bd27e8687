import { spawnSync } from 'node:child_process'
import { existsSync } from 'node:fs'
import { dirname, join } from 'node:path'
import type { Command } from 'commander'
import { SeglogError } from '../errors/seglog-error.js'

/** `seglog build-native`: for platforms without a prebuilt binary. */
export function register(program: Command): void {
  program
    .command('build-native')
    .description('Compile the native addon for this Node; needs a C++20 compiler, make and python3.')
    .action(() => {
      const script = buildScript(__dirname)
      const { status } = spawnSync(process.execPath, [script], { stdio: 'inherit' })
      process.exitCode = status === 0 ? 0 : 1
    })
}

/** The package's own build script, from wherever in the package this file was put. */
function buildScript(from: string): string {
  for (let folder = from; ; folder = dirname(folder)) {
    const script = join(folder, 'native', 'build.mjs')
    if (existsSync(script)) return script
    if (folder === dirname(folder)) {
      throw new SeglogError('FILE_NOT_FOUND', `native/build.mjs is not above ${from}: install the package again`, {
        path: from,
      })
    }
  }
}
