import { describe, expect, test } from 'vitest'
import { dateTime, offset, resetTarget, signedOffset, topicParts } from '../../ts/cli/offset-reset.js'

describe('where to', () => {
  test.each([
    [{ toEarliest: true }, { to: 'earliest' }],
    [{ toLatest: true }, { to: 'latest' }],
    [{ toOffset: 0n }, { to: 'offset', offset: 0n }],
    [{ toDatetime: 5 }, { to: 'timestamp', timestamp: 5 }],
    [{ toTimestamp: 0 }, { to: 'timestamp', timestamp: 0 }],
    [{ shiftBy: -3n }, { to: 'shift', by: -3n }],
  ])('%o', (flags, target) => {
    expect(resetTarget(flags)).toEqual(target)
  })

  test.each([[{}], [{ toEarliest: true, toLatest: true }], [{ toTimestamp: 1, toDatetime: 1 }]])(
    '%o is refused',
    (flags) => {
      expect(() => resetTarget(flags)).toThrow(expect.objectContaining({ code: 'INVALID_OPTION' }))
    },
  )
})

test('topics with partitions or without', () => {
  expect(topicParts('t:0,2,0', topicParts('s'))).toEqual([{ topic: 's' }, { topic: 't', partitions: [0, 2] }])
  for (const bad of ['', ':1', 't:', 't:x', 't:-1', 't:1:2', 't:99999999999']) expect(() => topicParts(bad)).toThrow()
})

test('numbers and dates', () => {
  expect([offset('0'), signedOffset('-5'), signedOffset('+5')]).toEqual([0n, -5n, 5n])
  for (const bad of ['', '1.5', '1e3', 'x', '99999999999999999']) expect(() => signedOffset(bad)).toThrow()
  expect(() => offset('-1')).toThrow()
  expect(dateTime('1970-01-01T00:00:01.5Z')).toBe(1500)
  expect(dateTime('1970-01-02')).toBe(86_400_000)
  expect(dateTime('1970-01-02T00:00:00.000')).toBe(86_400_000)
  expect(dateTime('1970-01-02T02:00:00+0200')).toBe(86_400_000)
  for (const bad of ['', '12', 'yesterday', '2025-13-01', '1969-01-01T00:00:00Z']) expect(() => dateTime(bad)).toThrow()
})
