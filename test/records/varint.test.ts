import * as fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { VarintReader, varintSize, varlongSize, writeVarint, writeVarlong } from '../../ts/records/varint.js'

const bytesOf = (write: (target: Uint8Array) => number) => {
  const target = new Uint8Array(16)
  return [...target.subarray(0, write(target))]
}

describe('varint', () => {
  it.each([
    [0, [0x00]],
    [-1, [0x01]],
    [1, [0x02]],
    [63, [0x7e]],
    [-64, [0x7f]],
    [64, [0x80, 0x01]],
    [300, [0xd8, 0x04]],
    [2147483647, [0xfe, 0xff, 0xff, 0xff, 0x0f]],
    [-2147483648, [0xff, 0xff, 0xff, 0xff, 0x0f]],
  ])('%d', (value, bytes) => {
    expect(bytesOf((target) => writeVarint(target, 0, value))).toEqual(bytes)
    expect(new VarintReader(Uint8Array.from(bytes), 0, bytes.length).readVarint()).toBe(value)
  })

  it('reads what it wrote, of the size it said', () => {
    fc.assert(
      fc.property(fc.integer(), (value) => {
        const bytes = bytesOf((target) => writeVarint(target, 0, value))
        expect(bytes.length).toBe(varintSize(value))
        const reader = new VarintReader(Uint8Array.from(bytes), 0, bytes.length)
        expect(reader.readVarint()).toBe(value)
        expect(reader.position).toBe(bytes.length)
      }),
    )
  })

  it.each([
    ['six bytes', [0x80, 0x80, 0x80, 0x80, 0x80, 0x00]],
    ['more than 32 bits', [0xff, 0xff, 0xff, 0xff, 0x1f]],
    ['no bytes', []],
    ['a cut', [0x80]],
  ])('refuses %s', (_what, bytes) => {
    const reader = new VarintReader(Uint8Array.from(bytes), 0, bytes.length)
    expect(() => reader.readVarint()).toThrow(expect.objectContaining({ code: 'INVALID_BATCH' }))
  })

  it('does not read across its end, though there are bytes', () => {
    const reader = new VarintReader(Uint8Array.from([0x80, 0x01]), 0, 1)
    expect(() => reader.readVarint()).toThrow(expect.objectContaining({ code: 'INVALID_BATCH' }))
  })
})

describe('varlong', () => {
  it.each([
    [0, [0x00]],
    [-1, [0x01]],
    [64, [0x80, 0x01]],
    [2 ** 40, [0x80, 0x80, 0x80, 0x80, 0x80, 0x40]],
  ])('%d', (value, bytes) => {
    expect(bytesOf((target) => writeVarlong(target, 0, value))).toEqual(bytes)
    expect(new VarintReader(Uint8Array.from(bytes), 0, bytes.length).readVarlong()).toBe(value)
  })

  it('agrees with zig-zag by bigint for every safe integer', () => {
    fc.assert(
      fc.property(fc.maxSafeInteger(), (value) => {
        const expected: number[] = []
        let rest = BigInt.asUintN(64, (BigInt(value) << 1n) ^ (BigInt(value) >> 63n))
        for (; rest >= 0x80n; rest >>= 7n) expected.push(Number(rest & 0x7fn) | 0x80)
        expected.push(Number(rest))
        expect(bytesOf((target) => writeVarlong(target, 0, value))).toEqual(expected)
        expect(varlongSize(value)).toBe(expected.length)
        expect(new VarintReader(Uint8Array.from(expected), 0, expected.length).readVarlong()).toBe(value)
      }),
    )
  })

  it('reads the ends of int64, rounded', () => {
    const max = [0xfe, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0x01]
    expect(new VarintReader(Uint8Array.from(max), 0, 10).readVarlong()).toBe(2 ** 63)
    const min = [0xff, ...max.slice(1)]
    expect(new VarintReader(Uint8Array.from(min), 0, 10).readVarlong()).toBe(-(2 ** 63))
  })

  it('refuses eleven bytes, and ten of more than 64 bits', () => {
    for (const bytes of [
      [...Array<number>(10).fill(0x80), 0],
      [...Array<number>(9).fill(0xff), 0x7f],
    ]) {
      const reader = new VarintReader(Uint8Array.from(bytes), 0, bytes.length)
      expect(() => reader.readVarlong()).toThrow(expect.objectContaining({ code: 'INVALID_BATCH' }))
    }
  })
})
