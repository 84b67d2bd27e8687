import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import { RecordBatchReader } from '../../ts/records/record-batch-reader.js'
import { batch, batchOfSize } from '../native/batches.js'
import {
  append,
  engine,
  filesOf,
  freshFolder,
  offsetsOf,
  openDirectory,
  openLog,
  readAll,
  smallConfig,
  upTo,
} from './workspace.js'

describe('append and read', () => {
  it('gives dense offsets in the order of the calls, whichever lane takes them', async () => {
    const log = await openLog(await openDirectory())
    const infos = await Promise.all(upTo(200).map((i) => append(log, batch({ records: 1 + (i % 3), valueBytes: 5 }))))
    let next = 0
    for (const [i, info] of infos.entries()) {
      expect(info).toMatchObject({ baseOffset: next, lastOffset: next + (i % 3), duplicate: false, logAppendTime: -1 })
      next = info.lastOffset + 1
    }
    expect(log.logEndOffset).toBe(next)
    expect(log.segments.length).toBeGreaterThan(3)
    expect(offsetsOf(await readAll(log))).toEqual(upTo(next))
    expect(offsetsOf(await readAll(log, 101, 300))).toEqual(upTo(next - 101, 101))
  })

  it('takes one batch in pieces, and several batches in one call', async () => {
    const log = await openLog(await openDirectory())
    const [a, b] = [batch({ records: 2 }), batch({ records: 3, timestamp: 5 })]
    const bytes = Buffer.concat([a, b])
    const pieces = [
      bytes.subarray(0, 30),
      bytes.subarray(30, 61),
      bytes.subarray(61, a.length + 7),
      bytes.subarray(a.length + 7),
    ]
    const info = await log.append(pieces, { crc: 'compute' })
    expect(info).toMatchObject({ baseOffset: 0, lastOffset: 4, maxTimestamp: 1_700_000_000_001 })
    expect((await readAll(log)).map((record) => record.timestamp)).toEqual([
      1_700_000_000_000, 1_700_000_000_001, 5, 6, 7,
    ])
  })

  it('stamps append time', async () => {
    const directory = await openDirectory(undefined, { clock: () => 42_000 })
    const log = await openLog(directory, { ...smallConfig, messageTimestampType: 'LogAppendTime' })
    expect(await append(log, batch({ records: 2 }))).toMatchObject({ maxTimestamp: 42_000, logAppendTime: 42_000 })
    const { batches } = await log.read(0, 1000)
    const { header } = new RecordBatchReader(batches).next()!
    expect([header.isAppendTime, header.maxTimestamp]).toEqual([true, 42_000])
    expect(await log.offsetForTimestamp(42_000)).toEqual({ offset: 0, timestamp: 42_000, leaderEpoch: 0 })
  })

  it('returns to the mapped lane when nothing is queued, also for a caller that waits for each answer', async () => {
    const directory = await openDirectory()
    if (!directory.files.mappedLane) return
    const log = await openLog(directory, { ...smallConfig, segmentBytes: 1 << 20 })
    let atOnce = false
    for (let i = 0; i < 200 && !atOnce; i++) {
      const answer = log.append(batch(), { crc: 'compute' })
      atOnce = !(answer instanceof Promise)
      await answer
      if (!atOnce) await new Promise((resolve) => setTimeout(resolve, 2))
    }
    expect(atOnce).toBe(true)
    // A small append behind a large one, which only the storage lane takes, keeps its place.
    const large = append(log, batchOfSize(100_000))
    const small = append(log, batch())
    const [first, second] = await Promise.all([large, small])
    expect(second.baseOffset).toBe(first.baseOffset + 1)
    const next = log.append(batch(), { crc: 'compute' })
    expect(next instanceof Promise ? await next : next).toMatchObject({ baseOffset: second.baseOffset + 1 })
  })

  it('wakes readers once a record can be read', async () => {
    const log = await openLog(await openDirectory())
    const seen: number[] = []
    log.onAppend = () => seen.push(log.logEndOffset)
    for (let i = 0; i < 3; i++) await append(log, batch())
    expect(seen).toEqual([1, 2, 3])
  })

  it('never hands out a batch that reaches past the limit', async () => {
    const log = await openLog(await openDirectory(), { ...smallConfig, segmentBytes: 500 })
    for (let i = 0; i < 30; i++) await append(log, batch({ records: 3, valueBytes: 4 }))
    for (let limit = 0; limit <= 90; limit++) {
      let next = 0
      for (;;) {
        const read = await log.read(next, 100_000, limit)
        if (read.batches.length === 0) break
        next = read.nextOffset
      }
      expect(next, `limit ${limit}`).toBe(limit - (limit % 3))
    }
  })

  it('gives a whole batch even if it is larger than asked for', async () => {
    const log = await openLog(await openDirectory(), { ...smallConfig, segmentBytes: 2 << 20 })
    await append(log, batchOfSize(600_000))
    await append(log, batch())
    expect((await log.read(0, 1)).batches).toHaveLength(600_000)
    expect((await log.read(0, 1)).nextOffset).toBe(1)
    expect((await log.read(1, 1)).nextOffset).toBe(2)
  })

  it('answers at the end with nothing, outside with OFFSET_OUT_OF_RANGE', async () => {
    const log = await openLog(await openDirectory())
    expect(await log.read(0, 100)).toMatchObject({ nextOffset: 0, batches: Buffer.alloc(0) })
    await append(log, batch())
    expect(await log.read(1, 100)).toMatchObject({ nextOffset: 1, batches: Buffer.alloc(0) })
    for (const offset of [-1, 2]) {
      expect(() => log.read(offset, 100)).toThrowError(
        expect.objectContaining({ code: 'OFFSET_OUT_OF_RANGE', topic: 't', partition: 0, offset: BigInt(offset) }),
      )
    }
  })

  it('refuses bad batches by name, and goes on', async () => {
    const log = await openLog(await openDirectory(), { ...smallConfig, maxMessageBytes: 3000 })
    const attempt = async (bytes: Buffer, crc: 'compute' | 'verify' = 'compute') => log.append(bytes, { crc })
    await expect(attempt(batchOfSize(3001))).rejects.toMatchObject({ code: 'MESSAGE_TOO_LARGE' })
    await expect(attempt(Buffer.concat([batchOfSize(3000), batchOfSize(3000)]))).rejects.toMatchObject({
      code: 'BATCH_TOO_LARGE',
    })
    await expect(attempt(batch().subarray(0, 50))).rejects.toMatchObject({ code: 'INVALID_BATCH' })
    await expect(attempt(Buffer.concat([batch(), Buffer.alloc(70)]))).rejects.toMatchObject({ code: 'INVALID_BATCH' })
    await expect(attempt(batch(), 'verify')).rejects.toMatchObject({ code: 'CORRUPT_BATCH' })
    expect(await append(log, batch())).toMatchObject({ baseOffset: 0 })
  })

  it('blames only the bad batch of those that were queued together', async () => {
    const log = await openLog(await openDirectory())
    const bad = batch()
    bad.writeInt8(1, 16)
    const results = await Promise.allSettled([batch(), batch(), bad, batch()].map((bytes) => append(log, bytes)))
    expect(
      results.map((result) => (result.status === 'fulfilled' ? result.value.baseOffset : result.reason.code)),
    ).toEqual([0, 1, expect.stringMatching(/INVALID_BATCH|CORRUPT_BATCH/), 2])
    expect(offsetsOf(await readAll(log))).toEqual([0, 1, 2])
  })

  it('refuses everything once closed', async () => {
    const log = await openLog(await openDirectory())
    await log.close()
    await log.close()
    expect(() => log.append(batch(), { crc: 'compute' })).toThrowError(expect.objectContaining({ code: 'CLOSED' }))
    expect(() => log.read(0, 1)).toThrowError(expect.objectContaining({ code: 'CLOSED' }))
    expect(() => log.flush()).toThrowError(expect.objectContaining({ code: 'CLOSED' }))
  })
})

