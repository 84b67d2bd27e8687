import { gzipSync } from 'node:zlib'
import * as fc from 'fast-check'
import { beforeAll, describe, expect, it } from 'vitest'
import { codecNames } from '../../ts/records/codecs/codec-name.js'
import { compress, compressNow, decompress, decompressNow, loadCodec } from '../../ts/records/codecs/codecs.js'
import { outlineLz4Frames } from '../../ts/records/codecs/lz4-frame.js'
import { zstdWasmCodec } from '../../ts/records/codecs/zstd-wasm.js'

const realCodecs = codecNames.filter((name) => name !== 'none')
const failed = expect.objectContaining({ code: 'DECOMPRESSION_FAILED' })
const tooLarge = expect.objectContaining({ code: 'DECOMPRESSED_TOO_LARGE' })

/** Text, noise and runs, so that literals, short and long matches all occur. */
const anyText = fc
  .array(
    fc.oneof(
      fc.uint8Array({ maxLength: 300 }).map((bytes) => Buffer.from(bytes)),
      fc
        .tuple(fc.string({ minLength: 1, maxLength: 20 }), fc.integer({ min: 1, max: 4000 }))
        .map(([s, n]) => Buffer.from(s.repeat(n))),
    ),
    { maxLength: 8 },
  )
  .map((parts) => Buffer.concat(parts))

beforeAll(() => loadCodec('zstd'))

describe.each(realCodecs)('%s', (codec) => {
  it('gives back what it took, both ways', async () => {
    await fc.assert(
      fc.asyncProperty(anyText, async (text) => {
        const packed = compressNow(codec, text)
        expect(decompressNow(codec, packed).equals(text)).toBe(true)
        expect((await decompress(codec, await compress(codec, text))).equals(text)).toBe(true)
        expect(decompressNow(codec, packed, text.length).equals(text)).toBe(true)
        if (text.length > 1) expect(() => decompressNow(codec, packed, text.length - 1)).toThrow(tooLarge)
      }),
      { numRuns: 80 },
    )
  })

  it('gives back several megabytes', async () => {
    const text = Buffer.alloc(3_000_000, 'a line of text that repeats, ')
    for (let at = 0; at < text.length; at += 97) text[at] = at
    const packed = await compress(codec, text)
    expect(packed.length).toBeLessThan(text.length)
    expect((await decompress(codec, packed)).equals(text)).toBe(true)
    expect(decompressNow(codec, packed).equals(text)).toBe(true)
  })

  it('reads several streams in a row as one', async () => {
    const packed = Buffer.concat([compressNow(codec, Buffer.from('one, ')), compressNow(codec, Buffer.from('two'))])
    expect(String(decompressNow(codec, packed))).toBe('one, two')
    expect(String(await decompress(codec, packed))).toBe('one, two')
    expect(() => decompressNow(codec, packed, 7)).toThrow(tooLarge)
  })

  it('stops at the limit', async () => {
    const bomb = compressNow(codec, Buffer.alloc(8_000_000))
    const before = process.memoryUsage().arrayBuffers
    expect(() => decompressNow(codec, bomb, 100_000)).toThrow(tooLarge)
    await expect(decompress(codec, bomb, 100_000)).rejects.toThrow(tooLarge)
    expect(process.memoryUsage().arrayBuffers - before).toBeLessThan(4_000_000)
  })

  it('refuses what is cut off', async () => {
    const packed = compressNow(codec, Buffer.from('some text, some text, some more text'))
    for (let length = 1; length < packed.length; length++) {
      // Behind its header a framed snappy stream is a whole one without blocks.
      if (codec === 'snappy' && length === 16) continue
      expect(() => decompressNow(codec, packed.subarray(0, length)), `cut to ${length}`).toThrow(failed)
      await expect(decompress(codec, packed.subarray(0, length))).rejects.toThrow(failed)
    }
  })
})

describe('gzip', () => {
  it('reads members in a row', () => {
    const packed = Buffer.concat([gzipSync('a'), gzipSync('b')])
    expect(String(decompressNow('gzip', packed))).toBe('ab')
  })
})

