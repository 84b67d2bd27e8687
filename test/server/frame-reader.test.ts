import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { FrameReader } from '../../ts/server/frame-reader.js'
import type { Frame } from '../../ts/server/wire.js'

function framed(...bodies: Uint8Array[]): Buffer {
  return Buffer.concat(
    bodies.flatMap((body) => {
      const length = Buffer.alloc(4)
      length.writeInt32BE(body.length)
      return [length, body]
    }),
  )
}

const text = (frame: Frame | null): string | null => (frame === null ? null : Buffer.concat(frame.chunks).toString())

function readAll(reader: FrameReader, chunks: readonly Uint8Array[]): (string | null)[] {
  const found: (string | null)[] = []
  for (const chunk of chunks) {
    reader.push(chunk)
    for (let frame = reader.next(); frame !== null; frame = reader.next()) found.push(text(frame))
  }
  return found
}

describe('frames', () => {
  const bodies = ['first', '', 'the third and last'].map((body) => Buffer.from(body))
  const bytes = framed(...bodies)

  test('come out whole wherever the bytes are cut', () => {
    for (let first = 0; first <= bytes.length; first++) {
      for (let second = first; second <= bytes.length; second++) {
        const reader = new FrameReader(1000)
        const chunks = [bytes.subarray(0, first), bytes.subarray(first, second), bytes.subarray(second)]
        const found = readAll(
          reader,
          chunks.filter(({ length }) => length > 0),
        )
        expect(found).toEqual(bodies.map(String))
        expect(reader.bytes).toBe(0)
      }
    }
  })

  test('come out whole of chunks of any sizes', () => {
    const body = fc.uint8Array({ maxLength: 5000 })
    fc.assert(
      fc.property(fc.array(body, { maxLength: 8 }), fc.array(fc.integer({ min: 1, max: 3000 })), (all, sizes) => {
        const reader = new FrameReader(10_000)
        let rest = framed(...all)
        const found: Buffer[] = []
        for (let i = 0; rest.length > 0; i++) {
          const size = sizes.length === 0 ? 700 : sizes[i % sizes.length]
          reader.push(Buffer.from(rest.subarray(0, size)))
          rest = rest.subarray(size)
          for (let frame = reader.next(); frame !== null; frame = reader.next()) {
            const whole = Buffer.concat(frame.chunks)
            expect(whole.length).toBe(frame.sizeBytes)
            found.push(whole)
          }
        }
        expect(found).toEqual(all.map((one) => Buffer.from(one)))
      }),
    )
  })

  test('are views of what came, not copies', () => {
    const reader = new FrameReader(1 << 20)
    const whole = framed(Buffer.alloc(150_000, 7))
    const chunks = [whole.subarray(0, 65_536), whole.subarray(65_536, 131_072), whole.subarray(131_072)]
    for (const chunk of chunks) reader.push(chunk)
    const frame = reader.next()
    expect(frame?.chunks.map(({ length }) => length)).toEqual([65_532, 65_536, 18_932])
    for (const chunk of frame!.chunks) expect(chunk.buffer).toBe(whole.buffer)
  })

  test('may be asked for their API key before they are whole', () => {
    const reader = new FrameReader(1000)
    for (const byte of [0, 0, 0, 9, 0xff]) {
      expect(reader.peekKey()).toBe(-1)
      reader.push(Buffer.from([byte]))
    }
    expect(reader.peekKey()).toBe(-1)
    reader.push(Buffer.from([0xfe]))
    expect(reader.peekKey()).toBe(-2)
    expect(reader.next()).toBeNull()
  })

  test('that come in single bytes are not kept as single bytes', () => {
    const reader = new FrameReader(100_000)
    for (const byte of framed(Buffer.alloc(50_000, 3))) reader.push(Buffer.from([byte]))
    const frame = reader.next()
    expect(Buffer.concat(frame!.chunks).equals(Buffer.alloc(50_000, 3))).toBe(true)
    expect(frame!.chunks.length).toBeLessThan(60)
  })
})

describe('a length that cannot be one', () => {
  test.each([
    [-1, /length of -1 bytes/],
    [-2147483648, /length of -2147483648 bytes/],
    [1001, /announces 1001 bytes, socket.request.max.bytes is 1000/],
    [2147483647, /announces 2147483647 bytes/],
  ])('%d is refused as soon as it is there', (length, says) => {
    const reader = new FrameReader(1000)
    const bytes = Buffer.alloc(4)
    bytes.writeInt32BE(length)
    reader.push(bytes)
    expect(() => reader.next()).toThrow(says)
  })

  test('the limit itself is taken', () => {
    const reader = new FrameReader(1000)
    reader.push(framed(Buffer.alloc(1000)))
    expect(reader.next()?.sizeBytes).toBe(1000)
  })
})

test('what is forgotten is counted', () => {
  const reader = new FrameReader(1000)
  reader.push(Buffer.from('abc'))
  reader.push(Buffer.from('defgh'))
  expect(reader.clear()).toBe(8)
  expect(reader.bytes).toBe(0)
  expect(readAll(reader, [framed(Buffer.from('anew'))])).toEqual(['anew'])
})

test('a little of a request does not keep a large chunk alive', () => {
  const reader = new FrameReader(1 << 20)
  const body = Buffer.from('rest of it')
  const chunk = Buffer.alloc(65_536)
  framed(Buffer.alloc(65_520), body).copy(chunk)
  reader.push(chunk)
  expect(reader.next()?.sizeBytes).toBe(65_520)
  reader.compact()
  expect(reader.bytes).toBe(12)
  reader.push(body.subarray(8))
  const frame = reader.next()
  expect(text(frame)).toBe('rest of it')
  for (const { buffer } of frame!.chunks) expect(buffer).not.toBe(chunk.buffer)
})
