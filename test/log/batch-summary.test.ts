import * as fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { summarizeBatches, summaryOf } from '../../ts/log/batch-summary.js'
import { BatchHeader, batchLengthEnd, batchOverheadBytes, headerAt } from '../../ts/records/batch-header.js'

interface Fields {
  bodyBytes: number
  attributes: number
  lastOffsetDelta: number
  maxTimestamp: bigint
  producerId: bigint
  producerEpoch: number
  baseSequence: number
}

function batchOf(fields: Fields): Buffer {
  const bytes = Buffer.alloc(batchOverheadBytes + fields.bodyBytes)
  bytes.writeInt32BE(bytes.length - batchLengthEnd, headerAt.batchLength)
  bytes[headerAt.magic] = 2
  bytes.writeInt16BE(fields.attributes, headerAt.attributes)
  bytes.writeInt32BE(fields.lastOffsetDelta, headerAt.lastOffsetDelta)
  bytes.writeBigInt64BE(fields.maxTimestamp, headerAt.maxTimestamp)
  bytes.writeBigInt64BE(fields.producerId, headerAt.producerId)
  bytes.writeInt16BE(fields.producerEpoch, headerAt.producerEpoch)
  bytes.writeInt32BE(fields.baseSequence, headerAt.baseSequence)
  bytes.writeInt32BE(fields.lastOffsetDelta + 1, headerAt.recordCount)
  return bytes
}

const fields = fc.record({
  bodyBytes: fc.nat(300),
  attributes: fc.nat(0x7f),
  lastOffsetDelta: fc.nat(0x7fff_fffe),
  maxTimestamp: fc.bigInt({ min: -2n, max: 2n ** 50n }),
  producerId: fc.bigInt({ min: -1n, max: 2n ** 50n }),
  producerEpoch: fc.integer({ min: -1, max: 0x7fff }),
  baseSequence: fc.integer({ min: -1, max: 0x7fff_ffff }),
})

describe('what an append needs to know of one batch', () => {
  it('is the same by its bytes and by its header', () => {
    fc.assert(
      fc.property(fields, (given) => {
        const bytes = batchOf(given)
        const header = new BatchHeader(bytes, 0, bytes.length)
        expect(summaryOf(header, header.maxTimestamp)).toEqual(summarizeBatches(bytes))
      }),
      { numRuns: 500 },
    )
  })
})
