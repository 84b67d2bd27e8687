import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { consumerOptions } from '../../ts/client/consumer-options.js'
import { groupSettings } from '../../ts/client/group/group-options.js'
import { producerOptions } from '../../ts/client/producer-options.js'
import { tcpRules, tcpSettings } from '../../ts/transport/tcp-settings.js'

const page = readFileSync(join(__dirname, '..', '..', 'docs', 'client.md'), 'utf8')

/** What docs/client.md says of options below a heading: by name, the default. */
function documented(...headings: string[]): Map<string, string> {
  const sections = headings.map((heading) => page.split('\n## ').find((text) => text.startsWith(heading)) ?? '')
  const table = sections.flatMap((text) => text.slice(text.indexOf('| option |')).split('\n\n')[0]!.split('\n'))
  const rows = table.flatMap((line) => {
    const [, name, given] = /^\| `([\w.]+)` \| (.*?) ?\|/.exec(line) ?? []
    return name === undefined ? [] : [[name, given!] as const]
  })
  return new Map(rows)
}

/** The names that a function takes, from what it says of one that it does not know. */
function known(call: (options: never) => unknown): string[] {
  try {
    call({ 'no option at all': 1 } as never)
  } catch (error) {
    return /; it knows (.*)$/.exec((error as Error).message)![1]!.split(', ')
  }
  throw new Error('it takes anything')
}

function expectDefaults(rows: ReadonlyMap<string, string>, settings: object): void {
  const numbers = [...rows].filter(([, given]) => /^\d/.test(given))
  expect(numbers.length).toBeGreaterThan(2)
  for (const [name, given] of numbers) {
    const value = (settings as Record<string, unknown>)[name]
    expect([name, value]).toEqual([name, Number(/^[\d,]+/.exec(given)![0].replaceAll(',', ''))])
  }
}

test('docs/client.md has every option of open(), and their defaults', () => {
  const rows = documented('The connection')
  const { backOff, ...settings } = tcpSettings({})
  const retry = { 'retry.initialRetryTime': backOff.initialMs, 'retry.maxRetryTime': backOff.maxMs }
  const names = Object.keys(tcpRules).flatMap((name) => (name === 'retry' ? Object.keys(retry) : [name]))
  expect([...rows.keys()].sort()).toEqual([...names, 'logger', 'signal'].sort())
  expectDefaults(rows, { ...settings, ...retry })
})

test('docs/client.md has every option of producers, and their defaults', () => {
  const rows = documented('Writing')
  // Refused until there are transactions.
  const names = known(producerOptions).filter((name) => name !== 'transactionalId')
  expect([...rows.keys()].sort()).toEqual(names.sort())
  expectDefaults(rows, producerOptions({}, true))
})

test('docs/client.md has every option of consumers, and their defaults', () => {
  const [alone, grouped] = [documented('Reading'), documented('Groups')]
  expect([...alone.keys(), ...grouped.keys()].sort()).toEqual(known(consumerOptions).sort())
  expectDefaults(alone, consumerOptions({}))
  expectDefaults(grouped, groupSettings({ groupId: 'g' })!)
})
