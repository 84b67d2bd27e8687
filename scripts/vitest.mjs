// Runs vitest and counts its tests. It prints as usual; the counts and the names come from its JSON report.
import { existsSync, mkdirSync, readFileSync, rmSync } from 'node:fs'
import { join, relative } from 'node:path'
import { note } from './notes.mjs'
import { cacheFolder, root, tryRun } from './shared.mjs'

/**
 * { passed, failed, skipped, notes } of `vitest run` with further arguments; `label` goes before the names in the notes.
 * A run that dies counts as one failure, and so does a file that does not load.
 */
export function runVitest(name, args = [], label = '') {
  const report = join(cacheFolder, `vitest-${name}.json`)
  mkdirSync(cacheFolder, { recursive: true })
  rmSync(report, { force: true })
  const reporters = ['--reporter=default', '--reporter=json', `--outputFile.json=${report}`]
  const code = tryRun('vitest', ['run', ...reporters, ...args], { stdio: ['ignore', 'inherit', 'inherit'] })
  if (!existsSync(report)) {
    const notes = [note('FAILED', `${label}vitest`, `ended with ${code} and wrote no report`)]
    return { passed: 0, failed: 1, skipped: 0, notes }
  }
  const { numPassedTests, numPendingTests, numTodoTests, testResults } = JSON.parse(readFileSync(report, 'utf8'))
  const notes = testResults.flatMap((file) => notesOf(file, label))
  const countFailed = () => notes.filter((text) => text.startsWith('FAILED')).length
  if (code !== 0 && countFailed() === 0) {
    notes.push(note('FAILED', `${label}vitest`, `ended with ${code} though no test failed: an error outside of them`))
  }
  return { passed: numPassedTests, failed: countFailed(), skipped: numPendingTests + numTodoTests, notes }
}

/** What a file of the report has to say: its tests that did not pass, and itself where it did not load. */
function notesOf({ name, status, message, assertionResults }, label) {
  const file = `${label}${relative(root, name)}`
  const notes = assertionResults
    .filter((test) => test.status !== 'passed')
    .map((test) => {
      const path = [file, ...test.ancestorTitles, test.title].join(' > ')
      return note(test.status === 'failed' ? 'FAILED' : 'SKIPPED', path, test.failureMessages?.[0])
    })
  const isBroken = status === 'failed' && !notes.some((text) => text.startsWith('FAILED'))
  return isBroken ? [...notes, note('FAILED', file, message)] : notes
}
