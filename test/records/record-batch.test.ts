import * as fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { codecNames } from '../../ts/records/codecs/codec-name.js'
import { loadCodec } from '../../ts/records/codecs/codecs.js'
import { compressBatch, compressBatchNow } from '../../ts/records/compress-batch.js'
import { RecordBatch } from '../../ts/records/record-batch.js'
import { RecordBatchReader } from '../../ts/records/record-batch-reader.js'
import { anyMessage, batchOf, crc32cBySteps, expectedRecords, readEverything, recordsOf } from './samples.js'

const now = 1_700_000_000_000

// Worked by hand: two records at 1,700,000,000,000 ms (0x18bcfe56800) and 5 ms later.
const literal = Buffer.from(
  [
    '0000000000000000', // base offset
    '00000046', // length behind this field: 70
    'ffffffff', // leader epoch
    '02', // magic
    '00000000', // CRC: not computed
    '0000', // attributes
    '00000001', // last offset delta
    '0000018bcfe56800', // base timestamp
    '0000018bcfe56805', // max timestamp
    'ffffffffffffffff', // producer id
    'ffff', // producer epoch
    'ffffffff', // base sequence
    '00000002', // record count
    '1a000000026b0468690202610262', // 13 bytes: attributes 0, 0 ms, offset 0, 'k', 'hi', 1 header, 'a' 'b'
    '0c000a02010100', // 6 bytes: attributes 0, 5 ms, offset 1, null, null, no header
  ].join(''),
  'hex',
)

describe('a record batch', () => {
  it('has the bytes of the format', () => {
    const batch = batchOf([
      { key: 'k', value: 'hi', headers: { a: 'b' }, timestamp: now },
      { value: null, timestamp: now + 5 },
    ])
    expect(batch.toString('hex')).toBe(literal.toString('hex'))
  })

  it('shows its header', () => {
    const bytes = batchOf([{ value: 'a' }, { value: 'b' }], {
      producerId: 2 ** 40 + 1,
      producerEpoch: 3,
      baseSequence: 77,
      isTransactional: true,
      isControl: true,
    })
    bytes.writeBigInt64BE(5_000_000_000n, 0)
    bytes.writeInt32BE(9, 12)
    const { header } = new RecordBatch(bytes)
    expect(header).toMatchObject({
      baseOffset: 5_000_000_000,
      lastOffset: 5_000_000_001,
      sizeBytes: bytes.length,
      leaderEpoch: 9,
      producerId: 2 ** 40 + 1,
      producerEpoch: 3,
      baseSequence: 77,
      recordCount: 2,
      codec: 0,
      isTransactional: true,
      isControl: true,
      isAppendTime: false,
      hasDeleteHorizon: false,
    })
    expect(recordsOf(new RecordBatch(bytes)).map((record) => record.offset)).toEqual([5_000_000_000n, 5_000_000_001n])
  })

  it('computes its CRC with the function it is given', () => {
    const bytes = batchOf([{ value: 'a' }], { crc32c: crc32cBySteps })
    expect(new RecordBatch(bytes).crcMatches(crc32cBySteps)).toBe(true)
    bytes[bytes.length - 2]! ^= 1
    expect(new RecordBatch(bytes).crcMatches(crc32cBySteps)).toBe(false)
  })

  it('gives append time for every record where the broker stamped it', () => {
    const bytes = batchOf([{ value: 'a' }, { value: 'b', timestamp: 5 }])
    bytes.writeInt16BE(0x08, 21)
    bytes.writeBigInt64BE(123n, 35)
    const records = [...new RecordBatch(bytes)]
    expect(records.map((record) => [record.timestamp, record.timestampType])).toEqual([
      [123, 'append'],
      [123, 'append'],
    ])
  })

  it('has no records after compaction took them, and says so', () => {
    const bytes = batchOf([{ value: 'a' }]).subarray(0, 61)
    bytes.writeInt32BE(49, 8)
    bytes.writeInt32BE(0, 57)
    expect([...new RecordBatch(bytes)]).toEqual([])
  })

  it('keeps the gaps that compaction left', () => {
    const bytes = batchOf([{ value: 'a' }, { value: 'b' }])
    bytes.writeInt32BE(40, 23)
    bytes[bytes.length - 5] = 30 << 1 // the second record's offset delta
    expect([...new RecordBatch(bytes)].map((record) => record.offset)).toEqual([0n, 30n])
  })

  it('gives values as real Buffers that share its memory', () => {
    const bytes = batchOf([{ value: 'abc' }])
    const { value } = [...new RecordBatch(bytes)][0]!
    expect(Object.getPrototypeOf(value)).toBe(Buffer.prototype)
    expect(value!.buffer).toBe(bytes.buffer)
  })

  it('detaches a record by copy', () => {
    const bytes = batchOf([{ value: 'x' }, { key: 'k', value: 'abc', headers: { a: '1' }, timestamp: 7 }])
    const copied = [...new RecordBatch(bytes)][1]!.copy()
    bytes.fill(0)
    expect(copied).toMatchObject({ offset: 1n, timestamp: 7, key: Buffer.from('k'), value: Buffer.from('abc') })
    expect(copied.headers).toEqual({ a: Buffer.from('1') })
    expect(copied.value!.buffer.byteLength).toBeLessThan(32)
  })

  it('refuses to walk records that are still compressed', () => {
    const batch = new RecordBatch(compressBatchNow(batchOf([{ value: 'a' }]), 'gzip'))
    expect(batch.isDeflated).toBe(true)
    expect(() => batch.cursor()).toThrow(expect.objectContaining({ code: 'INVALID_ARGUMENT' }))
  })
})

