import { readdirSync, readFileSync, statSync } from 'node:fs'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { AppendOutcome } from '../../ts/native/engine.js'
import { batch, batchOfSize, stored } from './batches.js'
import { appendAny, engine, noLimit, openDirectory, openSegment, plain, untilMapped } from './workspace.js'

const crc = (bytes: Uint8Array) => engine.crc32c(bytes)

test('what the storage lane appends is on disk with offset, epoch and checksum, and reads back', async () => {
  const directory = await openDirectory()
  const segment = await openSegment(directory)
  const first = batch({ records: 3 })
  const second = batch({ records: 2, timestamp: 1_700_000_000_500 })
  expect(await segment.append([first], plain)).toEqual({
    baseOffset: 0,
    lastOffset: 2,
    maxTimestamp: 1_700_000_000_002,
    endPosition: first.length,
  })
  const appended = await segment.append([second.subarray(0, 30), second.subarray(30)], plain)
  expect(appended).toMatchObject({ baseOffset: 3, lastOffset: 4, endPosition: first.length + second.length })

  const expected = Buffer.concat([stored(first, 0, 3, crc), stored(second, 3, 3, crc)])
  expect(await segment.read(0, noLimit, 1 << 20)).toEqual(expected)
  const log = readFileSync(join(directory.path, 't-0', '00000000000000000000.log'))
  expect(log.subarray(0, expected.length)).toEqual(expected)
  await segment.close()
})

test('the mapped lane gives the same bytes, and its numbers in the caller’s array and on the segment', async () => {
  const directory = await openDirectory()
  if (!directory.mappedLane) return
  const segment = await openSegment(directory)
  const out = new Float64Array(4)
  const bytes = batch({ records: 2 })
  expect(await untilMapped(segment, bytes, out)).toBe(true)
  const [baseOffset, lastOffset, maxTimestamp, endPosition] = out
  expect(lastOffset).toBe(baseOffset! + 1)
  expect(maxTimestamp).toBe(1_700_000_000_001)
  expect(segment).toMatchObject({ endOffset: lastOffset! + 1, endPosition, maxTimestamp: 1_700_000_000_001 })
  const target = Buffer.alloc(4096)
  expect(segment.readNow(baseOffset!, noLimit, target)).toBe(bytes.length)
  expect(target.subarray(0, bytes.length)).toEqual(stored(bytes, baseOffset!, 3, crc))

  const parts = [bytes.subarray(0, 10), bytes.subarray(10, 61), bytes.subarray(61)]
  expect(segment.appendNow(parts, plain, out)).toBe(AppendOutcome.done)
  expect(out[0]).toBe(lastOffset! + 1)
  await segment.close()
})

test('a buffer may be reused as soon as appendNow returns', async () => {
  const segment = await openSegment(await openDirectory())
  const out = new Float64Array(4)
  const bytes = batch()
  await untilMapped(segment, bytes, out)
  const from = segment.endOffset
  for (let i = 0; i < 50; i++) {
    bytes.fill(65 + (i % 26), 70, 80)
    await appendAny(segment, bytes)
  }
  const all = await segment.read(from, noLimit, 1 << 20)
  for (let i = 0; i < 50; i++) expect(all[i * bytes.length + 75]).toBe(65 + (i % 26))
})

test('while the storage lane works, appendNow sends the caller there, and offsets stay dense', async () => {
  const segment = await openSegment(await openDirectory())
  const out = new Float64Array(4)
  await untilMapped(segment, batch(), out)
  const next = segment.endOffset
  const pending = segment.append([batch()], plain)
  expect(segment.appendNow(batch(), plain, out)).toBe(AppendOutcome.storageLane)
  const flushed = segment.flush()
  expect((await pending).baseOffset).toBe(next)
  await flushed
  expect(await appendAny(segment, batch())).toBe(next + 1)
})

test('appends of one turn complete in order with dense offsets', async () => {
  const segment = await openSegment(await openDirectory())
  const order: number[] = []
  const all = Array.from({ length: 100 }, (_, i) =>
    segment.append([batch({ records: 1 + (i % 3) })], plain).then((appended) => {
      order.push(i)
      return appended
    }),
  )
  let expected = 0
  for (const [i, appended] of (await Promise.all(all)).entries()) {
    expect(appended.baseOffset).toBe(expected)
    expected += 1 + (i % 3)
  }
  expect(order).toEqual(Array.from({ length: 100 }, (_, i) => i))
  expect(segment.endOffset).toBe(expected)
})

