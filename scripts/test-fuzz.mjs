// Fuzzes what parses bytes: replays each target's corpus, then a stated number of executions under ASan and UBSan.
//   node scripts/test-fuzz.mjs [--runs=N]     (default 300000 for each target; 50000 where each execution opens files,
//     and of requests)
// With clang++ the targets are libFuzzer's; g++ gets a driver that mutates the corpus without coverage. Findings go to
// build/fuzz/. Each target counts as one.
import { mkdirSync, readdirSync } from 'node:fs'
import { join } from 'node:path'
import { conclude } from './notes.mjs'
import { outputOf, root, tryQuietly, tryRun } from './shared.mjs'
import { sanitizerEnv, sanitizers } from './test-native.mjs'
import { runVitest } from './vitest.mjs'

const asked = process.argv.find((arg) => arg.startsWith('--runs='))?.slice('--runs='.length)
const build = join('build', 'fuzz')
const clang = outputOf('clang++', ['--version']) !== null

const options = ['-DSEGLOG_FUZZ=ON', '-DSEGLOG_TESTS=OFF', `-DSEGLOG_SANITIZE=${sanitizers.address}`]
if (clang) options.push('-DCMAKE_CXX_COMPILER=clang++')
const built = [
  ['-S', 'native', '-B', build, ...options],
  ['--build', build, '-j', '2'],
].every((args) => tryQuietly('cmake', args) === 0)
if (!built) {
  console.log('the fuzz targets did not build\n0 passed, 1 failed')
  process.exit(1)
}

const counts = { passed: 0, failed: 0 }
for (const target of readdirSync(join(root, 'native', 'fuzz')).filter((file) => file.endsWith('_fuzz.cc'))) {
  const name = target.slice(0, -'.cc'.length)
  const runs = asked ?? (/^(journal|segment)_/.test(name) ? '50000' : '300000')
  const seeds = join('native', 'fuzz', 'corpus', name.slice(0, -'_fuzz'.length))
  const grown = join(build, 'grown', name)
  mkdirSync(join(root, grown), { recursive: true })
  const limits = clang ? ['-max_len=65536', '-print_final_stats=0', '-verbosity=0', `-artifact_prefix=${build}/`] : []
  const program = join(root, build, 'fuzz', name)
  const code = tryRun(program, [`-runs=${runs}`, '-seed=1', ...limits, ...(clang ? [grown] : []), seeds], {
    env: { ...sanitizerEnv, ...process.env },
  })
  counts[code === 0 ? 'passed' : 'failed']++
  console.log(
    `${code === 0 ? 'passed' : 'failed'}: ${name}, corpus and ${runs} executions${clang ? ' of libFuzzer' : ''}`,
  )
}

// The frame reader and every request's decoder, handler and encoder are TypeScript: their target is a test.
process.env.SEGLOG_FUZZ_RUNS = asked ?? '50000'
const requests = runVitest('fuzz', ['test/server/request-fuzz.test.ts'])
for (const how of ['passed', 'failed']) counts[how] += requests[how]
console.log(`${requests.failed === 0 ? 'passed' : 'failed'}: requests, ${process.env.SEGLOG_FUZZ_RUNS} executions`)
conclude({ ...counts, notes: requests.notes })