describe('roll', () => {
  it('begins a segment before one would pass segment.bytes', async () => {
    const path = freshFolder()
    const log = await openLog(await openDirectory(path), { ...smallConfig, segmentBytes: 1000 })
    for (let i = 0; i < 8; i++) await append(log, batchOfSize(250))
    expect(log.segments.map(({ baseOffset, sizeBytes }) => [baseOffset, sizeBytes])).toEqual([
      [0, 1000],
      [4, 1000],
    ])
    await append(log, batchOfSize(250))
    expect(filesOf(path, '.log')).toEqual([
      '00000000000000000000.log',
      '00000000000000000004.log',
      '00000000000000000008.log',
    ])
  })

  it('begins a segment when timestamps have moved on by more than segment.ms', async () => {
    const log = await openLog(await openDirectory(), { ...smallConfig, segmentMs: 1000 })
    const bases = (): number[] => log.segments.map(({ baseOffset }) => baseOffset)
    await append(log, batch({ timestamp: 10_000 }))
    await append(log, batch({ timestamp: 11_000 }))
    expect(bases()).toEqual([0])
    await append(log, batch({ timestamp: 11_001 }))
    expect(bases()).toEqual([0, 2])
    await append(log, batch({ timestamp: 2_000 }))
    expect(bases()).toEqual([0, 2])
  })

  it('goes by the clock where records have no timestamps', async () => {
    let now = Date.now()
    const directory = await openDirectory(undefined, { clock: () => now })
    const log = await openLog(directory, { ...smallConfig, segmentMs: 1_000_000 })
    const timeless = batch()
    timeless.writeBigInt64BE(-1n, 27)
    timeless.writeBigInt64BE(-1n, 35)
    await append(log, timeless)
    await append(log, timeless)
    expect(log.segments).toHaveLength(1)
    now += 2_000_000
    await append(log, timeless)
    expect(log.segments).toHaveLength(2)
  })

  it('takes the segment’s random part off segment.ms', async () => {
    const directory = await openDirectory(undefined, { random: () => 0.5 })
    const log = await openLog(directory, { ...smallConfig, segmentMs: 1000, segmentJitterMs: 400 })
    await append(log, batch({ timestamp: 0 }))
    await append(log, batch({ timestamp: 800 }))
    expect(log.segments).toHaveLength(1)
    await append(log, batch({ timestamp: 801 }))
    expect(log.segments).toHaveLength(2)
  })

  it('begins a segment when the index is full', async () => {
    const log = await openLog(await openDirectory(), {
      ...smallConfig,
      segmentBytes: 1 << 20,
      indexBytes: 80,
      indexIntervalBytes: 0,
    })
    for (let i = 0; i < 40; i++) await append(log, batch({ timestamp: 1000 + i }))
    expect(log.segments.length).toBeGreaterThan(2)
    expect(offsetsOf(await readAll(log))).toEqual(upTo(40))
  })

  it('begins a segment when a relative offset would overflow', async () => {
    const log = await openLog(await openDirectory())
    await append(log, batch())
    const far = batch({ baseOffset: 2 ** 31 + 5 })
    expect(await log.append(far, { crc: 'compute', keepOffsets: true })).toMatchObject({ baseOffset: 2 ** 31 + 5 })
    expect(log.segments).toHaveLength(2)
    expect(offsetsOf(await readAll(log))).toEqual([0, 2 ** 31 + 5])
  })

  it('on demand, but not while empty', async () => {
    const log = await openLog(await openDirectory())
    await log.roll()
    expect(log.segments).toHaveLength(1)
    await append(log, batch())
    await log.roll()
    await log.roll()
    expect(log.segments.map(({ baseOffset }) => baseOffset)).toEqual([0, 1])
  })

  it('is durable only up to a sealed segment until that is flushed, and flush waits for it', async () => {
    const log = await openLog(await openDirectory())
    await append(log, batch())
    const rolled = log.roll().then(() => append(log, batch()))
    await rolled
    await log.flush()
    expect(log.durableOffset).toBe(2)
  })

  it('survives a failed creation: nothing is stored, the next append succeeds', async () => {
    const log = await openLog(await openDirectory())
    await append(log, batch())
    engine.injectFaults({ failNth: 1, kinds: ['open'], pathIncludes: '00000000000000000001', errno: 'ENOSPC' })
    await expect(log.roll()).rejects.toMatchObject({ code: 'NO_SPACE' })
    engine.injectFaults(null)
    expect(await append(log, batch())).toMatchObject({ baseOffset: 1 })
    expect(offsetsOf(await readAll(log))).toEqual([0, 1])
  })
})

