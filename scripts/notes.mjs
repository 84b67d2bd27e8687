// What a suite says of its tests that did not pass, in a form that scripts/suites.mjs finds in its output.
import { countLine } from './shared.mjs'

const indent = ' '.repeat(9)
const linesMax = 5
const columnsMax = 240
const notesMax = 20

/** A test that failed or was skipped, by its full name, with the first lines of what it said and where it was. */
export function note(state, name, message = '') {
  // biome-ignore lint/suspicious/noControlCharactersInRegex: colours begin with one
  const plain = `${message}`.replace(/\u001b\[[0-9;]*m/g, '')
  const lines = plain.split('\n').filter((line) => line.trim() !== '')
  const frame = lines.find((line) => /^\s+at .*[\\/]test[\\/]/.test(line))
  const said = lines.filter((line) => !/^\s+at /.test(line)).slice(0, linesMax)
  const shown = frame === undefined ? said : [...said, frame]
  return [`${state.padEnd(8)} ${name}`, ...shown.map((line) => indent + line.trim())]
    .map((line) => (line.length > columnsMax ? `${line.slice(0, columnsMax)}...` : line))
    .join('\n')
}

/** The notes of a suite and, as its last line, its counts; a failure sets the exit code. */
export function conclude({ notes = [], ...counts }) {
  // Failures last, next to the counts: a record of a run often shows no more than its end.
  const ordered = [...notes].sort((a, b) => Number(a.startsWith('FAILED')) - Number(b.startsWith('FAILED')))
  if (ordered.length > 0) console.log()
  if (ordered.length > notesMax) console.log(`(${ordered.length - notesMax} more tests did not pass)`)
  for (const text of ordered.slice(-notesMax)) console.log(text)
  console.log(countLine(counts))
  process.exitCode = counts.failed > 0 ? 1 : 0
}

/** The notes in what a suite printed. */
export function notesIn(output) {
  return output.match(new RegExp(`^(FAILED  |SKIPPED ) .*(\\n${indent}.*)*`, 'gm')) ?? []
}
