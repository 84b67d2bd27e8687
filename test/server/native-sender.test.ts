import { describe, expect, test } from 'vitest'
import type { FileRegion } from '../../ts/protocol/file-region.js'
import { FakeSegment } from './fake-segments.js'
import { Rig, turn } from './native-wire-harness.js'

/** Bytes that tell where they are from. */
function numbered(length: number): Buffer {
  const bytes = Buffer.alloc(length)
  for (let i = 0; i + 4 <= length; i += 4) bytes.writeUInt32BE(i, i)
  return bytes
}

const filled = (bytes: number, value: number): Buffer => Buffer.alloc(bytes, value)
const mebibyte = 1 << 20

async function openedSegment(rig: Rig, bytes = numbered(4 * mebibyte)): Promise<FakeSegment> {
  const segment = new FakeSegment(rig.fake, bytes)
  await segment.region(0, 1).read(0, 1)
  return segment
}

describe('the native sender', () => {
  test('sends the answers of one turn by one call', async () => {
    const rig = new Rig()
    for (let i = 0; i < 64; i++) rig.wire.sender.send([filled(10, i), filled(5, i)])
    expect(rig.far.sends).toEqual([])
    await turn()
    expect(rig.far.sends).toEqual([128])
    expect(rig.far.output.equals(Buffer.concat(Array.from({ length: 64 }, (_, i) => filled(15, i))))).toBe(true)
    expect(rig.wire.sender.sentBytes).toBe(64 * 15)
    expect([rig.wire.sender.isIdle, rig.wire.sender.isSending, rig.wire.sender.isBlocked]).toEqual([true, false, false])
  })

  test('sends small regions that are in memory with the bytes around them, large ones by the transfer', async () => {
    const rig = new Rig()
    const { sender } = rig.wire
    const segment = await openedSegment(rig)
    const [small, large] = [segment.region(100, 60_000), segment.region(60_100, 60_000)]
    sender.send([filled(10, 1), small, filled(10, 2)])
    await turn()
    expect(small.releases).toBe(1)
    expect(rig.far.output.length).toBe(60_020)
    sender.send([filled(10, 3), large, segment.region(0, mebibyte)])
    await turn()
    expect(rig.far.sends).toEqual([3, 3])
    expect([sender.isIdle, sender.isSending, sender.isBlocked, large.releases]).toEqual([false, true, true, 1])
    rig.move(mebibyte)
    expect(sender.isIdle).toBe(false)
    rig.move(mebibyte)
    expect([sender.isIdle, sender.isSending, sender.isBlocked]).toEqual([true, false, false])
    const { bytes } = segment
    const expected = [filled(10, 1), bytes.subarray(100, 60_100), filled(10, 2), filled(10, 3)]
    expected.push(bytes.subarray(60_100, 120_100), bytes.subarray(0, mebibyte))
    expect(rig.far.output.equals(Buffer.concat(expected))).toBe(true)
    expect(rig.owner.sent).toBe(2)
  })

  test.each([
    { how: 'read', isForced: false },
    { how: 'left to the transfer', isForced: true },
  ])('says when the last region has left, however small: one that is $how', async ({ isForced }) => {
    const rig = new Rig(isForced)
    const { sender } = rig.wire
    const segment = await openedSegment(rig)
    sender.send([filled(10, 1), segment.region(0, 100)])
    expect([sender.isBlocked, sender.isIdle, rig.owner.sent]).toEqual([false, false, 0])
    await turn()
    rig.move(110)
    expect([sender.isIdle, rig.far.output.length, rig.owner.sent]).toEqual([true, 110, 1])
    sender.send([filled(10, 2)])
    await turn()
    rig.move(10)
    expect([rig.far.output.length, rig.owner.sent]).toEqual([120, 1])
  })

  test('reads no more than a socket takes at once, however many small regions there are', async () => {
    const rig = new Rig()
    const segment = await openedSegment(rig)
    const regions = Array.from({ length: 30 }, (_, i) => segment.region(i * 50_000, 50_000))
    rig.wire.sender.send(regions)
    await turn()
    expect(regions.filter(({ releases }) => releases === 1)).toHaveLength(1)
    rig.move(2 * mebibyte)
    expect(rig.far.output.equals(segment.bytes.subarray(0, 1_500_000))).toBe(true)
    expect(regions.every(({ releases }) => releases === 1)).toBe(true)
  })

  test('sends what is before a region that is not in memory, reads it elsewhere, and goes on', async () => {
    const rig = new Rig()
    const segment = await openedSegment(rig)
    segment.isCold = true
    rig.wire.sender.send([filled(10, 1), segment.region(0, 1000), filled(10, 2)])
    await new Promise((resolve) => process.nextTick(resolve))
    expect(rig.far.output).toHaveLength(10)
    expect([rig.wire.sender.isBlocked, rig.wire.sender.isIdle, rig.owner.sent]).toEqual([true, false, 0])
    await turn()
    await turn()
    expect(rig.far.output).toHaveLength(1020)
    expect([rig.wire.sender.isBlocked, rig.wire.sender.isIdle, rig.owner.sent]).toEqual([false, true, 1])
  })

  test('opens the segment of a region that is not open', async () => {
    const rig = new Rig()
    const segment = new FakeSegment(rig.fake, numbered(mebibyte))
    rig.wire.sender.send([filled(10, 1), segment.region(0, mebibyte)])
    await turn()
    expect(segment.opens).toBe(1)
    rig.move(2 * mebibyte)
    expect(rig.far.output.subarray(10).equals(segment.bytes)).toBe(true)
  })

  test('waits while the other end takes nothing, and says when there is room', async () => {
    const rig = new Rig()
    const { sender } = rig.wire
    rig.far.room = 0
    sender.send([filled(60_000, 1)])
    await turn()
    expect([sender.isBlocked, sender.isSending, sender.isIdle]).toEqual([false, true, true])
    sender.send([filled(6_000, 2)])
    await turn()
    expect(rig.far.sends).toHaveLength(1)
    expect([sender.isBlocked, rig.room.blocked, rig.owner.sent]).toEqual([true, 1, 0])
    rig.far.room = 100_000
    rig.move(60_000)
    await turn()
    expect([sender.isBlocked, rig.room.blocked, rig.owner.sent]).toEqual([false, 0, 1])
    expect(rig.far.output).toHaveLength(66_000)
  })

  test('forced, has the transfer send everything and reads nothing', async () => {
    const rig = new Rig(true)
    const segment = await openedSegment(rig)
    rig.wire.sender.send([filled(10, 1), segment.region(0, 100), filled(10, 2)])
    await turn()
    expect([rig.far.sends, rig.far.forced, rig.far.output.length]).toEqual([[3], [true], 0])
    rig.move(1000)
    expect(rig.far.output).toHaveLength(120)
    expect([rig.wire.copiedBytes, new Rig().wire.copiedBytes]).toEqual([0, 256 * 1024])
  })

  test('leaves out what is empty', async () => {
    const rig = new Rig()
    const segment = await openedSegment(rig)
    const region = segment.region(0, 0)
    rig.wire.sender.send([Buffer.alloc(0), region])
    await turn()
    expect([rig.far.sends, region.releases]).toEqual([[], 1])
    expect(rig.wire.sender.isSending).toBe(false)
  })

  test('reads regions of other files piece by piece', async () => {
    const rig = new Rig()
    const bytes = numbered(mebibyte)
    const region: FileRegion = { length: mebibyte, read: (from, to) => bytes.subarray(from, to), release: () => {} }
    rig.wire.sender.send([region])
    await turn()
    expect(rig.far.sends).toEqual([1, 1, 1, 1])
    expect(rig.far.output.equals(bytes)).toBe(true)
  })

  test('releases what it will not send, also what is being read', async () => {
    const rig = new Rig()
    const segment = await openedSegment(rig)
    const given = segment.region(0, mebibyte)
    rig.wire.sender.send([given])
    await turn()
    segment.isCold = true
    const waiting = segment.region(0, 10)
    rig.wire.sender.send([waiting])
    rig.wire.sender.close()
    const late = segment.region(0, 10)
    rig.wire.sender.send([late])
    await turn()
    expect([given.releases, waiting.releases, late.releases]).toEqual([1, 1, 1])
    expect(rig.far.sends).toHaveLength(1)
    expect(rig.room.blocked).toBe(0)
    const other = new Rig()
    const cold = new FakeSegment(other.fake, numbered(1000))
    const opening = cold.region(0, 1000)
    other.wire.sender.send([opening])
    await new Promise((resolve) => process.nextTick(resolve))
    other.wire.sender.close()
    await turn()
    await turn()
    expect([opening.releases, other.far.sends.length, other.owner.failure]).toEqual([1, 0, null])
  })
})