describe('timestamps', () => {
  it('finds the first record at or after a time, also where time goes backwards', async () => {
    const log = await openLog(await openDirectory(), { ...smallConfig, segmentBytes: 700 })
    const times = [100, 300, 200, 500, 400, 50, 600, 550, 10, 700, 650, 640]
    for (const timestamp of times) await append(log, batch({ timestamp }))
    expect(log.segments.length).toBeGreaterThan(1)
    for (let target = 0; target <= 720; target += 10) {
      const offset = times.findIndex((timestamp) => timestamp >= target)
      const expected = offset < 0 ? null : { offset, timestamp: times[offset], leaderEpoch: 0 }
      expect(await log.offsetForTimestamp(target), `at ${target}`).toEqual(expected)
    }
    expect(await log.maxTimestamp()).toEqual({ offset: 9, timestamp: 700, leaderEpoch: 0 })
  })

  it('finds records within batches, and none below the log start', async () => {
    const log = await openLog(await openDirectory())
    for (let i = 0; i < 5; i++) await append(log, batch({ records: 10, timestamp: 1000 + i * 10 }))
    expect(await log.offsetForTimestamp(1023)).toMatchObject({ offset: 23, timestamp: 1023 })
    await log.deleteRecordsBefore(27)
    expect(await log.offsetForTimestamp(1023)).toMatchObject({ offset: 27, timestamp: 1027 })
  })

  it('answers null for an empty log and beyond the last record', async () => {
    const log = await openLog(await openDirectory())
    expect(await log.maxTimestamp()).toBeNull()
    expect(await log.offsetForTimestamp(0)).toBeNull()
  })
})

