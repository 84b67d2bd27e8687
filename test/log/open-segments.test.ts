import { describe, expect, it } from 'vitest'
import { ClosedSegment, OpenSegments } from '../../ts/log/open-segments.js'
import type { Segment } from '../../ts/native/engine.js'

function fakeSegments(limit: number) {
  const pool = new OpenSegments(limit)
  const open = new Set<number>()
  let failures: string[] = []
  const make = (id: number): ClosedSegment =>
    new ClosedSegment(pool, async () => {
      const code = failures.shift()
      if (code !== undefined) throw Object.assign(new Error(code), { code })
      open.add(id)
      return { id, close: async () => void open.delete(id) } as unknown as Segment
    })
  return { pool, open, make, failNext: (...codes: string[]) => (failures = codes) }
}

const touch = async (segment: ClosedSegment): Promise<void> => {
  await segment.use(() => undefined)
  await Promise.resolve()
}

describe('OpenSegments', () => {
  it('closes the least recently used', async () => {
    const { pool, open, make } = fakeSegments(2)
    const [a, b, c] = [make(1), make(2), make(3)]
    await touch(a)
    await touch(b)
    await touch(a)
    await touch(c)
    expect([...open].sort()).toEqual([1, 3])
    expect(pool.size).toBe(2)
  })

  it('never closes a segment in use, and closes it after when there are too many', async () => {
    const { open, make } = fakeSegments(1)
    const [a, b] = [make(1), make(2)]
    let finish: () => void = () => {}
    const reading = a.use(() => new Promise<void>((resolve) => (finish = resolve)))
    await touch(b)
    await new Promise(setImmediate)
    expect(open.has(1)).toBe(true)
    finish()
    await reading
    await touch(b)
    expect([...open]).toEqual([2])
  })

  it('opens once for many readers, and answers at once while open', async () => {
    const { make, open } = fakeSegments(4)
    const a = make(1)
    await Promise.all([touch(a), touch(a)])
    expect(open.size).toBe(1)
    expect(a.use(() => 42)).toBe(42)
  })

  it('makes room and tries once more when descriptors run out', async () => {
    const { open, make, failNext } = fakeSegments(4)
    const [a, b] = [make(1), make(2)]
    await touch(a)
    failNext('TOO_MANY_OPEN_FILES')
    await touch(b)
    expect([...open]).toEqual([2])
    failNext('TOO_MANY_OPEN_FILES', 'TOO_MANY_OPEN_FILES')
    await expect(touch(a)).rejects.toMatchObject({ code: 'TOO_MANY_OPEN_FILES' })
    await touch(a)
    expect(open.has(1)).toBe(true)
  })

  it('retires when the last reader is done, then refuses', async () => {
    const { open, make } = fakeSegments(4)
    const a = make(1)
    let finish: () => void = () => {}
    const reading = a.use(() => new Promise<void>((resolve) => (finish = resolve)))
    await new Promise(setImmediate)
    let retired = false
    const retiring = a.retire().then(() => (retired = true))
    await new Promise(setImmediate)
    expect(retired).toBe(false)
    expect(open.has(1)).toBe(true)
    finish()
    await reading
    await retiring
    expect(open.size).toBe(0)
    expect(() => a.use(() => 1)).toThrowError(expect.objectContaining({ code: 'CLOSED' }))
  })
})
