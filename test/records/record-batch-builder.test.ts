import * as fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import type { Message } from '../../ts/records/message.js'
import { RecordBatch } from '../../ts/records/record-batch.js'
import { RecordBatchBuilder } from '../../ts/records/record-batch-builder.js'
import { anyMessage, expectedRecords, type PlainRecord, recordsOf } from './samples.js'

const now = 1_700_000_000_000

describe('RecordBatchBuilder', () => {
  it('fills batches to the last byte and never beyond, one by one and all at once', () => {
    fc.assert(
      fc.property(
        fc.array(anyMessage, { minLength: 1, maxLength: 40 }),
        fc.integer({ min: 62, max: 900 }),
        fc.boolean(),
        (messages, maxBytes, isBulk) => {
          const builder = new RecordBatchBuilder({ maxBytes, initialBytes: 64 })
          const records: PlainRecord[] = []
          for (let at = 0; at < messages.length; ) {
            const from = at
            if (isBulk) at = builder.appendAll(messages, at, now)
            else while (at < messages.length && builder.append(messages[at]!, now)) at++
            expect(builder.recordCount).toBe(at - from)
            const sizeBytes = builder.sizeBytes
            const batch = builder.finish()
            expect(batch.length).toBe(sizeBytes)
            if (batch.length > maxBytes) expect(at - from).toBe(1)
            if (at < messages.length) expect(sizeOfAll(messages.slice(from, at + 1))).toBeGreaterThan(maxBytes)
            expect(sizeOfAll(messages.slice(from, at))).toBe(sizeBytes)
            records.push(
              ...recordsOf(new RecordBatch(batch)).map((record, i) => ({ ...record, offset: BigInt(from + i) })),
            )
            builder.reset()
          }
          expect(records).toEqual(expectedRecords(messages, now))
        },
      ),
      { numRuns: 300 },
    )
  })

  it('writes the same bytes in bulk as one by one', () => {
    fc.assert(
      fc.property(fc.array(anyMessage, { minLength: 1, maxLength: 30 }), (messages) => {
        expect(encode(messages, true).equals(encode(messages, false))).toBe(true)
      }),
    )
  })

  it('takes text at and around the lengths where its writer changes', () => {
    const texts = [
      '',
      'a',
      'ä',
      'a'.repeat(32),
      'a'.repeat(33),
      `${'a'.repeat(31)}ä`,
      `${'a'.repeat(32)}ä`,
      '\ud800',
      '𝄞',
    ]
    const messages = texts.flatMap((value): Message[] => [{ value }, { key: value, value: 'v' }])
    const records = recordsOf(new RecordBatch(encode(messages, true)))
    expect(records).toEqual(expectedRecords(messages, now))
  })

  it('grows the bytes of deltas with the clock, both ways', () => {
    const builder = new RecordBatchBuilder({ maxBytes: 1000 })
    for (const time of [now, now + 1, now + 1e6, now - 1e9]) builder.appendAll([{ value: 'a' }], 0, time)
    const batch = new RecordBatch(builder.finish())
    expect([...batch].map((record) => record.timestamp)).toEqual([now, now + 1, now + 1e6, now - 1e9])
    expect(batch.header).toMatchObject({ baseTimestamp: now, maxTimestamp: now + 1e6 })
  })

  it('takes a record larger than maxBytes when it is alone', () => {
    const builder = new RecordBatchBuilder({ maxBytes: 100 })
    const large = { value: Buffer.alloc(5000, 1) }
    expect(builder.append({ value: 'a' }, now)).toBe(true)
    expect(builder.append(large, now)).toBe(false)
    expect(builder.appendAll([{ value: 'b' }, large], 0, now)).toBe(1)
    builder.reset()
    expect(builder.append(large, now)).toBe(true)
    expect([...new RecordBatch(builder.finish())][0]!.value!.length).toBe(5000)
    builder.reset()
    expect(builder.append({ value: 'c' }, now)).toBe(true)
    expect(builder.sizeBytes).toBeLessThan(100)
  })

  it('leaves a finished batch alone after reset(false), and reuses its memory after reset()', () => {
    const builder = new RecordBatchBuilder({ maxBytes: 1000 })
    builder.append({ value: 'first' }, now)
    const kept = builder.finish()
    const before = Buffer.from(kept)
    builder.reset(false)
    builder.append({ value: 'second' }, now)
    const reused = builder.finish()
    expect(kept.equals(before)).toBe(true)
    builder.reset()
    builder.append({ value: 'third!' }, now)
    expect(builder.finish().buffer).toBe(reused.buffer)
  })

  it.each<[string, object, string]>([
    ['a missing value', {}, 'value'],
    ['an undefined value', { value: undefined }, 'value'],
    ['a number', { value: 5 }, 'value'],
    ['an array', { value: [1, 2] }, 'value'],
    ['an object as key', { key: {}, value: 'a' }, 'key'],
    ['a fraction of a millisecond', { value: 'a', timestamp: 1.5 }, 'timestamp'],
    ['a text as timestamp', { value: 'a', timestamp: '5' }, 'timestamp'],
    ['a timestamp below -1', { value: 'a', timestamp: -2 }, 'timestamp'],
    ['a number as header', { value: 'a', headers: { n: 5 } }, 'headers'],
    ['a number as headers', { value: 'a', headers: 5 }, 'headers'],
    ['null as headers', { value: 'a', headers: null }, 'headers'],
    ['a map of headers', { value: 'a', headers: new Map([['n', '5']]) }, 'headers'],
    ['a list of headers', { value: 'a', headers: [['n', '5']] }, 'headers'],
  ])('refuses %s and keeps what it had', (_what, message, key) => {
    for (const bulk of [true, false]) {
      const builder = new RecordBatchBuilder({ maxBytes: 1000 })
      builder.append({ value: 'before' }, now)
      const run = () =>
        bulk ? builder.appendAll([message as Message], 0, now) : builder.append(message as Message, now)
      expect(run).toThrow(expect.objectContaining({ code: 'INVALID_ARGUMENT', key }))
      builder.append({ value: 'after' }, now)
      expect([...new RecordBatch(builder.finish())].map((record) => String(record.value))).toEqual(['before', 'after'])
    }
  })

  it('refuses to finish without a record, and a maxBytes without room', () => {
    expect(() => new RecordBatchBuilder({ maxBytes: 1000 }).finish()).toThrow(
      expect.objectContaining({ code: 'INVALID_ARGUMENT' }),
    )
    for (const maxBytes of [61, 0, -1, 1.5, Number.NaN, 2 ** 31]) {
      expect(() => new RecordBatchBuilder({ maxBytes })).toThrow(
        expect.objectContaining({ code: 'INVALID_ARGUMENT', key: 'maxBytes' }),
      )
    }
  })
})

/** Size of a batch of these messages, by a builder that has room for all. */
function sizeOfAll(messages: readonly Message[]): number {
  return encode(messages, false).length
}

function encode(messages: readonly Message[], isBulk: boolean): Buffer {
  const builder = new RecordBatchBuilder({ maxBytes: 1024 * 1024, initialBytes: 62 })
  if (isBulk) builder.appendAll(messages, 0, now)
  else for (const message of messages) builder.append(message, now)
  expect(builder.recordCount).toBe(messages.length)
  return builder.finish()
}