test('flush raises the durable offset; many waiters are all answered', async () => {
  const segment = await openSegment(await openDirectory())
  expect(segment.durableOffset).toBe(0)
  await appendAny(segment, batch({ records: 5 }))
  await Promise.all(Array.from({ length: 64 }, () => segment.flush()))
  expect(segment.durableOffset).toBe(5)
  await segment.flush()
  expect(segment.durableOffset).toBe(5)
})

test('a flush covers what was published in its own turn and in the turn after an earlier flush', async () => {
  const segment = await openSegment(await openDirectory())
  const out = new Float64Array(4)
  if (!(await untilMapped(segment, batch(), out))) return
  const first = segment.flush()
  const covered = segment.appendNow(batch(), plain, out) === AppendOutcome.done
  expect(segment.flush()).toBe(first) // not on its way yet
  await Promise.resolve()
  await Promise.resolve()
  const last = segment.endOffset
  expect(segment.flush()).not.toBe(first)
  await first
  expect(segment.durableOffset).toBeGreaterThanOrEqual(covered ? last : last - 1)
})

test('reads begin with the batch that holds the offset, end at the limit, and give the first batch whole', async () => {
  const segment = await openSegment(await openDirectory())
  const bytes = batch({ records: 10, valueBytes: 200 })
  for (let i = 0; i < 5; i++) await appendAny(segment, bytes)
  const size = bytes.length

  expect((await segment.read(25, noLimit, 1 << 20)).readBigInt64BE(0)).toBe(20n)
  expect(await segment.read(0, size * 2 + 1, 1 << 20)).toHaveLength(size * 2)
  expect(await segment.read(0, noLimit, size * 3 - 1)).toHaveLength(size * 2)
  expect(await segment.read(0, noLimit, 1)).toHaveLength(size)
  expect(await segment.read(0, noLimit, 0)).toHaveLength(size)
  expect(await segment.read(50, noLimit, 1 << 20)).toHaveLength(0)
  expect(await segment.read(0, size - 1, 1 << 20)).toHaveLength(0)

  const target = Buffer.alloc(size * 2)
  expect(segment.readNow(0, noLimit, target)).toBe(size * 2)
  expect(segment.readNow(0, noLimit, target.subarray(0, 100))).toBe(-size)
  expect(segment.readNow(50, noLimit, target)).toBe(0)
})

test('bytes are read by position, published ones only', async () => {
  const segment = await openSegment(await openDirectory())
  const bytes = batch({ records: 10, valueBytes: 200 })
  for (let i = 0; i < 3; i++) await appendAny(segment, bytes)
  const all = await segment.read(0, noLimit, 1 << 20)

  const target = Buffer.alloc(100)
  expect(segment.readAtNow(bytes.length - 50, target)).toBe(true)
  expect(target).toEqual(all.subarray(bytes.length - 50, bytes.length + 50))
  const later = Buffer.alloc(all.length)
  await segment.readAt(0, later)
  expect(later).toEqual(all)
  // Behind the end lies reserved space of the file: it must never be taken for records.
  const short = expect.objectContaining({ code: 'CORRUPT_LOG' })
  expect(() => segment.readAtNow(all.length - 99, target)).toThrow(short)
  await expect(segment.readAt(1, later)).rejects.toThrow(short)
  expect(() => segment.readAtNow(-1, target)).toThrow()
  await segment.close()
  expect(() => segment.readAtNow(0, target)).toThrow(expect.objectContaining({ code: 'CLOSED' }))
})

