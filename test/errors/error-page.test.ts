import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { engineErrors } from '../../ts/errors/codes.js'
import { libraryErrors } from '../../ts/errors/library-codes.js'
import { protocolErrors } from '../../ts/protocol/errors.js'

const root = join(__dirname, '..', '..')
/** Outcomes inside the engine: nobody outside `ts/log` meets them. */
const internal = new Set(['SEGMENT_FULL', 'NOT_READY', 'COLD'])

function table(header: string, rows: string[][]): string {
  const [first = [], ...rest] = [header.split('|'), ...rows].map((cells) => `| ${cells.join(' | ')} |`)
  return [first, `|${'---|'.repeat(header.split('|').length)}`, ...rest].join('\n')
}

/** The page, from the tables that the code itself uses. `vitest -u` writes it. */
function errorPage(): string {
  const yes = (is: boolean) => (is ? 'yes' : 'no')
  const engine = Object.entries(engineErrors).filter(([code]) => !internal.has(code))
  const engineRows = engine.map(([code, { retriable, advice }]) => [`\`${code}\``, yes(retriable), advice])
  const libraryRows = Object.entries(libraryErrors).map(([code, advice]) => [`\`${code}\``, advice])
  const kafkaRows = Object.entries(protocolErrors)
    .filter(([name]) => name !== 'NONE')
    .map(([name, { code, retriable, message }]) => [`\`${name}\``, String(code), yes(retriable), message])
  return `# Errors

Everything that fails throws or rejects with a \`SeglogError\`: \`code\` (stable, test this), \`message\` (what is at fault and what
to do), \`retriable\` (the same call may succeed later without a change), \`cause\`, and where they apply \`topic\`, \`partition\`,
\`offset\`, \`path\`, \`position\`, \`key\`, \`results\` (of a send: what became of each part). Test \`code\`, not \`instanceof\`: under Jest
and in worker threads an error may come from another realm.

This page is made from the tables in the code; a test compares it.

## From the engine

${table('code|retriable|what to do', engineRows)}

## From the library

${table('code|what to do', libraryRows)}

## Kafka's

Errors of topics, partitions and groups carry Kafka's names. Numbers are those on the wire.

${table('code|number|retriable|meaning', kafkaRows)}
`
}

test('docs/errors.md says what the tables say', async () => {
  await expect(errorPage()).toMatchFileSnapshot(join(root, 'docs', 'errors.md'))
})

test('every code thrown in ts/ is in one of the tables', () => {
  const sources = readdirSync(join(root, 'ts'), { recursive: true, encoding: 'utf8' }).filter((name) =>
    name.endsWith('.ts'),
  )
  const thrown = new Set(
    sources.flatMap((name) =>
      [...readFileSync(join(root, 'ts', name), 'utf8').matchAll(/new SeglogError\(\s*'([A-Z_]+)'/g)].map(
        ([, code]) => code,
      ),
    ),
  )
  const known = new Set<string | undefined>([engineErrors, libraryErrors, protocolErrors].flatMap(Object.keys))
  expect(thrown.size).toBeGreaterThan(10)
  expect([...thrown].filter((code) => !known.has(code))).toEqual([])
})
