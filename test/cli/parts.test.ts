import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { keyValues, start, wholeNumber, words } from '../../ts/cli/arguments.js'
import { lines } from '../../ts/cli/lines.js'
import { bytesText, tableLines, toJson } from '../../ts/cli/terminal.js'

async function* chunks(parts: readonly Buffer[]) {
  yield* parts
}

async function allLines(parts: readonly Buffer[]): Promise<string[]> {
  const found: string[] = []
  for await (const some of lines(chunks(parts))) found.push(...some.map(String))
  return found
}

describe('lines', () => {
  test('are the same however the chunks are cut', async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.array(fc.constantFrom('a', 'b', '\n', 'é')),
        fc.array(fc.nat({ max: 5 })),
        async (text, cuts) => {
          const bytes = Buffer.from(text.join(''))
          const parts: Buffer[] = []
          let at = 0
          for (const cut of cuts) {
            parts.push(bytes.subarray(at, at + cut))
            at += cut
          }
          parts.push(bytes.subarray(at))
          const expected = text.join('').split('\n')
          if (expected.at(-1) === '') expected.pop()
          expect(await allLines(parts)).toEqual(expected)
        },
      ),
    )
  })
})

describe('arguments', () => {
  test('places to begin', () => {
    expect(start('start')).toEqual({ at: 'earliest' })
    expect(start('42')).toEqual({ at: 'offset', offset: 42n })
    expect(start('-3')).toEqual({ at: 'last', records: 3n })
    expect(start('@1000')).toEqual({ at: 'time', timestamp: 1000 })
    expect(start('@1970-01-01T00:00:01Z')).toEqual({ at: 'time', timestamp: 1000 })
    for (const bad of ['', 'x', '1.5', '@', '@x', '99999999999999999999']) expect(() => start(bad)).toThrow()
  })

  test('numbers, pairs and words', () => {
    expect(wholeNumber(0, 5)('5')).toBe(5)
    for (const bad of ['', '6', '-1', '1e1', '0x1', ' 1']) expect(() => wholeNumber(0, 5)(bad)).toThrow()
    expect(keyValues('b=c=d', keyValues('a='))).toEqual({ a: '', b: 'c=d' })
    expect(() => keyValues('=x')).toThrow()
    expect(words('b', words('a'))).toEqual(['a', 'b'])
  })
})

describe('output', () => {
  test('a table', () => {
    const columns = [
      { title: 'NAME', text: ({ name }: { name: string }) => name },
      { title: 'N', text: ({ n }: { n: number }) => n, align: 'right' as const },
    ]
    const rows = [
      { name: 'a', n: 5 },
      { name: 'longer', n: 1234 },
    ]
    expect(tableLines(columns, rows)).toEqual(['NAME       N', 'a          5', 'longer  1234'])
  })

  test('numbers with units, bigints as text', () => {
    expect([bytesText(0), bytesText(1023), bytesText(1024), bytesText(5 * 1024 ** 3)]).toEqual([
      '0 B',
      '1023 B',
      '1.0 KiB',
      '5.0 GiB',
    ])
    expect(toJson({ offset: 2n ** 60n })).toBe('{"offset":"1152921504606846976"}')
  })
})