describe('a segment that is closed under the transfer', () => {
  test('is opened again for the rest, of which the next piece is read', async () => {
    const rig = new Rig()
    const segment = await openedSegment(rig)
    const { bytes } = segment
    const region = segment.region(0, 4 * mebibyte)
    rig.wire.sender.send([filled(10, 1), region, filled(10, 2)])
    await turn()
    rig.fake.move(1, 1000)
    await segment.evict()
    rig.far.room = 1000
    rig.fake.deliver()
    await turn()
    await turn()
    expect(segment.opens).toBe(2)
    expect(rig.far.sends).toEqual([3, 1])
    // As long as the other end takes nothing, it is not opened again, whatever becomes of it.
    await segment.evict()
    for (let i = 0; i < 10; i++) await turn()
    rig.fake.deliver()
    expect([segment.opens, rig.far.sends.length]).toEqual([2, 2])
    rig.move(mebibyte)
    await turn()
    await turn()
    expect(rig.far.sends).toEqual([3, 1, 2])
    rig.move(4 * mebibyte)
    expect(rig.far.output.equals(Buffer.concat([filled(10, 1), bytes, filled(10, 2)]))).toBe(true)
    expect(region.releases).toBe(1)
  })

  test('loses nothing of what is around it, wherever it was cut', async () => {
    const bytes = numbered(100_000)
    const other = numbered(70_000)
    for (const cut of [0, 1, 9, 10, 11, 100_009, 100_010, 100_011, 100_020, 100_021, 170_020]) {
      const rig = new Rig()
      const [first, second] = [await openedSegment(rig, bytes), await openedSegment(rig, other)]
      const regions = [first.region(0, 100_000), second.region(0, 70_000)]
      const parts = [filled(10, 1), regions[0]!, filled(10, 2), regions[1]!, filled(10, 3)]
      rig.wire.sender.send(parts)
      await turn()
      rig.fake.move(1, cut)
      await Promise.all([first.evict(), second.evict()])
      rig.fake.deliver()
      for (let i = 0; i < 20; i++) {
        await turn()
        rig.move(mebibyte)
      }
      const expected = Buffer.concat([filled(10, 1), bytes, filled(10, 2), other, filled(10, 3)])
      expect(rig.far.output.equals(expected), `cut at ${cut}`).toBe(true)
      expect(regions.map(({ releases }) => releases)).toEqual([1, 1])
      expect(rig.wire.sender.sentBytes).toBe(expected.length)
    }
  })

  test('before it was given to it, is opened again too', async () => {
    const rig = new Rig()
    const segment = await openedSegment(rig)
    rig.wire.sender.send([segment.region(0, mebibyte)])
    rig.fake.segments.clear()
    await turn()
    rig.move(mebibyte)
    void segment.evict()
    for (let i = 0; i < 5; i++) {
      await turn()
      rig.move(mebibyte)
    }
    expect(rig.far.output.equals(segment.bytes.subarray(0, mebibyte))).toBe(true)
  })

  test('because it was removed, ends the connection', async () => {
    const rig = new Rig()
    const segment = await openedSegment(rig)
    const region = segment.region(0, mebibyte)
    rig.wire.sender.send([region])
    await turn()
    rig.fake.move(1, 1000)
    await segment.retire()
    rig.fake.deliver()
    expect(rig.owner.failure).toMatchObject({ code: 'CLOSED' })
    expect([region.releases, rig.far.sends.length, rig.room.blocked]).toEqual([1, 1, 0])
  })
})

test('a file that is shorter than it should be ends the connection', async () => {
  const rig = new Rig()
  const segment = await openedSegment(rig)
  rig.wire.sender.send([segment.region(0, mebibyte)])
  await turn()
  rig.stop('cutShort')
  expect(rig.owner.failure).toMatchObject({ code: 'CORRUPT_LOG' })
  const other = new Rig()
  const region: FileRegion = { length: 10, read: () => Buffer.alloc(0), release: () => {} }
  other.wire.sender.send([region])
  await turn()
  expect(other.owner.failure).toMatchObject({ code: 'CORRUPT_LOG', message: 'a file region ends after 0 bytes' })
})