describe('snappy', () => {
  // Raw blocks worked by hand after the format description: size, then literal and copy elements.
  const raw = Buffer.from([11, (3 - 1) << 2, 0x61, 0x62, 0x63, ((8 - 4) << 2) | 1, 3])

  it("writes Kafka's framing", () => {
    const packed = compressNow('snappy', Buffer.from('abcabcabcab'))
    expect(packed.subarray(0, 16).toString('hex')).toBe('82534e41505059000000000100000001')
    expect(packed.readInt32BE(16)).toBe(packed.length - 20)
    // A block too short to gain anything is its size and one literal element.
    expect(packed.subarray(20).toString('hex')).toBe(`0b28${Buffer.from('abcabcabcab').toString('hex')}`)
  })

  it('cuts blocks at 32 KiB', () => {
    const packed = compressNow('snappy', Buffer.alloc(70_000))
    const sizes: number[] = []
    for (let at = 16; at < packed.length; at += 4 + packed.readInt32BE(at)) {
      const block = packed.subarray(at + 4)
      sizes.push((block[0]! & 0x7f) | ((block[1]! & 0x7f) << 7) | (block[2]! << 14))
    }
    expect(sizes).toEqual([32768, 32768, 4464])
  })

  it('reads raw blocks, with every kind of element', () => {
    expect(String(decompressNow('snappy', raw))).toBe('abcabcabcab')
    const long = Buffer.alloc(70, 'x')
    const elements = Buffer.concat([
      Buffer.from([4 + 70 + 4 + 64, 1, 3 << 2]),
      Buffer.from('abcd'),
      Buffer.from([60 << 2, 69]),
      long,
      Buffer.from([(0 << 2) | 1, 74]), // 4 bytes from 74 back
      Buffer.from([(63 << 2) | 3, 4, 0, 0, 0]), // 64 bytes from 4 back
    ])
    elements[0] = (142 & 0x7f) | 0x80
    expect(String(decompressNow('snappy', elements))).toBe(`abcd${'x'.repeat(70)}${'abcd'.repeat(17)}`)
  })

  it.each<[string, number[]]>([
    ['a size without end', [0x80, 0x80, 0x80, 0x80, 0x80, 1]],
    ['a literal past the end', [5, 4 << 2, 0x61]],
    ['a literal of 4 GiB', [5, 63 << 2, 0xff, 0xff, 0xff, 0xff, 0x61]],
    ['more than the size', [1, 1 << 2, 0x61, 0x62]],
    ['less than the size', [3, 1 << 2, 0x61, 0x62]],
    ['a copy from before the beginning', [8, 0, 0x61, (3 << 2) | 1, 2]],
    ['a copy from nowhere', [8, 0, 0x61, (3 << 2) | 1, 0]],
    ['a cut copy', [8, 0, 0x61, (3 << 2) | 2, 1]],
    ['a size that its bytes cannot make', [0xff, 0xff, 0xff, 0x0f, 0]],
  ])('refuses %s', (_what, bytes) => {
    expect(() => decompressNow('snappy', Buffer.from(bytes))).toThrow(failed)
  })
})

describe('lz4', () => {
  it("writes what Kafka's Java client reads: version 1, independent blocks", () => {
    const packed = compressNow('lz4', Buffer.alloc(200_000, 'abc'))
    expect(packed.readUInt32LE(0)).toBe(0x184d2204)
    expect(packed[4]! & 0xe0).toBe(0x60)
    const [frame, ...others] = outlineLz4Frames(packed, 200_000)
    expect(frame).toEqual({ start: 0, end: packed.length, contentBytes: 200_000 })
    expect(others).toEqual([])
  })

  it('passes over skippable frames', () => {
    const skippable = Buffer.from('502a4d1803000000ffffff', 'hex')
    const packed = Buffer.concat([skippable, compressNow('lz4', Buffer.from('text')), skippable])
    expect(String(decompressNow('lz4', packed))).toBe('text')
  })

  it("refuses a block that inflates beyond its frame's block size, before inflating it", () => {
    // Token 0x1f, one literal, offset 1, then a match length that 300 bytes of 255 add up to.
    const block = Buffer.concat([Buffer.from([0x1f, 0x61, 1, 0]), Buffer.alloc(300, 255), Buffer.from([0, 0x10, 0x61])])
    const header = compressNow('lz4', Buffer.from('a')).subarray(0, 7)
    const length = Buffer.alloc(4)
    length.writeUInt32LE(block.length)
    expect(() => decompressNow('lz4', Buffer.concat([header, length, block, Buffer.alloc(4)]))).toThrow(failed)
  })

  it('refuses a frame that needs a dictionary', () => {
    const packed = compressNow('lz4', Buffer.from('text'))
    packed[4]! |= 1
    expect(() => decompressNow('lz4', packed)).toThrow(failed)
  })
})

