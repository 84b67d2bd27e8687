import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, test } from 'vitest'
import { parseProperties, readPropertiesFile } from '../../ts/cli/properties-file.js'
import { temporaryFolder } from './run-cli.js'

const values = (text: string) =>
  Object.fromEntries([...parseProperties(text, 'f')].map(([key, { value }]) => [key, value]))

describe('a .properties text', () => {
  // What java.util.Properties makes of the same lines.
  test.each([
    ['a=b', { a: 'b' }],
    ['a = b c ', { a: 'b c ' }],
    ['a:b=c', { a: 'b=c' }],
    ['a b', { a: 'b' }],
    ['a', { a: '' }],
    ['a=', { a: '' }],
    ['a == b', { a: '= b' }],
    ['# a=b\n  ! c=d\n\n   e=f', { e: 'f' }],
    ['a=b#c', { a: 'b#c' }],
    ['a=1,\\\n   2,\\\r\n\t3\nb=4', { a: '1,2,3', b: '4' }],
    ['a=1\\\\\nb=2', { a: '1\\', b: '2' }],
    ['a=1\\', { a: '1' }],
    ['a\\ b\\=c=d', { 'a b=c': 'd' }],
    ['a=\\t\\n\\u0041\\q\\:', { a: '\t\nAq:' }],
    ['a=1\na=2', { a: '2' }],
    ['a=1\rb=2', { a: '1', b: '2' }],
    ['data=/größe', { data: '/größe' }],
    ['__proto__=x', { ['__proto__']: 'x' }],
  ])('%j', (text, expected) => {
    expect(values(text)).toEqual(expected)
  })

  test('tells where each value stands, from its first line', () => {
    const entries = parseProperties('# one\na=1\\\n  2\nb=3', 'server.properties')
    expect(entries.get('a')).toEqual({ value: '12', where: 'server.properties:2' })
    expect(entries.get('b')).toEqual({ value: '3', where: 'server.properties:4' })
  })

  test('a broken \\u is an error with its place', () => {
    expect(() => parseProperties('a=1\nb=\\u12', 'f')).toThrow(/f:2: \\u needs four/)
  })
})

describe('a config file', () => {
  test('that is not there, and one that is no config file', async () => {
    const file = join(temporaryFolder(), 'server.properties')
    await expect(readPropertiesFile(file)).rejects.toMatchObject({ code: 'FILE_NOT_FOUND', path: file })
    writeFileSync(file, Buffer.alloc(2 * 1024 * 1024, 'a'))
    await expect(readPropertiesFile(file)).rejects.toMatchObject({ code: 'INVALID_CONFIG' })
  })

  test('advertised.listeners alone listens on the same ports of every address', async () => {
    const file = join(temporaryFolder(), 'server.properties')
    writeFileSync(file, 'advertised.listeners=PLAINTEXT://kafka:9092,OTHER://localhost:29092\n')
    const { entries } = await readPropertiesFile(file)
    expect(entries.get('listeners')?.value).toBe('PLAINTEXT://:9092,OTHER://:29092')
  })
})
