import * as library from 'seglog'
import { expect, test } from 'vitest'
import { oneRecord } from './one-record.js'

test('vitest loads the package and writes one record', () => oneRecord(library))

test('import and require give one instance', async () => {
  const { createRequire } = await import('node:module')
  expect(library.open).toBe(createRequire(import.meta.url)('seglog').open)
})
