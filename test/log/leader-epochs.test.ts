import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { LeaderEpochs } from '../../ts/log/leader-epochs.js'

describe('LeaderEpochs', () => {
  it('writes and reads Kafka’s file', () => {
    const epochs = new LeaderEpochs([
      { epoch: 0, startOffset: 0 },
      { epoch: 3, startOffset: 120 },
    ])
    expect(epochs.serialize().toString()).toBe('0\n2\n0 0\n3 120\n')
    expect(LeaderEpochs.parse(epochs.serialize(), 'f').entries).toEqual(epochs.entries)
    expect(LeaderEpochs.parse(Buffer.from('0\n0\n'), 'f').latest).toBe(-1)
  })

  it.each([
    ['', 1],
    ['1\n0\n', 1],
    ['0\nx\n', 2],
    ['0\n2\n0 0\n', 2],
    ['0\n1\n0 0\n1 5\n', 2],
    ['0\n1\n0 -4\n', 3],
  ])('refuses %j, naming file and line', (text, line) => {
    expect(() => LeaderEpochs.parse(Buffer.from(text), 'dir/leader-epoch-checkpoint')).toThrowError(
      expect.objectContaining({
        code: 'CORRUPT_LOG',
        message: expect.stringMatching(new RegExp(`dir/leader-epoch-checkpoint.*line ${line}`)),
      }),
    )
  })

  it('answers OffsetForLeaderEpoch as Kafka does', () => {
    const epochs = new LeaderEpochs([
      { epoch: 2, startOffset: 10 },
      { epoch: 4, startOffset: 20 },
      { epoch: 7, startOffset: 30 },
    ])
    expect(epochs.endOffsetFor(7, 45)).toEqual({ epoch: 7, endOffset: 45 })
    expect(epochs.endOffsetFor(5, 45)).toEqual({ epoch: 4, endOffset: 30 })
    expect(epochs.endOffsetFor(2, 45)).toEqual({ epoch: 2, endOffset: 20 })
    expect(epochs.endOffsetFor(1, 45)).toEqual({ epoch: 1, endOffset: 10 })
    expect(epochs.endOffsetFor(8, 45)).toBeNull()
    expect(epochs.endOffsetFor(-1, 45)).toBeNull()
    expect(new LeaderEpochs().endOffsetFor(0, 0)).toBeNull()
  })

  it('keeps the epoch in force at a raised log start', () => {
    const epochs = new LeaderEpochs([
      { epoch: 0, startOffset: 0 },
      { epoch: 1, startOffset: 10 },
      { epoch: 2, startOffset: 20 },
    ])
    expect(epochs.truncateFromStart(15)).toBe(true)
    expect(epochs.entries).toEqual([
      { epoch: 1, startOffset: 15 },
      { epoch: 2, startOffset: 20 },
    ])
    expect(epochs.truncateFromStart(15)).toBe(false)
    expect(epochs.truncateFromStart(20)).toBe(true)
    expect(epochs.entries).toEqual([{ epoch: 2, startOffset: 20 }])
  })

  it('stays strictly increasing in both columns, and answers like a plain list', () => {
    const operation = fc.oneof(
      fc.record({ kind: fc.constant('assign' as const), epoch: fc.nat(20), offset: fc.nat(100) }),
      fc.record({ kind: fc.constant('end' as const), epoch: fc.nat(0), offset: fc.nat(100) }),
      fc.record({ kind: fc.constant('start' as const), epoch: fc.nat(0), offset: fc.nat(100) }),
    )
    fc.assert(
      fc.property(fc.array(operation, { maxLength: 30 }), fc.nat(110), (operations, probe) => {
        const epochs = new LeaderEpochs()
        for (const { kind, epoch, offset } of operations) {
          if (kind === 'assign') {
            epochs.assign(epoch, offset)
            expect(epochs.latest).toBe(epoch)
          } else if (kind === 'end') {
            epochs.truncateFromEnd(offset)
            expect(epochs.entries.every((entry) => entry.startOffset < offset)).toBe(true)
          } else {
            const inForce = epochs.epochAt(offset)
            epochs.truncateFromStart(offset)
            expect(epochs.epochAt(offset)).toBe(inForce)
          }
          for (let i = 1; i < epochs.entries.length; i++) {
            expect(epochs.entries[i].epoch).toBeGreaterThan(epochs.entries[i - 1].epoch)
            expect(epochs.entries[i].startOffset).toBeGreaterThan(epochs.entries[i - 1].startOffset)
          }
          const expected = epochs.entries.filter((entry) => entry.startOffset <= probe).at(-1)?.epoch ?? -1
          expect(epochs.epochAt(probe)).toBe(expected)
          expect(LeaderEpochs.parse(epochs.serialize(), 'f').entries).toEqual(epochs.entries)
        }
      }),
    )
  })
})
