import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { openEngine } from '../../ts/native/open-engine.js'

test('the frame of docs/format.md is one', () => {
  const page = readFileSync(join(__dirname, '..', '..', 'docs', 'format.md'), 'utf8')
  const block = page.slice(page.indexOf('## `.journal`')).match(/```hex\n([\s\S]*?)```/)?.[1] ?? ''
  const hex = block
    .split('\n')
    .map((line) => line.match(/^(?:[0-9a-f]{2}(?: |$))+/)?.[0] ?? '')
    .join('')
    .replace(/\s/g, '')
  const frame = Buffer.from(hex, 'hex')
  const engine = openEngine()
  expect(frame.length).toBe(117)
  const bodiesAt = frame.readUInt32LE(48)
  expect(bodiesAt).toBe(112)
  expect(frame.readUInt32LE(0)).toBe(engine.crc32c(frame.subarray(4, bodiesAt)))
  const body = frame.subarray(bodiesAt, bodiesAt + frame.readUInt32LE(64 + 20))
  expect(body.toString()).toBe('hello')
  expect(frame.readUInt32LE(64 + 40)).toBe(engine.crc32c(Buffer.concat([frame.subarray(8, 32), body])))
})