describe('deleting and cutting', () => {
  it('raises the log start and removes whole segments below it', async () => {
    const path = freshFolder()
    const directory = await openDirectory(path)
    const log = await openLog(directory, { ...smallConfig, segmentBytes: 500 })
    for (let i = 0; i < 12; i++) await append(log, batchOfSize(120))
    expect(log.segments.map(({ baseOffset }) => baseOffset)).toEqual([0, 4, 8])
    expect(await log.deleteRecordsBefore(6)).toBe(6)
    expect(filesOf(path, '.log')).toEqual(['00000000000000000004.log', '00000000000000000008.log'])
    expect(await log.deleteRecordsBefore(3)).toBe(6)
    expect(() => log.read(5, 100)).toThrowError(expect.objectContaining({ code: 'OFFSET_OUT_OF_RANGE' }))
    expect(offsetsOf(await readAll(log))).toEqual(upTo(6, 6))
    await expect(log.deleteRecordsBefore(13)).rejects.toMatchObject({ code: 'OFFSET_OUT_OF_RANGE' })
    expect(readFileSync(join(path, 'log-start-offset-checkpoint'), 'utf8')).toBe('0\n1\nt 0 6\n')
    await directory.close()
    const again = await openLog(await openDirectory(path))
    expect([again.logStartOffset, again.logEndOffset]).toEqual([6, 12])
  })

  it('cuts across segments, under a new leader epoch', async () => {
    const path = freshFolder()
    const directory = await openDirectory(path)
    const log = await openLog(directory, { ...smallConfig, segmentBytes: 500 })
    for (let i = 0; i < 12; i++) await append(log, batch({ records: 1, valueBytes: 50 }))
    await log.truncateTo(5)
    expect(log.logEndOffset).toBe(5)
    expect(await append(log, batch({ valueBytes: 1 }))).toMatchObject({ baseOffset: 5 })
    const records = await readAll(log)
    expect(offsetsOf(records)).toEqual(upTo(6))
    expect(records.map((record) => record.epoch)).toEqual([0, 0, 0, 0, 0, 1])
    expect(log.endOffsetForEpoch(0)).toEqual({ epoch: 0, endOffset: 5 })
    await directory.close()
    const again = await openLog(await openDirectory(path))
    expect(await readAll(again)).toEqual(records)
  })

  it('cuts everything', async () => {
    const log = await openLog(await openDirectory(), { ...smallConfig, segmentBytes: 500 })
    for (let i = 0; i < 12; i++) await append(log, batch())
    await log.truncateTo(0)
    expect(log.logEndOffset).toBe(0)
    expect(log.segments).toHaveLength(1)
    expect(await append(log, batch())).toMatchObject({ baseOffset: 0 })
  })
})

