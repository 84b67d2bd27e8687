/* global test, expect */
const library = require('seglog')
const { oneRecord } = require('./one-record.js')

test('jest loads the package and writes one record', () => oneRecord(library))

test('errors carry a code in the realm of jest', async () => {
  await expect(library.open('')).rejects.toMatchObject({ name: 'SeglogError', code: expect.any(String) })
})
