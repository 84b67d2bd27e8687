// Builds the native core's tests with CMake and runs them under GoogleTest.
//   node scripts/test-native.mjs [--sanitize=address|thread] [--filter=GTEST_FILTER]
// Without cmake or GoogleTest it says how to get them; --required makes that a failure.
import { existsSync, mkdirSync, readFileSync, rmSync } from 'node:fs'
import { basename, join } from 'node:path'
import { pathToFileURL } from 'node:url'
import { conclude, note } from './notes.mjs'
import { addCounts, outputOf, root, tryQuietly, tryRun } from './shared.mjs'

const howToGet = 'apt-get install cmake ninja-build libgtest-dev'

/** What -fsanitize= gets. */
export const sanitizers = { '': '', address: 'address,undefined', thread: 'thread' }

export const sanitizerEnv = {
  ASAN_OPTIONS: 'abort_on_error=1:detect_leaks=1',
  UBSAN_OPTIONS: 'halt_on_error=1:print_stacktrace=1',
  TSAN_OPTIONS: 'halt_on_error=1:second_deadlock_stack=1',
}

/** { passed, failed, skipped, notes }; a program that dies counts as one failure more. */
export function testNative({ sanitize = '', filter = '*', required = false } = {}) {
  const build = join('build', sanitize ? `tests-${sanitize}` : 'tests')
  const missing = whatIsMissing()
  if (missing) {
    const notes = [note(required ? 'FAILED' : 'SKIPPED', 'C++ unit tests', `no ${missing} here (${howToGet})`)]
    return { passed: 0, failed: required ? 1 : 0, skipped: required ? 0 : 1, notes }
  }
  const generator = outputOf('ninja', ['--version']) ? ['-G', 'Ninja'] : []
  const options = [
    `-DCMAKE_BUILD_TYPE=${sanitize ? 'RelWithDebInfo' : 'Release'}`,
    `-DSEGLOG_SANITIZE=${sanitizers[sanitize]}`,
  ]
  console.log(`building the C++ unit tests in ${build}`)
  const configured = tryQuietly('cmake', ['-S', 'native', '-B', build, ...generator, ...options])
  if (configured !== 0 || tryQuietly('cmake', ['--build', build, '-j', '2']) !== 0) {
    return { passed: 0, failed: 1, skipped: 0, notes: [note('FAILED', 'C++ unit tests', 'did not build, see above')] }
  }
  const found = testPrograms(build).map((program) => runProgram(program, build, filter))
  return { ...addCounts(found), notes: found.flatMap(({ notes }) => notes) }
}

function whatIsMissing() {
  if (outputOf('cmake', ['--version']) === null) return 'cmake'
  const found = ['/usr/include', '/usr/local/include'].some((path) => existsSync(join(path, 'gtest', 'gtest.h')))
  return found || process.env.GTEST_ROOT ? null : 'GoogleTest'
}

/** The programs that CTest knows, each once (it lists every test of them). */
function testPrograms(build) {
  const { tests } = JSON.parse(outputOf('ctest', ['--test-dir', build, '--show-only=json-v1']) ?? '{"tests":[]}')
  return [...new Set(tests.flatMap(({ command }) => command?.slice(0, 1) ?? []))]
}

function runProgram(program, build, filter) {
  const report = join(root, build, 'report.json')
  rmSync(report, { force: true })
  mkdirSync(join(root, build), { recursive: true })
  const args = ['--gtest_brief=1', `--gtest_filter=${filter}`, `--gtest_output=json:${report}`]
  const code = tryRun(program, args, { env: { ...sanitizerEnv, ...process.env } })
  const file = basename(program)
  if (!existsSync(report)) {
    const notes = [note('FAILED', file, `ended with ${code} and wrote no report`)]
    return { passed: 0, failed: 1, skipped: 0, notes }
  }
  const { tests, failures, errors = 0, testsuites } = JSON.parse(readFileSync(report, 'utf8'))
  const all = testsuites.flatMap((suite) => suite.testsuite)
  const skipped = all.filter(({ result }) => result === 'SKIPPED')
  const named = ({ classname, name }) => `${file} > ${classname}.${name}`
  const notes = [
    ...skipped.map((test) => note('SKIPPED', named(test))),
    ...all.filter((test) => test.failures).map((test) => note('FAILED', named(test), test.failures[0].failure)),
  ]
  const died = code !== 0 && failures + errors === 0 ? 1 : 0
  if (died) notes.push(note('FAILED', file, `ended with ${code} though no test failed`))
  const failed = failures + errors + died
  return { passed: tests - failures - errors - skipped.length, failed, skipped: skipped.length, notes }
}

if (import.meta.url === pathToFileURL(process.argv[1]).href) {
  const option = (name) => process.argv.find((arg) => arg.startsWith(`--${name}=`))?.slice(name.length + 3)
  const required = process.argv.includes('--required')
  conclude(testNative({ sanitize: option('sanitize'), filter: option('filter'), required }))
}