// Node's zlib has Zstandard from 22.15 on: the WebAssembly one is tested everywhere.
describe('zstd without the help of node:zlib', () => {
  const limitBytes = 1_000_000

  /** The frame as a stream writer makes it: its size unknown when the header was written. */
  function withoutSize(packed: Buffer): Buffer {
    const sizeCode = packed[4]! >> 6
    const headerEnd = 5 + (sizeCode === 0 ? 1 : [0, 2, 4, 8][sizeCode]!)
    expect(packed[4]! & 0x27).toBe(0x20) // single segment, no checksum, no dictionary
    return Buffer.concat([packed.subarray(0, 4), Buffer.from([0x00, 0x58]), packed.subarray(headerEnd)])
  }

  /** A frame of blocks that each repeat one byte, 4 bytes for 128 KiB. */
  function bombOf(blocks: number): Buffer {
    const block = (isLast: boolean) => {
      const header = (131_072 << 3) | (1 << 1) | (isLast ? 1 : 0)
      return Buffer.from([header & 0xff, (header >> 8) & 0xff, header >> 16, 0])
    }
    const body = Array.from({ length: blocks }, (_, index) => block(index === blocks - 1))
    return Buffer.concat([Buffer.from('28b52ffd0058', 'hex'), ...body])
  }

  it('reads frames that do not say their size', async () => {
    for (const length of [1, 1000, 70_000, 400_000]) {
      const text = Buffer.alloc(length, 'a text, ')
      const packed = withoutSize(zstdWasmCodec.compressNow(text))
      expect(zstdWasmCodec.decompressNow(packed, limitBytes).equals(text)).toBe(true)
      expect((await zstdWasmCodec.decompress(packed, limitBytes)).equals(text)).toBe(true)
      expect(zstdWasmCodec.decompressNow(packed, length).equals(text)).toBe(true)
      expect(() => zstdWasmCodec.decompressNow(packed, length - 1)).toThrow(tooLarge)
      await expect(zstdWasmCodec.decompress(packed, length - 1)).rejects.toThrow(tooLarge)
    }
  })

  it('refuses a bomb in a frame that does not say its size', async () => {
    expect(() => zstdWasmCodec.decompressNow(bombOf(50_000), limitBytes)).toThrow(tooLarge)
    await expect(zstdWasmCodec.decompress(bombOf(50_000), limitBytes)).rejects.toThrow(tooLarge)
    expect(zstdWasmCodec.decompressNow(bombOf(3), limitBytes).equals(Buffer.alloc(3 * 131_072))).toBe(true)
  })

  it('refuses a frame that lies about its size', () => {
    const packed = zstdWasmCodec.compressNow(Buffer.alloc(1000, 'abc'))
    expect(packed[4]! >> 6).toBe(1)
    packed.writeUInt16LE(30_000, 5)
    expect(() => zstdWasmCodec.decompressNow(packed, limitBytes)).toThrow(failed)
    packed.writeUInt16LE(10, 5)
    expect(() => zstdWasmCodec.decompressNow(packed, limitBytes)).toThrow(failed)
  })

  it('does large work on its thread, many at once and one damaged among them', async () => {
    const texts = Array.from({ length: 6 }, (_, index) => Buffer.alloc(400_000 + index, `text ${index} `))
    const packed = await Promise.all(texts.map((text) => zstdWasmCodec.compress(text)))
    const damagedOne = Buffer.from(packed[0]!)
    damagedOne.fill(0xff, 20, damagedOne.length - 4)
    const results = await Promise.allSettled(
      [...packed, damagedOne].map((bytes) => zstdWasmCodec.decompress(bytes, limitBytes)),
    )
    expect(results.pop()).toEqual({ status: 'rejected', reason: failed })
    expect(results.map((result, i) => result.status === 'fulfilled' && result.value.equals(texts[i]!))).toEqual(
      Array(6).fill(true),
    )
  })
})