describe('records of every shape', () => {
  it.each(codecNames)('come back through %s', async (codec) => {
    await loadCodec(codec)
    await fc.assert(
      fc.asyncProperty(fc.array(anyMessage, { minLength: 1, maxLength: 20 }), async (messages) => {
        const plain = batchOf(messages, { producerId: 5, producerEpoch: 1, baseSequence: 9 })
        const expected = expectedRecords(messages, now)
        for (const bytes of [await compressBatch(plain, codec, crc32cBySteps), compressBatchNow(plain, codec)]) {
          const batch = new RecordBatch(bytes)
          expect(batch.header).toMatchObject({ codec: codecNames.indexOf(codec), producerId: 5, baseSequence: 9 })
          expect(recordsOf(await batch.inflate())).toEqual(expected)
          expect(recordsOf(new RecordBatch(bytes).inflateNow())).toEqual(expected)
        }
      }),
      { numRuns: 60 },
    )
  })

  it('are refused when compressed twice', () => {
    const once = compressBatchNow(batchOf([{ value: 'a' }]), 'snappy')
    expect(() => compressBatchNow(once, 'gzip')).toThrow(expect.objectContaining({ code: 'INVALID_BATCH' }))
  })
})

describe('a reader', () => {
  const one = batchOf([{ value: 'a' }])
  const two = batchOf([{ value: 'b' }, { value: 'c' }])

  it('walks batches back to back', () => {
    const batches = [...new RecordBatchReader(Buffer.concat([one, two]))]
    expect(batches.map((batch) => [batch.start, batch.header.recordCount])).toEqual([
      [0, 1],
      [one.length, 2],
    ])
    expect(batches[1]!.bytes.equals(two)).toBe(true)
  })

  it('refuses a cut batch, unless told that the tail may be cut', () => {
    for (let cut = 1; cut < two.length; cut++) {
      const bytes = Buffer.concat([one, two.subarray(0, two.length - cut)])
      expect(() => [...new RecordBatchReader(bytes)]).toThrow(expect.objectContaining({ code: 'CORRUPT_BATCH' }))
      expect([...new RecordBatchReader(bytes, { allowCutTail: true })].length).toBe(1)
    }
  })

  it('stays within the range it is given', () => {
    const bytes = Buffer.concat([one, two, one])
    const reader = new RecordBatchReader(bytes, { start: one.length, end: one.length + two.length })
    expect([...reader].map((batch) => batch.start)).toEqual([one.length])
  })
})

describe('damaged bytes', () => {
  const codes = ['CORRUPT_BATCH', 'INVALID_BATCH', 'DECOMPRESSION_FAILED', 'DECOMPRESSED_TOO_LARGE']

  it.each([
    ['magic', 16, 1],
    ['length', 8, 0x7f],
    ['negative length', 8, 0xff],
    ['last offset delta', 23, 0x80],
    ['base offset', 0, 0x80],
    ['base offset above 2^53', 0, 0x70],
    ['record count', 57, 0x80],
    ['producer id', 43, 0x80],
  ])('in the header (%s) are CORRUPT_BATCH', (_field, position, byte) => {
    const bytes = batchOf([{ value: 'a' }])
    bytes[position] = byte
    expect(() => new RecordBatch(bytes)).toThrow(expect.objectContaining({ code: 'CORRUPT_BATCH' }))
  })

  it.each([
    ['length', 61, 0x7e],
    ['negative length', 61, 0x01],
    ['attributes', 62, 1],
    ['offset delta', 64, 2],
    ['key length', 65, 0x7e],
    ['key length below -1', 65, 0x03],
    ['value length', 67, 0x7e],
    ['header count', 69, 2],
    ['missing record', 60, 2],
    ['trailing record', 60, 0],
  ])('in a record (%s) are INVALID_BATCH', (_field, position, byte) => {
    const bytes = batchOf([{ key: 'k', value: 'a' }])
    expect(bytes.length).toBe(70)
    bytes[position] = byte
    expect(() => readEverything(bytes)).toThrow(expect.objectContaining({ code: 'INVALID_BATCH' }))
  })

  it.each(codecNames)('never give anything but our errors (%s)', async (codec) => {
    await loadCodec(codec)
    const change = fc.tuple(fc.nat(), fc.integer({ min: 0, max: 255 }))
    fc.assert(
      fc.property(
        fc.array(anyMessage, { minLength: 1, maxLength: 6 }),
        fc.array(change, { minLength: 1, maxLength: 8 }),
        fc.boolean(),
        (messages, changes, isTail) => {
          const bytes = compressBatchNow(batchOf(messages), codec)
          // Half of the runs leave the header alone, or hardly any would get to the records.
          for (const [where, byte] of changes) {
            bytes[isTail ? 61 + (where % (bytes.length - 61)) : where % bytes.length] = byte
          }
          try {
            readEverything(bytes)
          } catch (error) {
            expect(codes).toContain((error as { code?: string }).code)
          }
        },
      ),
      { numRuns: 1500 },
    )
  })

  it('of any kind never give anything but our errors', () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 200 }), (tail) => {
        const bytes = Buffer.concat([literal.subarray(0, 61), tail])
        bytes.writeInt32BE(bytes.length - 12, 8)
        try {
          readEverything(bytes)
        } catch (error) {
          expect(codes).toContain((error as { code?: string }).code)
        }
      }),
      { numRuns: 3000 },
    )
  })
})
