import { describe, expect, it } from 'vitest'
import { explicitPartition, murmur2, partitionForKey, StickyPartitioner } from '../../ts/client/partitioners.js'

describe('murmur2', () => {
  // The vectors of Kafka's own UtilsTest.
  it.each([
    ['21', -973932308],
    ['foobar', -790332482],
    ['a-little-bit-long-string', -985981536],
    ['a-little-bit-longer-string', -1486304829],
    ['lkjh234lh9fiuh90y23oiuhsafujhadof229phr9h19h89h8', -58897971],
    ['abc', 479470107],
  ])('of %s', (text, hash) => {
    expect(murmur2(Buffer.from(text))).toBe(hash)
  })

  it('reads bytes above 127 as unsigned, in every position', () => {
    expect(murmur2(Buffer.from([0xff, 0xfe, 0xfd, 0xfc, 0xfb, 0xfa, 0xf9]))).toBe(
      murmur2(new Uint8Array([0xff, 0xfe, 0xfd, 0xfc, 0xfb, 0xfa, 0xf9])),
    )
    const tails = [1, 2, 3, 4].map((length) => murmur2(new Uint8Array(length).fill(0x80)))
    expect(new Set(tails).size).toBe(4)
  })
})

describe('partitionForKey', () => {
  it('clears the sign before the remainder, as Kafka does', () => {
    expect(partitionForKey('21', 7)).toBe((-973932308 & 0x7fffffff) % 7)
    expect(partitionForKey('abc', 10)).toBe(7)
  })

  it('takes text as UTF-8', () => {
    expect(partitionForKey('zürich', 1000)).toBe(partitionForKey(Buffer.from('zürich'), 1000))
  })
})

describe('explicitPartition', () => {
  it('accepts the partitions there are', () => {
    expect(explicitPartition(3, 'orders', 4)).toBe(3)
  })

  it.each([-1, 4, 1.5, Number.NaN])('refuses %s', (partition) => {
    expect(() => explicitPartition(partition, 'orders', 4)).toThrow(
      expect.objectContaining({ code: 'INVALID_ARGUMENT', topic: 'orders' }),
    )
  })
})

describe('StickyPartitioner', () => {
  it('stays until the batch leaves, then goes elsewhere', () => {
    const sticky = new StickyPartitioner(() => 0.5)
    const first = sticky.partition('orders', 4)
    expect(first).toBe(2)
    expect(sticky.partition('orders', 4)).toBe(2)
    sticky.moveOn('orders', 2, 4)
    expect(sticky.partition('orders', 4)).toBe(1)
  })

  it('never chooses the partition it leaves, and reaches every other', () => {
    const draws = [0, 0.34, 0.67, 0.99]
    const reached = new Set<number>()
    for (const draw of draws) {
      const values = [0.5, draw]
      const sticky = new StickyPartitioner(() => values.shift()!)
      expect(sticky.partition('orders', 4)).toBe(2)
      sticky.moveOn('orders', 2, 4)
      reached.add(sticky.partition('orders', 4))
    }
    expect(reached).toEqual(new Set([0, 1, 3]))
  })

  it('is not moved by the batch of another partition', () => {
    const sticky = new StickyPartitioner(() => 0)
    expect(sticky.partition('orders', 4)).toBe(0)
    sticky.moveOn('orders', 3, 4)
    expect(sticky.partition('orders', 4)).toBe(0)
  })

  it('keeps to the only partition, and to those that are left', () => {
    const sticky = new StickyPartitioner(() => 0.99)
    expect(sticky.partition('orders', 1)).toBe(0)
    sticky.moveOn('orders', 0, 1)
    expect(sticky.partition('orders', 1)).toBe(0)
    expect(sticky.partition('clicks', 8)).toBe(7)
    expect(sticky.partition('clicks', 4)).toBe(3)
  })
})
