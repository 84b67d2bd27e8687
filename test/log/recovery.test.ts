import { appendFileSync, existsSync, readFileSync, rmSync, truncateSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import type { Log } from '../../ts/log/log.js'
import type { LogDirectory } from '../../ts/log/log-directory.js'
import { batch, stored } from '../native/batches.js'
import { afterPowerLoss } from '../native/ends-header.js'
import {
  append,
  copyOf,
  engine,
  filesOf,
  flipByte,
  freshFolder,
  kill,
  offsetsOf,
  openDirectory,
  openLog,
  readAll,
  smallConfig,
  upTo,
} from './workspace.js'

const config = { ...smallConfig, segmentBytes: 1000 }
const segmentFile = (path: string, base: number, suffix = '.log'): string =>
  join(path, 't-0', String(base).padStart(20, '0') + suffix)

/** Three segments: offsets 0 to 9, 10 to 19, 20 to 24, each batch of one record 100 bytes or a little less. */
async function written(path = freshFolder()): Promise<{ path: string; directory: LogDirectory; log: Log }> {
  const directory = await openDirectory(path)
  const log = await openLog(directory, config)
  for (let i = 0; i < 25; i++) {
    if (i === 10 || i === 20) await log.roll()
    await append(log, batch({ valueBytes: 10 + i, timestamp: 1000 + i }))
  }
  return { path, directory, log }
}

async function reopened(path: string, options = {}): Promise<{ directory: LogDirectory; log: Log }> {
  const directory = await openDirectory(path, options)
  return { directory, log: await openLog(directory, config) }
}

describe('after a clean close', () => {
  it('everything is as it was, files are exact, and no epoch is raised', async () => {
    const { path, directory, log } = await written()
    const before = await readAll(log)
    await directory.close()
    expect(readFileSync(join(path, '.kafka_cleanshutdown'), 'utf8')).toBe('{"version":0,"brokerEpoch":-1}')
    expect(readFileSync(join(path, 'recovery-point-offset-checkpoint'), 'utf8')).toBe('0\n1\nt 0 25\n')
    let bytes = 0
    for (const base of [0, 10, 20]) bytes += readFileSync(segmentFile(path, base)).length
    const again = await reopened(path)
    expect(again.directory.leftBehind).toBe('clean')
    expect(existsSync(join(path, '.kafka_cleanshutdown'))).toBe(false)
    expect(await readAll(again.log)).toEqual(before)
    expect(again.log.size).toBe(bytes)
    expect(again.log.leaderEpoch).toBe(0)
    expect(again.log.durableOffset).toBe(25)
    expect(await append(again.log, batch())).toMatchObject({ baseOffset: 25 })
  })

  it('missing indexes are made again, byte for byte', async () => {
    const { path, directory } = await written()
    await directory.close()
    const paths = [0, 10, 20].flatMap((base) => [
      segmentFile(path, base, '.index'),
      segmentFile(path, base, '.timeindex'),
    ])
    const before = paths.map((each) => readFileSync(each))
    for (const each of paths) rmSync(each)
    const again = await reopened(path)
    expect(offsetsOf(await readAll(again.log))).toEqual(upTo(25))
    await again.directory.close()
    expect(paths.map((each) => readFileSync(each))).toEqual(before)
  })

  it('a lying index costs time, not records', async () => {
    const { path, directory } = await written()
    await directory.close()
    for (const base of [0, 10, 20]) {
      const index = readFileSync(segmentFile(path, base, '.index'))
      for (let at = 4; at < index.length; at += 8) index.writeInt32BE(index.readInt32BE(at) + 13, at)
      writeFileSync(segmentFile(path, base, '.index'), index)
    }
    const { log } = await reopened(path)
    for (let offset = 0; offset < 25; offset++)
      expect(offsetsOf(await readAll(log, offset))).toEqual(upTo(25 - offset, offset))
    expect(await log.offsetForTimestamp(1013)).toMatchObject({ offset: 13 })
  })

  it('finishes what Kafka left half done', async () => {
    const { path, directory } = await written()
    await directory.close()
    const file = (name: string): string => join(path, 't-0', name)
    writeFileSync(file('00000000000000000005.log.deleted'), 'x')
    writeFileSync(file('00000000000000000020.log.cleaned'), 'x')
    writeFileSync(file('00000000000000000020.log.swap'), 'x')
    writeFileSync(file('00000000000000000077.index'), '')
    // A complete compaction of the first two segments into one that keeps offsets 4 and 12.
    const crc32c = (bytes: Uint8Array): number => engine.crc32c(bytes)
    const kept = Buffer.concat([4, 12].map((offset) => stored(batch({ timestamp: 1 }), offset, 0, crc32c)))
    writeFileSync(file('00000000000000000000.log.swap'), kept)
    writeFileSync(file('00000000000000000000.index.swap'), '')
    writeFileSync(file('00000000000000000000.timeindex.swap'), '')
    const { log } = await reopened(path)
    expect(offsetsOf(await readAll(log))).toEqual([4, 12, ...upTo(5, 20)])
    expect(filesOf(path, '.log')).toEqual(['00000000000000000000.log', '00000000000000000020.log'])
    for (const suffix of ['.deleted', '.cleaned', '.swap']) expect(filesOf(path, suffix)).toEqual([])
    expect(filesOf(path, '.index')).toHaveLength(2)
  })
})

describe('after a kill', () => {
  it('everything that was appended is there, at the same epoch, and appends go on', async () => {
    const { path, directory, log } = await written()
    const before = await readAll(log)
    await kill(directory)
    const again = await reopened(path)
    expect(again.directory.leftBehind).toBe('killed')
    expect(await readAll(again.log)).toEqual(before)
    expect(again.log.leaderEpoch).toBe(0)
    expect(await append(again.log, batch())).toMatchObject({ baseOffset: 25 })
    await again.log.flush()
    expect(again.log.durableOffset).toBe(26)
  })

  it('a partition that nobody opened survives a second kill, and a clean close in between', async () => {
    const { path, directory } = await written()
    await kill(directory)
    const idle = await openDirectory(path)
    await kill(idle)
    const closing = await openDirectory(path)
    await closing.close()
    expect(existsSync(join(path, '.kafka_cleanshutdown'))).toBe(true)
    const again = await reopened(path)
    expect(again.directory.leftBehind).toBe('clean')
    expect(offsetsOf(await readAll(again.log))).toEqual(upTo(25))
  })

  it('a partition that the killed process never opened is taken as it is', async () => {
    const { path, directory } = await written()
    await directory.close()
    const other = await openDirectory(path)
    await openLog(other, config, 1)
    await kill(other)
    const again = await reopened(path)
    expect(again.directory.leftBehind).toBe('killed')
    expect(offsetsOf(await readAll(again.log))).toEqual(upTo(25))
    // Nothing tells whether a power loss came before that process: no (offset, epoch) may be given twice.
    expect(again.log.leaderEpoch).toBe(1)
  })

  it('a segment made but not yet published goes', async () => {
    const { path, directory } = await written()
    await kill(directory)
    for (const suffix of ['.log', '.index', '.timeindex']) writeFileSync(segmentFile(path, 25, suffix), '')
    const { log } = await reopened(path)
    expect(filesOf(path, '.log')).toHaveLength(3)
    expect(await append(log, batch())).toMatchObject({ baseOffset: 25 })
  })

  it('brings segments to disk that were sealed but not flushed', async () => {
    const { path, directory } = await written()
    await kill(directory)
    const { log } = await reopened(path)
    await log.flush()
    expect(log.durableOffset).toBe(25)
  })
})

describe('after a power loss', () => {
  it('keeps all good batches, cuts a torn tail, and raises the epoch durably before the first append', async () => {
    const { path, directory } = await written()
    const copy = copyOf(path, false)
    await kill(directory)
    const whole = readFileSync(segmentFile(copy, 20))
    let position = 0
    for (let i = 20; i < 24; i++) position += whole.readInt32BE(position + 8) + 12
    truncateSync(segmentFile(copy, 20), position + 30)
    const { directory: again, log } = await reopened(copy)
    expect(again.leftBehind).toBe('scan')
    expect(offsetsOf(await readAll(log))).toEqual(upTo(24))
    expect(readFileSync(segmentFile(copy, 20))).toHaveLength(position)
    expect(log.leaderEpoch).toBe(1)
    expect(readFileSync(join(copy, 't-0', 'leader-epoch-checkpoint'), 'utf8')).toBe('0\n2\n0 0\n1 24\n')
    expect(await append(log, batch())).toMatchObject({ baseOffset: 24 })
    expect((await readAll(log)).at(-1)).toMatchObject({ offset: 24, epoch: 1 })
  })

  it('gives no offset and epoch twice, even if the last epoch lost all its records', async () => {
    const { path, directory, log } = await written()
    await log.raiseLeaderEpoch(7)
    await append(log, batch())
    const copy = copyOf(path, false)
    await kill(directory)
    truncateSync(segmentFile(copy, 20), 10)
    const { log: again } = await reopened(copy)
    expect(again.logEndOffset).toBe(20)
    expect(again.leaderEpoch).toBe(8)
    expect(again.endOffsetForEpoch(7)).toEqual({ epoch: 0, endOffset: 20 })
  })

  it('removes later segments behind a torn one', async () => {
    const { path, directory } = await written()
    const copy = copyOf(path, false)
    await kill(directory)
    flipByte(segmentFile(copy, 10), 200)
    const { log } = await reopened(copy)
    expect(log.logEndOffset).toBe(12)
    expect(filesOf(copy, '.log')).toEqual(['00000000000000000000.log', '00000000000000000010.log'])
    expect(offsetsOf(await readAll(log))).toEqual(upTo(12))
  })

  it('makes indexes again that say nothing or nonsense', async () => {
    const { path, directory } = await written()
    const copy = copyOf(path)
    await kill(directory)
    writeFileSync(segmentFile(copy, 0, '.index'), Buffer.alloc(64, 0xff))
    rmSync(segmentFile(copy, 10, '.timeindex'))
    const { log, directory: again } = await reopened(copy)
    expect(await log.offsetForTimestamp(1013)).toMatchObject({ offset: 13 })
    await again.close()
    for (const base of [0, 10]) {
      const scan = await verify(copy, base)
      expect(scan, `segment ${base}`).toEqual([])
    }
  })

  it('damage below what was acknowledged takes the partition out of service and changes nothing', async () => {
    const { path, directory, log } = await written()
    await log.flush()
    await append(log, batch())
    await log.flush() // the ends on disk are those of the flush before
    const second = await openLog(directory, config, 1)
    await append(second, batch())
    const copy = afterPowerLoss(copyOf(path))
    await kill(directory)
    flipByte(segmentFile(copy, 20), 70)
    const before = readFileSync(segmentFile(copy, 20))
    const again = await openDirectory(copy)
    const error = await openLog(again, config).catch((caught: unknown) => caught)
    expect(error).toMatchObject({ code: 'CORRUPT_LOG', topic: 't', partition: 0, position: 0, offset: 20n })
    expect((error as { path: string }).path).toContain('t-0/00000000000000000020.log')
    expect(readFileSync(segmentFile(copy, 20))).toEqual(before)
    await expect(openLog(again, config)).rejects.toMatchObject({ code: 'CORRUPT_LOG' })
    expect(offsetsOf(await readAll(await openLog(again, config, 1)))).toEqual([0])
    await again.close()
    expect(existsSync(join(copy, '.kafka_cleanshutdown'))).toBe(false)
    const third = await openDirectory(copy)
    await expect(openLog(third, config)).rejects.toMatchObject({ code: 'CORRUPT_LOG' })
  })

  it('a log that is shorter than what was acknowledged is out of service too', async () => {
    const { path, directory, log } = await written()
    await log.flush()
    const copy = afterPowerLoss(copyOf(path))
    await kill(directory)
    truncateSync(segmentFile(copy, 20), 0)
    await expect(reopened(copy)).rejects.toMatchObject({ code: 'CORRUPT_LOG', offset: 20n })
  })

  it('brings partitions into order that nobody asks for, and closes clean', async () => {
    const { path, directory } = await written()
    const copy = copyOf(path)
    await kill(directory)
    appendFileSync(segmentFile(copy, 20), Buffer.alloc(10, 1))
    const idle = await openDirectory(copy)
    expect(idle.leftBehind).toBe('scan')
    await idle.settled
    await idle.close()
    const { directory: again, log } = await reopened(copy)
    expect(again.leftBehind).toBe('clean')
    expect(offsetsOf(await readAll(log))).toEqual(upTo(25))
    expect(log.leaderEpoch).toBe(1)
  })

  it('starts at the log start if everything before it was deleted and the rest is lost', async () => {
    const { path, directory, log } = await written()
    await log.deleteRecordsBefore(23)
    const copy = copyOf(path, false)
    await kill(directory)
    truncateSync(segmentFile(copy, 20), 95)
    const { log: again } = await reopened(copy)
    expect([again.logStartOffset, again.logEndOffset]).toEqual([23, 23])
    expect(await append(again, batch())).toMatchObject({ baseOffset: 23 })
    expect(again.leaderEpoch).toBe(1)
  })
})

describe('read-only', () => {
  it('reads a clean directory without writing', async () => {
    const { path, directory } = await written()
    await directory.close()
    const before = listing(path)
    const { directory: reader, log } = await reopened(path, { readOnly: true })
    expect(offsetsOf(await readAll(log))).toEqual(upTo(25))
    expect(await log.offsetForTimestamp(1013)).toMatchObject({ offset: 13 })
    expect(() => log.append(batch(), { crc: 'compute' })).toThrowError(expect.objectContaining({ code: 'READ_ONLY' }))
    await reader.close()
    expect(listing(path)).toEqual(before)
  })

  it('reads beside a live writer up to what is published', async () => {
    const { path, log } = await written()
    const { directory: reader, log: seen } = await reopened(path, { readOnly: true })
    expect(reader.live).toBe(true)
    await append(log, batch())
    expect(offsetsOf(await readAll(seen))).toEqual(upTo(25))
    await reader.close()
  })

  it('reads what a kill and a power loss left, cutting in memory only', async () => {
    const { path, directory } = await written()
    const copy = copyOf(path, false)
    await kill(directory)
    const killed = await reopened(path, { readOnly: true })
    expect(offsetsOf(await readAll(killed.log))).toEqual(upTo(25))
    flipByte(segmentFile(copy, 10), 200)
    const before = listing(copy)
    const lost = await reopened(copy, { readOnly: true })
    expect(offsetsOf(await readAll(lost.log))).toEqual(upTo(12))
    await lost.directory.close()
    expect(listing(copy)).toEqual(before)
  })

  it('does not make a partition', async () => {
    const { path, directory } = await written()
    await directory.close()
    const reader = await openDirectory(path, { readOnly: true })
    await expect(openLog(reader, config, 3)).rejects.toMatchObject({ code: 'FILE_NOT_FOUND' })
  })
})

async function verify(path: string, base: number): Promise<string[]> {
  const directory = await engine.openDirectory(path, { readOnly: true })
  const { indexBytes, indexIntervalBytes } = config
  const options = { folder: 't-0', baseOffset: base, indexBytes, indexIntervalBytes, verifyIndexes: true }
  const scan = await engine.scanSegment(directory, options)
  await directory.close(false)
  return scan.indexFaults
}

function listing(path: string): Record<string, string> {
  const files: Record<string, string> = {}
  for (const suffix of ['.log', '.index', '.timeindex', '.snapshot', 'checkpoint']) {
    for (const name of filesOf(path, suffix)) files[name] = readFileSync(join(path, 't-0', name), 'latin1')
  }
  return files
}
