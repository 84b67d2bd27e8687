import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { SegmentList } from '../../ts/log/segment-list.js'

const bases = fc.uniqueArray(fc.nat(1000), { maxLength: 20 }).map((list) => list.sort((a, b) => a - b))

function listOf(offsets: readonly number[]): SegmentList<{ baseOffset: number }> {
  const list = new SegmentList<{ baseOffset: number }>()
  for (const baseOffset of offsets) list.add({ baseOffset })
  return list
}

describe('SegmentList', () => {
  it('finds the same segment as a walk from the front', () => {
    fc.assert(
      fc.property(bases, fc.integer({ min: -1, max: 1001 }), (offsets, probe) => {
        const list = listOf(offsets)
        const floor = offsets.filter((base) => base <= probe).at(-1)
        expect(list.floor(probe)?.baseOffset).toBe(floor)
        expect(list.floorIndex(probe)).toBe(floor === undefined ? -1 : offsets.indexOf(floor))
        for (const entry of list) {
          expect(list.after(entry)?.baseOffset).toBe(offsets[offsets.indexOf(entry.baseOffset) + 1])
        }
      }),
    )
  })

  it('removes from both ends and keeps its order', () => {
    fc.assert(
      fc.property(bases, fc.nat(5), fc.nat(1000), (offsets, count, above) => {
        const list = listOf(offsets)
        expect(list.removeFirst(count).map((entry) => entry.baseOffset)).toEqual(offsets.slice(0, count))
        const rest = offsets.slice(count)
        const removed = list.removeAbove(above).map((entry) => entry.baseOffset)
        expect(removed).toEqual(rest.filter((base) => base > above).reverse())
        expect([...list].map((entry) => entry.baseOffset)).toEqual(rest.filter((base) => base <= above))
      }),
    )
  })

  it('refuses a segment that does not follow', () => {
    expect(() => listOf([5, 5])).toThrow(/does not follow/)
    expect(() => listOf([5, 4])).toThrow(/does not follow/)
  })
})
