// Runs the examples of README.md and docs/: every js and ts block that imports seglog, and every sh block of `seglog`
// commands, in order, in one empty folder per page. A block after `<!-- not run -->` stays out.
//   node scripts/test-readme.mjs [README.md docs/x.md ...]
// Ends with `N passed, N failed`.
import { mkdirSync, readFileSync, symlinkSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { transformSync } from 'esbuild'
import { temporaryFolder } from './packed.mjs'
import { countLine, filesUnder, root, tryRun } from './shared.mjs'

const fence = /(<!-- not run -->\s*)?^```(js|ts|sh)\n(.*?)^```$/gms
const ours = { js: /from 'seglog'|require\('seglog'\)/, ts: /from 'seglog'/, sh: /^(?:[^#\n]*\|\s*)?(?:npx )?seglog /m }

/** A folder in which `seglog` is installed (a link to this checkout). */
function projectFor(page) {
  const project = temporaryFolder('readme')
  mkdirSync(join(project, 'node_modules', '.bin'), { recursive: true })
  symlinkSync(root, join(project, 'node_modules', 'seglog'), 'dir')
  symlinkSync('../seglog/dist/cli.js', join(project, 'node_modules', '.bin', 'seglog'))
  writeFileSync(join(project, 'package.json'), JSON.stringify({ name: page, private: true }))
  return project
}

function runBlock(project, language, text, number) {
  const options = { cwd: project, timeout: 60_000 }
  if (language === 'sh') {
    const path = `${join(project, 'node_modules', '.bin')}:${process.env.PATH}`
    return tryRun('bash', ['-euo', 'pipefail', '-c', text], { ...options, env: { ...process.env, PATH: path } }) === 0
  }
  const extension = /\brequire\('seglog'\)/.test(text) ? 'cjs' : 'mjs'
  const file = join(project, `example-${number}.${extension}`)
  writeFileSync(file, transformSync(text, { loader: language, target: 'node20' }).code)
  return tryRun(process.execPath, [file], options) === 0
}

const named = process.argv.slice(2)
const pages = named.length > 0 ? named : filesUnder(['README.md', 'docs'], (file) => file.endsWith('.md'))
const counts = { passed: 0, failed: pages.length === 0 ? 1 : 0, skipped: 0 }
for (const page of pages) {
  const source = readFileSync(join(root, page), 'utf8')
  const project = projectFor('examples')
  for (const { 1: notRun, 2: language, 3: text, index } of source.matchAll(fence)) {
    if (!ours[language].test(text)) continue
    const where = `${page}:${source.slice(0, index).split('\n').length}`
    const outcome = notRun ? 'skipped' : runBlock(project, language, text, index) ? 'passed' : 'failed'
    counts[outcome]++
    console.log(`${outcome}: ${where} (${language})`)
  }
}
if (counts.passed === 0 && named.length === 0) counts.failed++
console.log(countLine(counts))
process.exitCode = counts.failed > 0 ? 1 : 0
