import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, test } from 'vitest'
import { handlers } from '../../ts/broker/api/handlers.js'
import { offeredApis } from '../../ts/broker/api/offered-apis.js'
import { type ApiKey, apis } from '../../ts/protocol/apis.js'
import type { Fields, FieldType, VersionRange } from '../../ts/protocol/schema.js'

const root = join(__dirname, '..', '..')
const folder = join(root, 'ts', 'broker', 'api')
/** The last API key of Kafka 4.3. */
const lastKey = 92

interface Header {
  /** As "0-13", or "0". */
  versions: string
  does: string
  lacks: string
}

/** What the file of an API says above its handler. */
function headerOf(key: number): Header {
  const file = readdirSync(folder).find((name) => name.startsWith(`${String(key).padStart(2, '0')}-`))
  if (file === undefined) throw new Error(`API ${key} has no file`)
  const source = readFileSync(join(folder, file), 'utf8')
  const comments = source.slice(0, source.indexOf('apiHandler(\n') + 1 || source.indexOf('apiHandler(api')).split('/**')
  const text = comments
    .at(-1)!
    .split('*/')[0]
    .replace(/^ \* ?/gm, '')
    .trim()
  const [about, lacks = ''] = text.split('\n\nNot done: ')
  const [, versions, does] = /^Versions? ([\d-]+)\. (.+)$/s.exec(about)!
  return { versions, does: oneLine(does), lacks: oneLine(lacks) }
}

const oneLine = (text: string) => text.replace(/\s+/g, ' ').trim()
const rangeText = ({ from, to }: VersionRange) => (from === to ? `${from}` : `${from}-${to}`)
const keys = Object.keys(apis).map(Number) as ApiKey[]

/** The page, from the handlers. `vitest -u` writes it. */
function protocolPage(): string {
  const rows = offeredApis().map(({ apiKey, minVersion, maxVersion }) => {
    const key = apiKey as ApiKey
    const { does, lacks } = headerOf(key)
    const offered = rangeText({ from: minVersion, to: maxVersion })
    const answered = rangeText(handlers[key].versions)
    const versions = offered === answered ? offered : `${answered} (says ${offered})`
    return `| ${key} | ${apis[key].name} | ${versions} | ${does}${lacks === '' ? '' : ` **Not done:** ${lacks}`} |`
  })
  return `# Protocol coverage

What the broker answers of Apache Kafka's protocol: the versions of Kafka 4.3, whose clients and tools from Kafka 2.1 on work
with it. A request of another API, or of another version, closes its connection with a line in the log, as in Kafka; ApiVersions
alone answers every version. What is not honoured, and why, is in [SKIPPED.md](SKIPPED.md).

Produce is said to begin at version 0, as Kafka says it: librdkafka before 2.12 turns compression off where version 0 is missing.

This page is made from the headers of the files in \`ts/broker/api\`; a test compares it.

| key | API | versions | notes |
|---|---|---|---|
${rows.join('\n')}
`
}

test('docs/protocol.md says what the handlers say', async () => {
  await expect(protocolPage()).toMatchFileSnapshot(join(root, 'docs', 'protocol.md'))
})

describe('the header of', () => {
  for (const key of keys) {
    test(`${apis[key].name} names the versions of its handler`, () => {
      expect(headerOf(key).versions).toBe(rangeText(handlers[key].versions))
    })
  }
})

describe('docs/SKIPPED.md', () => {
  const page = readFileSync(join(root, 'docs', 'SKIPPED.md'), 'utf8')

  test('names every API of Kafka 4.3 that is not offered, and no other', () => {
    const named = [...page.matchAll(/^\| (\d+) \|/gm)].map(([, key]) => Number(key))
    const missing = Array.from({ length: lastKey + 1 }, (_, key) => key).filter((key) => !(key in apis))
    expect(named).toEqual(missing)
  })

  test('names fields that exist', () => {
    const fields = new Set(
      Object.values(apis).flatMap(({ name, request, response }) => {
        return [...pathsOf(request.fields), ...pathsOf(response.fields)].map((path) => `${name}.${path}`)
      }),
    )
    const named = [...page.matchAll(/`([A-Z]\w+\.[a-z][\w.]*)`/g)].map(([, path]) => path)
    expect(named.length).toBeGreaterThan(20)
    expect(named.filter((path) => !fields.has(path))).toEqual([])
  })

  test('has a word for every API that says something is not done', () => {
    const lacking = keys.filter((key) => headerOf(key).lacks !== '').map((key) => apis[key].name)
    expect(lacking.filter((name) => !page.includes(name))).toEqual([])
  })
})

/** Names of all fields, those of structs behind the name of the struct. */
function pathsOf(fields: Fields): string[] {
  return Object.entries(fields).flatMap(([name, field]) => {
    const inner = structOf(field.type)
    return [name, ...(inner === null ? [] : pathsOf(inner).map((path) => `${name}.${path}`))]
  })
}

function structOf(type: FieldType): Fields | null {
  if (typeof type === 'string') return null
  return type.kind === 'array' ? structOf(type.of) : type.fields
}
