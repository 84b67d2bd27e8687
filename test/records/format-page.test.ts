import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { RecordBatchReader } from '../../ts/records/record-batch-reader.js'

test('the worked example of docs/format.md decodes to what the page says', () => {
  const page = readFileSync(join(__dirname, '..', '..', 'docs', 'format.md'), 'utf8')
  const block = page.match(/```hex\n([\s\S]*?)```/)?.[1] ?? ''
  const hex = block
    .split('\n')
    .map((line) => line.match(/^(?:[0-9a-f]{2}(?: |$))+/)?.[0] ?? '')
    .join('')
    .replace(/\s/g, '')
  const [batch] = [...new RecordBatchReader(Buffer.from(hex, 'hex'))]
  expect(batch?.header.baseOffset).toBe(42)
  expect(batch?.header.leaderEpoch).toBe(3)
  const records = [...(batch ?? [])]
  expect(records.map((record) => [record.offset, record.timestamp])).toEqual([
    [42n, 1_700_000_000_000],
    [43n, 1_700_000_000_005],
  ])
  expect(records.map((record) => [record.key?.toString() ?? null, record.value?.toString() ?? null])).toEqual([
    ['k1', 'hello'],
    [null, null],
  ])
  expect(records[0]?.headers).toEqual({ h: Buffer.from('1') })
})
