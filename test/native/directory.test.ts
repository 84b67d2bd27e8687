import { existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { batch } from './batches.js'
import { appendAny, engine, freshFolder, openDirectory, openSegment, plain, topicId } from './workspace.js'

test('a new directory is made, locked, and clean after a clean close', async () => {
  const path = join(freshFolder(), 'a', 'b')
  const directory = await openDirectory(path)
  expect(directory).toMatchObject({ path, readOnly: false, leftBehind: 'new', offline: false, ends: [] })
  await expect(engine.openDirectory(path)).rejects.toMatchObject({ code: 'DIRECTORY_IN_USE' })
  await expect(engine.openDirectory(path)).rejects.toThrow(String(process.pid))
  const segment = await openSegment(directory)
  await appendAny(segment, batch())
  await segment.seal()
  await segment.flush()
  await segment.close()
  await directory.replaceFile('.kafka_cleanshutdown', Buffer.from('{"version":0,"brokerEpoch":-1}'))
  await directory.close(true)
  const again = await openDirectory(path)
  expect(again.leftBehind).toBe('clean')
  expect(existsSync(join(path, '.kafka_cleanshutdown'))).toBe(false)
})

test('after a close that was not clean the ends say where each partition was', async () => {
  const path = freshFolder()
  const directory = await openDirectory(path)
  const slot = directory.slot(topicId, 0)
  const segment = await openSegment(directory, { slot })
  const bytes = batch({ records: 7 })
  await appendAny(segment, bytes)
  slot.set({ highWatermark: 5, lastStableOffset: 4, logStartOffset: 2 })
  await directory.close(false)

  const again = await openDirectory(path)
  expect(again.leftBehind).toBe('killed')
  expect(again.ends).toMatchObject([
    {
      topicId,
      partition: 0,
      segmentBase: 0,
      endOffset: 7,
      endPosition: bytes.length,
      highWatermark: 5,
      lastStableOffset: 4,
      logStartOffset: 2,
    },
  ])
  const end = { position: again.ends[0]!.endPosition, offset: again.ends[0]!.endOffset }
  const reopened = await openSegment(again, { create: false, end })
  expect(await appendAny(reopened, bytes)).toBe(7)
})

test('a read-only open writes nothing and refuses to', async () => {
  const path = freshFolder()
  const directory = await openDirectory(path)
  const segment = await openSegment(directory)
  await appendAny(segment, batch({ records: 3 }))
  const reader = await openDirectory(path, true)
  expect(reader).toMatchObject({ readOnly: true, live: true })
  await expect(reader.replaceFile('x', Buffer.from('x'))).rejects.toMatchObject({ code: 'READ_ONLY' })
  expect(() => reader.slot(topicId, 0)).toThrow(expect.objectContaining({ code: 'READ_ONLY' }))
  expect(existsSync(join(path, 'x'))).toBe(false)
})

test('small files: made, replaced, listed, renamed, removed', async () => {
  const directory = await openDirectory()
  await directory.makeDirectory('p/q')
  expect(await directory.stat('p/q')).toMatchObject({ isDirectory: true })
  expect(await directory.stat('nowhere')).toBeNull()
  await directory.replaceFile('p/file', Buffer.from('one'))
  await Promise.all([...'abcdefgh'].map((text) => directory.replaceFile('p/file', Buffer.from(text))))
  expect(String(await directory.readFile('p/file'))).toBe('h') // calls on one path keep their order
  expect((await directory.list('p')).sort()).toEqual(['file', 'q'])
  expect(await directory.stat('p/file')).toMatchObject({ size: 1, isDirectory: false })
  await directory.rename('p/file', 'p/other')
  await directory.syncDirectory('p')
  expect(readFileSync(join(directory.path, 'p/other'), 'utf8')).toBe('h')
  await directory.remove('p/other')
  await expect(directory.readFile('p/other')).rejects.toMatchObject({
    code: 'FILE_NOT_FOUND',
    path: join(directory.path, 'p/other'),
    cause: { code: 'ENOENT' },
  })
  await directory.removeTree('p')
  expect(existsSync(join(directory.path, 'p'))).toBe(false)
})

test('a path that is a file, and one that is missing, are told apart', async () => {
  const folder = freshFolder()
  writeFileSync(join(folder, 'file'), '')
  mkdirSync(join(folder, 'dir'))
  await expect(engine.openDirectory(join(folder, 'file'))).rejects.toMatchObject({ code: 'NOT_A_DIRECTORY' })
  await expect(engine.openDirectory(join(folder, 'none'), { create: false })).rejects.toMatchObject({
    code: 'FILE_NOT_FOUND',
  })
})

test('closing waits for what is pending, closes its segments, and answers CLOSED afterwards', async () => {
  const directory = await openDirectory()
  const slot = directory.slot(topicId, 1)
  const segment = await openSegment(directory)
  const append = segment.append([batch()], plain)
  const write = directory.replaceFile('file', Buffer.from('x'))
  const closing = directory.close(false)
  await expect(directory.list('.')).rejects.toMatchObject({ code: 'CLOSED' })
  expect(() => directory.topicsChanged()).toThrow(expect.objectContaining({ code: 'CLOSED' }))
  await append
  await write
  await closing
  await directory.close(true)
  expect(() => slot.set({ highWatermark: 1 })).toThrow(expect.objectContaining({ code: 'CLOSED' }))
  expect(() => slot.free()).toThrow(expect.objectContaining({ code: 'CLOSED' }))
  await expect(segment.flush()).rejects.toMatchObject({ code: 'CLOSED' })
  await expect(openSegment(directory, { create: false, slot: null })).rejects.toMatchObject({ code: 'CLOSED' })
  expect(engine.liveMappings()).toBe(0)
})

test('a segment whose opening is overtaken by the close of its directory is closed again', async () => {
  const directory = await openDirectory()
  await directory.makeDirectory('t-0')
  const opening = openSegment(directory)
  // Whichever comes first: a rejection that nobody listens to yet would count as unhandled.
  const outcome = opening.then(
    (segment) => ({ segment, error: null }),
    (error: unknown) => ({ segment: null, error }),
  )
  await directory.makeDirectory('other')
  await directory.close(false)
  const { segment, error } = await outcome
  if (segment === null) expect(error).toMatchObject({ code: 'CLOSED' })
  else await segment.close()
  expect(engine.liveMappings()).toBe(0)
})

test('a freed slot is gone', async () => {
  const directory = await openDirectory()
  const slot = directory.slot(topicId, 5)
  slot.raiseGeneration()
  slot.free()
  expect(() => slot.set({ highWatermark: 1 })).toThrow(expect.objectContaining({ code: 'CLOSED' }))
  expect(() => directory.slot('not hex', 0)).toThrow(expect.objectContaining({ code: 'INVALID_ARGUMENT' }))
  expect(() => directory.slot(topicId, -1)).toThrow(expect.objectContaining({ code: 'INVALID_ARGUMENT' }))
})