describe('idempotent producers', () => {
  const produced = (baseSequence: number, records = 1): Buffer => batch({ producerId: 9, baseSequence, records })

  it('stores a batch once, and says where', async () => {
    const log = await openLog(await openDirectory())
    const first = await append(log, produced(0, 3))
    const second = await append(log, produced(3))
    expect(await append(log, produced(0, 3))).toEqual({ ...first, duplicate: true })
    expect(await append(log, produced(3))).toEqual({ ...second, duplicate: true })
    expect(log.logEndOffset).toBe(4)
    await expect(append(log, produced(5))).rejects.toMatchObject({ code: 'OUT_OF_ORDER_SEQUENCE_NUMBER' })
  })

  it('keeps the order of batches sent without waiting', async () => {
    const log = await openLog(await openDirectory())
    const infos = await Promise.all([0, 1, 2, 2, 3].map((sequence) => append(log, produced(sequence))))
    expect(infos.map((info) => [info.baseOffset, info.duplicate])).toEqual([
      [0, false],
      [1, false],
      [2, false],
      [2, true],
      [3, false],
    ])
  })

  it('remembers across a clean restart and a kill', async () => {
    const path = freshFolder()
    const first = await openDirectory(path)
    const log = await openLog(first)
    await append(log, batch())
    await append(log, produced(0, 2))
    await first.close()
    expect(filesOf(path, '.snapshot')).toEqual(['00000000000000000003.snapshot'])
    const second = await openDirectory(path)
    const again = await openLog(second)
    expect(await append(again, produced(0, 2))).toMatchObject({ baseOffset: 1, duplicate: true })
    await append(again, produced(2))
    await append(again, batch())
    await second.files.close(false)
    const third = await openLog(await openDirectory(path))
    expect(await append(third, produced(2))).toMatchObject({ baseOffset: 3, duplicate: true })
    expect(await append(third, produced(3))).toMatchObject({ baseOffset: 5, duplicate: false })
  })
})

describe('leader epochs', () => {
  it('are on disk before the first append under them', async () => {
    const path = freshFolder()
    const log = await openLog(await openDirectory(path))
    await append(log, batch())
    const appended = log.append(batch(), { crc: 'compute', leaderEpoch: 4 })
    expect(await appended).toMatchObject({ baseOffset: 1 })
    expect(readFileSync(join(path, 't-0', 'leader-epoch-checkpoint'), 'utf8')).toBe('0\n2\n0 0\n4 1\n')
    expect((await readAll(log)).map((record) => record.epoch)).toEqual([0, 4])
    expect(() => log.append(batch(), { crc: 'compute', leaderEpoch: 3 })).toThrowError(
      expect.objectContaining({ code: 'FENCED_LEADER_EPOCH' }),
    )
  })
})
