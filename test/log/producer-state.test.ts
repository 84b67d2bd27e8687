import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { dedupeWindow, type ProducerBatch, ProducerStates, sequenceAfter } from '../../ts/log/producer-state.js'

const sequenceMax = 0x7fffffff

function batch(
  firstSequence: number,
  count: number,
  firstOffset: number,
  fields: Partial<ProducerBatch> = {},
): ProducerBatch {
  return {
    producerId: 7,
    producerEpoch: 0,
    firstSequence,
    lastSequence: firstSequence < 0 ? -1 : sequenceAfter(firstSequence, count - 1),
    firstOffset,
    lastOffset: firstOffset + count - 1,
    timestamp: 1000,
    transactional: false,
    control: false,
    ...fields,
  }
}

function codeOf(work: () => unknown): string | undefined {
  try {
    work()
    return undefined
  } catch (error) {
    return (error as { code: string }).code
  }
}

describe('sequenceAfter', () => {
  it('wraps from 2^31-1 to 0', () => {
    expect(sequenceAfter(sequenceMax, 1)).toBe(0)
    expect(sequenceAfter(sequenceMax - 1, 3)).toBe(1)
    expect(sequenceAfter(5, 0)).toBe(5)
  })
})

describe('ProducerStates', () => {
  it('answers each of the last five batches with its first offsets, and nothing older', () => {
    const states = new ProducerStates()
    for (let i = 0; i < 7; i++) states.apply(batch(i * 2, 2, 100 + i * 2))
    for (let i = 2; i < 7; i++) {
      expect(states.check(batch(i * 2, 2, 0))).toEqual({
        baseOffset: 100 + i * 2,
        lastOffset: 101 + i * 2,
        timestamp: 1000,
      })
    }
    expect(codeOf(() => states.check(batch(2, 2, 0)))).toBe('OUT_OF_ORDER_SEQUENCE_NUMBER')
  })

  it('takes a batch of other length at a known sequence for a gap, not for a retry', () => {
    const states = new ProducerStates()
    states.apply(batch(0, 2, 0))
    expect(codeOf(() => states.check(batch(0, 3, 0)))).toBe('OUT_OF_ORDER_SEQUENCE_NUMBER')
  })

  it('lets an unknown producer begin anywhere, a new epoch only at 0, an old epoch never', () => {
    const states = new ProducerStates()
    expect(states.check(batch(41, 1, 0))).toBeNull()
    states.apply(batch(41, 1, 0, { producerEpoch: 3 }))
    expect(codeOf(() => states.check(batch(42, 1, 0, { producerEpoch: 4 })))).toBe('OUT_OF_ORDER_SEQUENCE_NUMBER')
    expect(states.check(batch(0, 1, 0, { producerEpoch: 4 }))).toBeNull()
    expect(codeOf(() => states.check(batch(42, 1, 0, { producerEpoch: 2 })))).toBe('INVALID_PRODUCER_EPOCH')
  })

  it('does not take a batch of an older epoch for a retry after the epoch changed', () => {
    const states = new ProducerStates()
    states.apply(batch(0, 1, 0, { producerEpoch: 0 }))
    states.apply(batch(0, 1, 1, { producerEpoch: 1 }))
    expect(states.check(batch(0, 1, 0, { producerEpoch: 1 }))?.baseOffset).toBe(1)
  })

  it('keeps the last batch through a snapshot', () => {
    const states = new ProducerStates()
    states.apply(batch(sequenceMax - 1, 4, 50)) // wraps inside
    const again = new ProducerStates(states.snapshot())
    expect(again.check(batch(sequenceMax - 1, 4, 0))?.baseOffset).toBe(50)
    expect(again.check(batch(2, 1, 0))).toBeNull()
    expect(codeOf(() => again.check(batch(3, 1, 0)))).toBe('OUT_OF_ORDER_SEQUENCE_NUMBER')
  })

  it('tracks an open transaction and closes it with the marker', () => {
    const states = new ProducerStates()
    states.apply(batch(0, 2, 10, { transactional: true }))
    states.apply(batch(2, 2, 12, { transactional: true }))
    expect(states.snapshot()[0].currentTxnFirstOffset).toBe(10)
    expect(states.expire(1e12, 1)).toBe(0)
    states.apply(batch(-1, 1, 14, { control: true, transactional: true }))
    expect(states.snapshot()[0]).toMatchObject({ currentTxnFirstOffset: -1, lastSequence: 3, lastOffset: 13 })
  })

  it('expires exactly at the limit', () => {
    const states = new ProducerStates()
    states.apply(batch(0, 1, 0, { timestamp: 1000 }))
    expect(states.expire(1999, 1000)).toBe(0)
    expect(states.expire(2000, 1000)).toBe(1)
    expect(states.size).toBe(0)
  })

  it('stores each batch of a producer once, in order, however it is retried', () => {
    const start = fc.oneof(fc.integer({ min: 0, max: 10 }), fc.integer({ min: sequenceMax - 20, max: sequenceMax }))
    const sends = fc.array(fc.tuple(fc.integer({ min: 1, max: 5 }), fc.integer({ min: 0, max: dedupeWindow - 1 })), {
      minLength: 1,
      maxLength: 40,
    })
    fc.assert(
      fc.property(start, sends, (first, plan) => {
        const states = new ProducerStates()
        const sent: ProducerBatch[] = []
        let sequence = first
        let offset = 0
        for (const [count, back] of plan) {
          const next = batch(sequence, count, offset)
          expect(states.check(next)).toBeNull()
          states.apply(next)
          sent.push(next)
          sequence = sequenceAfter(next.lastSequence, 1)
          offset += count
          const retried = sent[Math.max(0, sent.length - 1 - back)]
          expect(states.check({ ...retried, firstOffset: -1, lastOffset: -1 })?.baseOffset).toBe(retried.firstOffset)
          // One sequence number left out is never accepted.
          const gap = sequenceAfter(sequence, 1)
          expect(codeOf(() => states.check(batch(gap, 1, offset)))).toBe('OUT_OF_ORDER_SEQUENCE_NUMBER')
        }
      }),
    )
  })
})
