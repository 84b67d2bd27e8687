import assert from 'node:assert'
import { createRequire } from 'node:module'
import { test } from 'node:test'
import * as library from 'seglog'
import { oneRecord } from './one-record.js'

const required = createRequire(import.meta.url)('seglog')

test('node:test loads the package by import', () => oneRecord(library))
test('node:test loads the package by require', () => oneRecord(required))
test('both have the same names', () => {
  const { default: _, 'module.exports': __, ...named } = library
  assert.deepStrictEqual(Object.keys(named).sort(), Object.keys(required).sort())
})
