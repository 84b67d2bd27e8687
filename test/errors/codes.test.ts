import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { expect, test } from 'vitest'
// @ts-expect-error a build script without types
import { parseErrors, renderCodes } from '../../scripts/generate-errors.mjs'
import { engineErrors } from '../../ts/errors/codes.js'

const root = join(__dirname, '../..')
const table = readFileSync(join(root, 'native/core/errors.def'), 'utf8')

test('codes.ts is what the generator makes of errors.def', () => {
  expect(readFileSync(join(root, 'ts/errors/codes.ts'), 'utf8')).toBe(renderCodes(parseErrors(table)))
})

test('every row of errors.def is in the table with its retriable flag and advice', () => {
  const rows = table.split('\n').filter((line) => line.startsWith('SEGLOG_ERROR('))
  expect(rows.length).toBeGreaterThan(10)
  expect(Object.keys(engineErrors)).toHaveLength(rows.length)
  expect(engineErrors.NO_SPACE).toEqual({
    retriable: true,
    advice: 'free space on the file system; nothing of this write was stored',
  })
})

test('a malformed row is refused, not skipped', () => {
  expect(() => parseErrors('SEGLOG_ERROR(Io, "IO_ERROR", perhaps, "x")')).toThrow('malformed')
})
