// Writes what the saved results of the benches look like: bench/RESULTS.md, its plots, the drawing of zero copy and the
// table of README.md.
//   node scripts/bench-report.mjs
// `npm run bench` calls it after each whole run of a benchmark whose results are kept (bench/results/NAME.json).
import { existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { pathToFileURL } from 'node:url'
import { drawRatios } from '../bench/report/plots.mjs'
import { readmeTable, resultsPage } from '../bench/report/tables.mjs'
import { drawZeroCopy } from '../bench/report/zero-copy-drawing.mjs'
import { root } from './shared.mjs'

const folder = join(root, 'bench', 'results')
const marks = ['<!-- bench: begin -->', '<!-- bench: end -->']

function saved(name) {
  const file = join(folder, `${name}.json`)
  return existsSync(file) ? JSON.parse(readFileSync(file, 'utf8')) : null
}

export async function reportResults() {
  const results = { broker: saved('broker'), 'zero-copy': saved('zero-copy') }
  mkdirSync(folder, { recursive: true })
  const plots = results.broker ? await drawRatios(results.broker) : {}
  for (const [name, svg] of Object.entries(plots)) writeFileSync(join(folder, name), svg)
  if (results['zero-copy']) writeFileSync(join(root, 'docs', 'zero-copy.svg'), drawZeroCopy(results['zero-copy']))
  writeFileSync(join(root, 'bench', 'RESULTS.md'), resultsPage(results, Object.keys(plots)))
  if (results.broker) replaceBetweenMarks(join(root, 'README.md'), readmeTable(results.broker))
}

function replaceBetweenMarks(file, text) {
  const page = readFileSync(file, 'utf8')
  const [begin, end] = marks.map((mark) => page.indexOf(mark))
  if (begin < 0 || end < begin) throw new Error(`${file} has no ${marks.join(' and ')}`)
  writeFileSync(file, `${page.slice(0, begin + marks[0].length)}\n${text}\n${page.slice(end)}`)
}

if (import.meta.url === pathToFileURL(process.argv[1]).href) await reportResults()
