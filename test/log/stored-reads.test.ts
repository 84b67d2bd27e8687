import { describe, expect, it } from 'vitest'
import type { Log } from '../../ts/log/log.js'
import { type FileRegion, isFileRegion } from '../../ts/protocol/file-region.js'
import { batchOfSize } from '../native/batches.js'
import { append, openDirectory, openLog, smallConfig } from './workspace.js'

const largeConfig = { ...smallConfig, segmentBytes: 1 << 20, maxMessageBytes: 1 << 20 }
const batchBytes = 30_000

async function logOf(sizes: readonly number[], config = largeConfig): Promise<Log> {
  const log = await openLog(await openDirectory(), config)
  for (const size of sizes) await append(log, batchOfSize(size))
  return log
}

async function regionAt(log: Log, offset: number, maxBytes: number, upTo?: number): Promise<FileRegion> {
  const stored = await log.readStored(offset, maxBytes, upTo)
  if (!isFileRegion(stored)) throw new Error(`bytes for a read of ${maxBytes}`)
  return stored
}

/** What the same bytes are by the plain read. */
async function bytesFrom(log: Log, offset: number): Promise<Buffer> {
  const parts: Buffer[] = []
  for (let next = offset; next < log.logEndOffset; ) {
    const read = await log.read(next, 1 << 20)
    if (read.batches.length === 0) break
    parts.push(read.batches)
    next = read.nextOffset
  }
  return Buffer.concat(parts)
}

describe('a read that takes regions', () => {
  it('gives little as whole batches in memory', async () => {
    const log = await logOf([batchBytes, batchBytes, batchBytes])
    expect(await log.readStored(0, 64 * 1024)).toEqual((await log.read(0, 64 * 1024)).batches)
    expect(await log.readStored(2, 1 << 20)).toHaveLength(batchBytes)
    expect(await log.readStored(3, 1 << 20)).toHaveLength(0)
  })

  it('gives much as a region that ends where the readable log does', async () => {
    const log = await logOf(Array(10).fill(batchBytes))
    const region = await regionAt(log, 0, 1 << 20)
    expect(region.length).toBe(10 * batchBytes)
    expect((await bytesFrom(log, 0)).equals(await region.read(0, region.length))).toBe(true)
    expect((await regionAt(log, 4, 1 << 20)).length).toBe(6 * batchBytes)
    const below = await regionAt(log, 0, 1 << 20, 4)
    expect(below.length).toBe(4 * batchBytes)
    expect(Buffer.from(await below.read(batchBytes - 5, batchBytes + 5))).toEqual(
      (await bytesFrom(log, 0)).subarray(batchBytes - 5, batchBytes + 5),
    )
  })

  it('may cut the last batch short, never the first', async () => {
    const log = await logOf([batchBytes, 200_000, 300_000, batchBytes])
    expect((await regionAt(log, 0, 100_000)).length).toBe(100_000)
    expect((await regionAt(log, 1, 100_000)).length).toBe(200_000)
    expect((await regionAt(log, 2, 250_000)).length).toBe(300_000)
  })

  it('goes on in the next segment', async () => {
    const log = await logOf(Array(70).fill(batchBytes))
    expect(log.segments.length).toBe(3)
    const { endOffset } = log.segments[0]
    expect((await regionAt(log, endOffset - 3, 1 << 20)).length).toBe(3 * batchBytes)
    expect((await regionAt(log, endOffset, 1 << 20)).length).toBe(log.segments[1].sizeBytes)
  })

  it('stays readable when its segment is sealed, and not once it is released or its log gone', async () => {
    const log = await logOf(Array(10).fill(batchBytes))
    const region = await regionAt(log, 0, 1 << 20)
    const bytes = await bytesFrom(log, 0)
    for (let i = 0; i < 40; i++) await append(log, batchOfSize(batchBytes))
    expect(log.segments.length).toBeGreaterThan(1)
    expect(bytes.equals(await region.read(0, region.length))).toBe(true)
    region.release()
    expect(() => region.read(0, 1)).toThrow(expect.objectContaining({ code: 'CLOSED' }))
    const other = await regionAt(log, 0, 1 << 20)
    await log.close()
    await expect((async () => other.read(0, 1))()).rejects.toMatchObject({ code: 'CLOSED' })
  })
})
