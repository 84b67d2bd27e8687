import { afterEach, expect, test } from 'vitest'
import { batch } from './batches.js'
import { appendAny, engine, noLimit, openDirectory, openSegment, plain } from './workspace.js'

afterEach(() => engine.injectFaults(null))

test('a failed write rejects with the system error, takes the directory offline once, and reads go on', async () => {
  const directory = await openDirectory()
  const told: Error[] = []
  directory.onOffline = (error) => told.push(error)
  const segment = await openSegment(directory)
  const bytes = batch()
  await segment.append([bytes], plain)
  engine.injectFaults({ failNth: 1, kinds: ['write'], pathIncludes: '.log' })
  await expect(segment.append([bytes], plain)).rejects.toMatchObject({
    name: 'SeglogError',
    code: 'IO_ERROR',
    retriable: false,
    path: expect.stringContaining('.log'),
    cause: { code: 'EIO' },
  })
  expect(directory.offline).toBe(true)
  await expect(segment.append([bytes], plain)).rejects.toMatchObject({ code: 'DIRECTORY_OFFLINE' })
  expect(() => segment.appendNow(bytes, plain, new Float64Array(4))).toThrow(
    expect.objectContaining({ code: 'DIRECTORY_OFFLINE' }),
  )
  expect(await segment.read(0, noLimit, 1 << 20)).toHaveLength(bytes.length)
  expect(told).toEqual([expect.objectContaining({ code: 'IO_ERROR' })])
})

test('a failed flush fails its waiters and takes the directory offline', async () => {
  const directory = await openDirectory()
  const segment = await openSegment(directory)
  await appendAny(segment, batch())
  engine.injectFaults({ failNth: 1, sticky: true, kinds: ['msync', 'sync'], pathIncludes: '.log' })
  const outcomes = await Promise.allSettled([segment.flush(), segment.flush(), segment.flush()])
  for (const outcome of outcomes) {
    expect(outcome).toMatchObject({ status: 'rejected' })
    expect(['IO_ERROR', 'DIRECTORY_OFFLINE']).toContain((outcome as PromiseRejectedResult).reason.code)
  }
  expect(directory.offline).toBe(true)
  expect(segment.durableOffset).toBe(0)
})

test('a full disk is retriable and leaves the directory online', async () => {
  const directory = await openDirectory()
  const segment = await openSegment(directory)
  engine.injectFaults({ failNth: 1, sticky: true, kinds: ['reserve', 'write'], errno: 'ENOSPC' })
  await expect(segment.append([batch()], plain)).rejects.toMatchObject({ code: 'NO_SPACE', retriable: true })
  engine.injectFaults(null)
  expect(directory.offline).toBe(false)
  expect((await segment.append([batch()], plain)).baseOffset).toBe(0)
})

test('calls are counted by kind, and an unknown kind is refused', async () => {
  const directory = await openDirectory()
  engine.injectFaults({ kinds: ['rename'] })
  await directory.replaceFile('a', Buffer.from('x'))
  await directory.replaceFile('b', Buffer.from('x'))
  expect(engine.ioCalls()).toBe(2)
  expect(() => engine.injectFaults({ kinds: ['teleport'] })).toThrow(
    expect.objectContaining({ code: 'INVALID_ARGUMENT' }),
  )
})

test('a missing descriptor at open is named so', async () => {
  engine.injectFaults({ failNth: 1, sticky: true, kinds: ['open'], errno: 'EMFILE' })
  await expect(engine.openDirectory('/tmp/seglog-never-made', { create: false })).rejects.toMatchObject({
    code: expect.stringMatching(/TOO_MANY_OPEN_FILES|FILE_NOT_FOUND/),
  })
})
