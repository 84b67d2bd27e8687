import * as fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { highHalf, int64Of, lowHalf, takeInt64, toInt64 } from '../../../ts/protocol/codec/int64.js'
import { textOf } from '../../../ts/protocol/codec/known-texts.js'
import { putUuid, uuidOf } from '../../../ts/protocol/codec/known-uuids.js'
import { randomUuid } from '../../../ts/protocol/uuid.js'

describe('a text among those that were read lately', () => {
  /** Few letters, so that many share a place and differ by little; bytes that are no ASCII and no UTF-8 among them. */
  const bytes = fc.array(fc.constantFrom(0x61, 0x62, 0x2d, 0xc3, 0xa9, 0xff, 0xef, 0xbf, 0xbd, 0x00), { maxLength: 70 })

  it('is what its bytes say, whatever was read before', () => {
    fc.assert(
      fc.property(fc.array(fc.tuple(bytes, fc.nat(5)), { maxLength: 20 }), (texts) => {
        for (const [text, gap] of [...texts, ...texts]) {
          const around = Buffer.from([...new Array<number>(gap).fill(0x61), ...text, 0x62])
          const view = around.subarray(gap)
          expect(textOf(view, 0, text.length)).toBe(Buffer.from(text).toString('utf8'))
        }
      }),
    )
  })
})

describe('an id among those that were met lately', () => {
  it('is found by bytes and by text, among more of them than are kept', () => {
    const ids = Array.from({ length: 2000 }, randomUuid)
    const target = Buffer.alloc(18)
    for (const id of [...ids, ...ids]) {
      expect(putUuid(id, target, 1)).toBe(true)
      expect(target.toString('base64url', 1, 17)).toBe(id)
      expect(uuidOf(target, 1)).toBe(id)
    }
  })

  it('is told from one that differs in one place', () => {
    const bytes = fc.uint8Array({ minLength: 16, maxLength: 16 })
    fc.assert(
      fc.property(bytes, fc.nat(15), fc.nat(255), (first, place, value) => {
        const second = Uint8Array.from(first)
        second[place] = value
        for (const one of [first, second, first]) expect(uuidOf(one, 0)).toBe(Buffer.from(one).toString('base64url'))
      }),
    )
  })

  it.each(['', 'AAAAAAAAAAAAAAAAAAAAAB', 'AAAAAAAAAAAAAAAAAAAAA', 'AAAAAAAAAAAAAAAAAAAAAAA', 'AAAA/AAAAAAAAAAAAAAAAA'])(
    'is none: %j',
    (text) => {
      const target = Buffer.alloc(16, 7)
      expect(putUuid(text, target, 0)).toBe(false)
      expect(target).toEqual(Buffer.alloc(16, 7))
    },
  )
})

describe('64 bits by their halves', () => {
  it('are a bigint and back', () => {
    fc.assert(
      fc.property(fc.bigInt({ min: -(2n ** 63n), max: 2n ** 63n - 1n }), (value) => {
        expect(takeInt64(value)).toBe(true)
        expect(int64Of(highHalf(), lowHalf())).toBe(value)
      }),
    )
  })

  it('are made of safe integers', () => {
    fc.assert(
      fc.property(fc.maxSafeInteger(), (value) => {
        expect(toInt64(value)).toBe(BigInt(value))
      }),
    )
  })

  it.each([2n ** 63n, -(2n ** 63n) - 1n, 2n ** 64n, 2n ** 200n])('do not hold %d', (value) => {
    expect(takeInt64(value)).toBe(false)
  })
})
