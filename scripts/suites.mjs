// Runs the suites of the table below one after another and adds up their counts.
//   node scripts/suites.mjs            all
//   node scripts/suites.mjs lint test  some
// A suite is a program whose last line of counts is `N passed, N failed[, N skipped]`. One that prints none, ends with a
// code, or outlives its minutes counts as a failure. What its tests that did not pass said (scripts/notes.mjs) is repeated
// below the table, or its last lines where a failure named no test. The last line here is `N passed, N failed` over all.
import { spawn } from 'node:child_process'
import { notesIn } from './notes.mjs'
import { root } from './shared.mjs'

/** name, npm script with its arguments, minutes it may take, and variables that size it. A further suite is one line. */
const table = [
  ['lint', 'lint', 3],
  ['test', 'test', 10],
  ['gates', 'gate:package', 5],
  ['native under ASan and UBSan', 'test:asan', 14],
  ['native under TSan', 'test:tsan', 10],
  ['fuzz', 'test:fuzz', 8],
  ['fuzz of the protocol', 'test:fuzz-protocol', 3, { SEGLOG_FUZZ_RUNS: '1000000' }],
  ['crash', 'test:crash', 15, { SEGLOG_KILL_CYCLES: '300', SEGLOG_POWER_CUTS: '50' }],
  ['disk', 'test:disk', 5],
  ['soak', 'test:soak', 5, { SEGLOG_SOAK_SECONDS: '60' }],
  ['interop', 'test:interop', 15],
  ['interop with the transfer off and forced', 'test:transfer', 8],
  ['client on three targets', 'test:targets', 10],
  ['package', 'test:package', 10],
  ['start', 'test:start', 3],
  ['readme', 'test:readme', 3],
]

/** How much of a suite's output is kept to look into, and how many of its last lines stand for an unnamed failure. */
const tailCharacters = 60_000
const tailLines = 15

const countsOf = /^(\d+) passed, (\d+) failed(?:, (\d+) skipped)?\s*$/gm

/** Runs one npm script in a process group of its own; resolves to { passed, failed, skipped, seconds, why, notes }. */
function runSuite([, script, minutes, variables = {}]) {
  const began = Date.now()
  const env = { ...process.env, CI: 'true', FORCE_COLOR: '0', ...variables }
  const child = spawn('npm', ['run', '--silent', script], {
    cwd: root,
    env,
    detached: true,
    stdio: ['ignore', 'pipe', 2],
  })
  let tail = ''
  let late = false
  const limit = setTimeout(() => {
    late = true
    process.kill(-child.pid, 'SIGKILL')
  }, minutes * 60_000)
  child.stdout.on('data', (chunk) => {
    process.stdout.write(chunk)
    tail = (tail + chunk).slice(-tailCharacters)
  })
  return new Promise((resolve) => {
    child.on('close', (code) => {
      clearTimeout(limit)
      const seconds = Math.round((Date.now() - began) / 1000)
      const [, ...numbers] = [...tail.matchAll(countsOf)].at(-1) ?? []
      const [passed = 0, failed = 0, skipped = 0] = numbers.map((number) => Number(number ?? 0))
      const died = late ? `took more than ${minutes} minutes` : numbers.length === 0 ? 'printed no counts' : ''
      const why = died || (code !== 0 && failed === 0 ? `ended with ${code}` : '')
      const notes = notesIn(tail)
      const isUnnamed = failed + (why ? 1 : 0) > 0 && !notes.some((text) => text.startsWith('FAILED'))
      if (isUnnamed) notes.push(...tail.trimEnd().split('\n').slice(-tailLines))
      resolve({ passed, failed: failed + (why ? 1 : 0), skipped, seconds, why, notes })
    })
  })
}

const asked = process.argv.slice(2)
const chosen = table.filter(([name, script]) => asked.length === 0 || asked.includes(name) || asked.includes(script))
const total = { passed: 0, failed: 0, skipped: 0, seconds: 0 }
const summary = []
const notes = []
for (const suite of chosen) {
  console.log(`\n=== ${suite[0]} (npm run ${suite[1]})`)
  const result = await runSuite(suite)
  for (const key of Object.keys(total)) total[key] += result[key]
  if (result.notes.length > 0) notes.push(`--- ${suite[0]}`, ...result.notes)
  const counts = `${result.passed} passed, ${result.failed} failed, ${result.skipped} skipped`
  summary.push(`${suite[0].padEnd(30)} ${counts.padEnd(42)} ${`${result.seconds} s`.padStart(7)}  ${result.why}`)
}
if (notes.length > 0) summary.push('', ...notes)
const budget = chosen.reduce((sum, [, , minutes]) => sum + minutes, 0)
console.log(`\n${summary.join('\n')}`)
console.log(`\n${Math.round(total.seconds / 60)} minutes taken, ${budget} allowed; ${total.skipped} skipped`)
console.log(`${total.passed} passed, ${total.failed} failed`)
process.exitCode = total.failed > 0 || total.passed === 0 ? 1 : 0
