import { readFileSync, statSync, truncateSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import type { Directory, ScanOptions } from '../../ts/native/engine.js'
import { scannedProducers } from '../../ts/native/scan.js'
import { batch } from './batches.js'
import { appendAny, engine, openDirectory, openSegment, plain } from './workspace.js'

const scan = (directory: Directory, options: Partial<ScanOptions> = {}) =>
  engine.scanSegment(directory, {
    folder: 't-0',
    baseOffset: 0,
    indexIntervalBytes: 4096,
    indexBytes: 1 << 20,
    ...options,
  })

/** Ten batches of four records, some 1,000 bytes each: the size of one. */
async function written(directory: Directory): Promise<number> {
  const segment = await openSegment(directory)
  const bytes = batch({ records: 4, valueBytes: 230 })
  for (let i = 0; i < 10; i++) await appendAny(segment, bytes, { ...plain, leaderEpoch: i < 6 ? 1 : 2 })
  await segment.seal()
  await segment.flush()
  await segment.close()
  return bytes.length
}

const file = (directory: Directory, suffix: string) => join(directory.path, 't-0', `00000000000000000000.${suffix}`)

test('a sound segment scans to its end, with its epochs, and its indexes agree', async () => {
  const directory = await openDirectory()
  const size = await written(directory)
  expect(await scan(directory, { walkRecords: true, verifyIndexes: true })).toEqual({
    endPosition: size * 10,
    endOffset: 40,
    maxTimestamp: 1_700_000_000_003,
    maxTimestampOffset: 3,
    batches: 10,
    epochs: [
      { epoch: 1, startOffset: 0 },
      { epoch: 2, startOffset: 24 },
    ],
    producers: Buffer.alloc(0),
    stopped: null,
    indexFaults: [],
  })
})

test('a flipped byte stops the scan at its batch; without checksums it goes unseen', async () => {
  const directory = await openDirectory()
  const size = await written(directory)
  const bytes = readFileSync(file(directory, 'log'))
  bytes[size * 7 + 200]! ^= 1
  writeFileSync(file(directory, 'log'), bytes)
  const found = await scan(directory)
  expect(found).toMatchObject({ endPosition: size * 7, endOffset: 28, batches: 7 })
  expect(found.stopped).toMatchObject({ position: size * 7, offset: 28, zeros: false })
  expect(found.stopped?.reason).not.toBe('')
  expect((await scan(directory, { checkCrc: false })).stopped).toBeNull()
})

test('a torn tail is cut where asked, and indexes are written anew', async () => {
  const directory = await openDirectory()
  const size = await written(directory)
  const index = readFileSync(file(directory, 'index'))
  truncateSync(file(directory, 'log'), size * 9 + 30)
  writeFileSync(file(directory, 'index'), Buffer.from('garbage!'))
  expect((await scan(directory, { verifyIndexes: true })).indexFaults).not.toEqual([])
  const found = await scan(directory, { truncate: true, rebuildIndexes: true })
  expect(found).toMatchObject({ endOffset: 36, stopped: { position: size * 9, zeros: false } })
  expect(statSync(file(directory, 'log')).size).toBe(size * 9)
  expect(readFileSync(file(directory, 'index')).subarray(0, 8)).toEqual(index.subarray(0, 8))
  expect(await scan(directory, { verifyIndexes: true })).toMatchObject({ stopped: null, indexFaults: [] })
})

test('a tail of zeros is told from damage, and a range may be scanned alone', async () => {
  const directory = await openDirectory()
  const size = await written(directory)
  truncateSync(file(directory, 'log'), size * 10 + 5000)
  expect((await scan(directory)).stopped).toMatchObject({ position: size * 10, offset: 40, zeros: true })
  const part = await scan(directory, { fromPosition: size * 4, fromOffset: 16, toPosition: size * 6 })
  expect(part).toMatchObject({ endPosition: size * 6, endOffset: 24, batches: 2, stopped: null })
})

test('batches with a producer id come packed, in log order', async () => {
  const directory = await openDirectory()
  const segment = await openSegment(directory)
  await appendAny(segment, batch({ records: 2 }))
  const position = segment.endPosition
  await appendAny(segment, batch({ records: 3, producerId: 4000, baseSequence: 7, timestamp: 5000 }))
  await segment.close()
  const { producers } = await scan(directory)
  expect([...scannedProducers(producers)]).toEqual([
    {
      producerId: 4000,
      producerEpoch: 0,
      baseOffset: 2,
      lastOffset: 4,
      maxTimestamp: 5002,
      position,
      baseSequence: 7,
      lastOffsetDelta: 2,
      recordCount: 3,
      attributes: 0,
      controlType: -1,
      coordinatorEpoch: -1,
    },
  ])
})

test('a scan that would write is refused in a read-only directory', async () => {
  const directory = await openDirectory()
  await written(directory)
  const reader = await openDirectory(directory.path, true)
  await expect(scan(reader, { truncate: true })).rejects.toMatchObject({ code: 'READ_ONLY' })
  expect((await scan(reader)).endOffset).toBe(40)
})
