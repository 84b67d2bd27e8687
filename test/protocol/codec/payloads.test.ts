import * as fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { payloadVersion, readPayload, writePayload } from '../../../ts/protocol/codec/payloads.js'
import { consumerProtocolSubscription } from '../../../ts/protocol/payloads/consumer-protocol.js'
import { offsetCommitValue } from '../../../ts/protocol/payloads/offset-commit.js'
import { create } from '../../../ts/protocol/schema.js'
import { payloads } from '../payload-tables.js'
import { normal } from './frame-samples.js'
import { messageAt } from './message-arbitrary.js'

describe('payloads', () => {
  for (const table of payloads) {
    for (let version = table.versions.from; version <= table.versions.to; version++) {
      it(`${table.name} version ${version} is read as it was written`, () => {
        fc.assert(
          fc.property(messageAt(table, version), (value) => {
            const bytes = writePayload(table, version, value)
            expect(payloadVersion(bytes)).toBe(version)
            const read = readPayload(table, bytes)
            expect(normal(table.fields, read)).toEqual(normal(table.fields, value))
            expect(writePayload(table, version, read)).toEqual(bytes)
          }),
          { numRuns: 20 },
        )
      })
    }
  }

  it('has the bytes Kafka gives an offset', () => {
    const value = create(offsetCommitValue, { offset: 5n, leaderEpoch: 1, metadata: 'm', commitTimestamp: 0x1234n })
    expect(Buffer.from(writePayload(offsetCommitValue, 3, value)).toString('hex')).toBe(
      ['0003', '0000000000000005', '00000001', '00016d', '0000000000001234'].join(''),
    )
    expect(Buffer.from(writePayload(offsetCommitValue, 4, value)).toString('hex')).toBe(
      ['0004', '0000000000000005', '00000001', '026d', '0000000000001234', '00'].join(''),
    )
  })

  it('reads a later version as the newest only where that is asked for', () => {
    const bytes = writePayload(consumerProtocolSubscription, 3, create(consumerProtocolSubscription, { topics: ['t'] }))
    const later = Buffer.concat([bytes, Buffer.from('more')])
    later.writeInt16BE(9)
    expect(readPayload(consumerProtocolSubscription, later, 'read as the newest').topics).toEqual(['t'])
    expect(() => readPayload(consumerProtocolSubscription, later)).toThrow(
      expect.objectContaining({ code: 'UNSUPPORTED_VERSION' }),
    )
    later.writeInt16BE(-1)
    expect(() => readPayload(consumerProtocolSubscription, later, 'read as the newest')).toThrow(
      expect.objectContaining({ code: 'MALFORMED_MESSAGE' }),
    )
  })

  it('refuses what is too short', () => {
    for (const bytes of [new Uint8Array(0), Uint8Array.of(0), Uint8Array.of(0, 3, 0)])
      expect(() => readPayload(offsetCommitValue, bytes)).toThrow(
        expect.objectContaining({ code: 'MALFORMED_MESSAGE' }),
      )
  })
})
