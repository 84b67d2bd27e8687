// Makes ts/errors/codes.ts from native/core/errors.def, so that both sides share one table.
//   node scripts/generate-errors.mjs          writes the file
//   node scripts/generate-errors.mjs --check  exits 1 if it is stale
import { readFileSync, writeFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'

const self = fileURLToPath(import.meta.url)
const root = join(dirname(self), '..')
const source = join(root, 'native/core/errors.def')
const target = join(root, 'ts/errors/codes.ts')

/** Rows of errors.def in order: { code, retriable, advice }. */
export function parseErrors(text) {
  const rows = [
    ...text.matchAll(/^SEGLOG_ERROR\((\w+),\s*"([A-Z_]+)",\s*(true|false),\s*"((?:[^"\\]|\\.)*)"\)$/gm),
  ].map(([, name, code, retriable, advice]) => ({
    name,
    code,
    retriable: retriable === 'true',
    advice: JSON.parse(`"${advice}"`),
  }))
  const lines = text.split('\n').filter((line) => line.startsWith('SEGLOG_ERROR(')).length
  if (rows.length !== lines)
    throw new Error(`errors.def: ${lines - rows.length} rows are not on one line or are malformed`)
  return rows
}

/** The whole text of ts/errors/codes.ts. */
export function renderCodes(rows) {
  const quote = (text) => (text.includes("'") ? JSON.stringify(text) : `'${text.replaceAll('\\', '\\\\')}'`)
  const entries = rows.map(({ code, retriable, advice }) => {
    const line = `  ${code}: { retriable: ${retriable}, advice: ${quote(advice)} },`
    if (line.length <= 120) return line
    const broken = `    advice: ${quote(advice)},`
    if (broken.length <= 120) return `  ${code}: {\n    retriable: ${retriable},\n${broken}\n  },`
    return `  ${code}: {\n    retriable: ${retriable},\n    advice:\n      ${quote(advice)},\n  },`
  })
  return `// Generated from native/core/errors.def by scripts/generate-errors.mjs; change that table, not this file.

export interface EngineErrorInfo {
  /** True if the same call may succeed later without a change. */
  readonly retriable: boolean
  /** What the user can do, as a clause that follows the message. */
  readonly advice: string
}

/** Every error code the native engine answers with. */
export const engineErrors = {
${entries.join('\n')}
} as const satisfies Record<string, EngineErrorInfo>

export type EngineErrorCode = keyof typeof engineErrors
`
}

if (process.argv[1] === self) {
  const text = renderCodes(parseErrors(readFileSync(source, 'utf8')))
  if (!process.argv.includes('--check')) writeFileSync(target, text)
  else if (readFileSync(target, 'utf8') !== text) {
    console.error('ts/errors/codes.ts is stale: run node scripts/generate-errors.mjs')
    process.exitCode = 1
  }
}