test('offsets and timestamps are located by their batch', async () => {
  const segment = await openSegment(await openDirectory())
  const positions: number[] = []
  for (let i = 0; i < 40; i++) {
    positions.push(segment.endPosition)
    await appendAny(segment, batch({ records: 10, valueBytes: 100, timestamp: 1000 + i * 100 }))
  }
  for (const i of [0, 1, 17, 39]) {
    const found = { baseOffset: i * 10, position: positions[i] }
    expect(await segment.locate(i * 10 + 7)).toEqual(found)
    expect(segment.locateNow(i * 10)).toEqual(found)
  }
  expect(await segment.locate(400)).toBeNull()
  expect(segment.locateNow(400)).toBeNull()
  expect(await segment.locateTimestamp(1705)).toMatchObject({ offset: 75, timestamp: 1705, leaderEpoch: 3 })
  expect(await segment.locateTimestamp(1650)).toMatchObject({ offset: 70, timestamp: 1700 })
  expect(await segment.locateTimestamp(1_000_000)).toBeNull()
})

test('a full segment says so in both lanes and is left as it was', async () => {
  const segment = await openSegment(await openDirectory(), { segmentBytes: 5000 })
  const bytes = batchOfSize(2000)
  await appendAny(segment, bytes)
  await appendAny(segment, bytes)
  await expect(segment.append([bytes], plain)).rejects.toMatchObject({ code: 'SEGMENT_FULL', retriable: true })
  const outcome = segment.appendNow(bytes, plain, new Float64Array(4))
  expect([AppendOutcome.segmentFull, AppendOutcome.storageLane]).toContain(outcome)
  expect(segment).toMatchObject({ endOffset: 2, endPosition: 4000 })
  await expect(segment.append([batchOfSize(6000)], plain)).rejects.toMatchObject({ code: 'BATCH_TOO_LARGE' })
})

test('a sealed segment has files of their exact size and opens again for reading', async () => {
  const directory = await openDirectory()
  const segment = await openSegment(directory)
  const bytes = batch({ records: 4, valueBytes: 1000 })
  for (let i = 0; i < 8; i++) await appendAny(segment, bytes)
  await segment.seal()
  await segment.flush()
  await segment.close()
  const folder = join(directory.path, 't-0')
  expect(readdirSync(folder).sort()).toEqual(
    ['.index', '.log', '.timeindex'].map((suffix) => `00000000000000000000${suffix}`),
  )
  expect(statSync(join(folder, '00000000000000000000.log')).size).toBe(bytes.length * 8)
  expect(statSync(join(folder, '00000000000000000000.index')).size % 8).toBe(0)

  const again = await openSegment(directory, { create: false, active: false, slot: null })
  expect(again).toMatchObject({ endOffset: 32, endPosition: bytes.length * 8 })
  expect(await again.read(0, noLimit, 1 << 20)).toHaveLength(bytes.length * 8)
})

test('truncation cuts at the batch that holds the offset', async () => {
  const segment = await openSegment(await openDirectory())
  const bytes = batch({ records: 10 })
  for (let i = 0; i < 5; i++) await appendAny(segment, bytes)
  await segment.truncateTo(25)
  expect(segment).toMatchObject({ endOffset: 20, endPosition: bytes.length * 2 })
  expect(await segment.read(0, noLimit, 1 << 20)).toHaveLength(bytes.length * 2)
  expect(await appendAny(segment, bytes)).toBe(20)
})

test('after close everything answers CLOSED, and close may be called again', async () => {
  const segment = await openSegment(await openDirectory())
  await appendAny(segment, batch())
  const pending = [segment.append([batch()], plain), segment.flush(), segment.read(0, noLimit, 100)]
  const closing = segment.close()
  const closed = expect.objectContaining({ name: 'SeglogError', code: 'CLOSED', retriable: false })
  expect(() => segment.appendNow(batch(), plain, new Float64Array(4))).toThrow(closed)
  expect(() => segment.readNow(0, noLimit, Buffer.alloc(10))).toThrow(closed)
  expect(() => segment.locateNow(0)).toThrow(closed)
  await Promise.all(pending) // what was called before the close is done
  await closing
  for (const call of [
    () => segment.append([batch()], plain),
    () => segment.flush(),
    () => segment.read(0, noLimit, 100),
    () => segment.locate(0),
    () => segment.locateTimestamp(0),
    () => segment.seal(),
    () => segment.truncateTo(0),
  ]) {
    await expect(call()).rejects.toMatchObject({ code: 'CLOSED' })
  }
  await segment.close()
})
