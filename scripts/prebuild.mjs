// Builds the binaries that ship in the tarball, with zig as the cross compiler, and checks them.
//   node scripts/prebuild.mjs [linux-x64 ...]
// Writes prebuilds/TARGET/seglog.node. Needs cmake and python3 with pip: zig comes from the Python registry (package
// `ziglang`) into node_modules/.cache. Old glibc and a static C++ runtime: Debian's g++ would need GLIBC_2.36.
import { copyFileSync, existsSync, mkdirSync } from 'node:fs'
import { join } from 'node:path'
import { gateBinaries } from './gate-binary.mjs'
import { compileWithCMake } from './native-cmake.mjs'
import { cacheFolder, countLine, root, run } from './shared.mjs'

const zigVersion = '0.17.1'

/** Folder under prebuilds/ and zig's name of the target. A further one is a row here. */
const targets = {
  'linux-x64': 'x86_64-linux-gnu.2.28',
}

/** The zig program, installed once. */
function zig() {
  const folder = join(cacheFolder, `zig-${zigVersion}`)
  const program = join(folder, 'ziglang', 'zig')
  if (!existsSync(program)) {
    console.error(`installing zig ${zigVersion}`)
    const quiet = ['--quiet', '--disable-pip-version-check', '--root-user-action=ignore', '--no-compile']
    run('python3', ['-m', 'pip', 'install', ...quiet, '--target', folder, `ziglang==${zigVersion}`])
  }
  return program
}

function prebuild(target) {
  const built = compileWithCMake(`prebuild-${target}`, {
    CMAKE_CXX_COMPILER: zig(),
    // Not in CMAKE_CXX_FLAGS, which cmake-js sets itself. A named target also means its baseline CPU, not this one.
    CMAKE_CXX_COMPILER_ARG1: `c++ -target ${targets[target]}`,
    SEGLOG_HIDE_SYMBOLS: 'ON',
  })
  const file = join('prebuilds', target, 'seglog.node')
  mkdirSync(join(root, 'prebuilds', target), { recursive: true })
  copyFileSync(built, join(root, file))
  return file
}

const names = process.argv.slice(2)
for (const name of names) if (!targets[name]) throw new Error(`no target ${name}: ${Object.keys(targets).join(', ')}`)
const counts = gateBinaries((names.length > 0 ? names : Object.keys(targets)).map(prebuild))
console.log(countLine(counts))
process.exitCode = counts.failed > 0 ? 1 : 0
