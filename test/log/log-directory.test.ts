import { existsSync, mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import { randomUuid } from '../../ts/protocol/uuid.js'
import { batch } from '../native/batches.js'
import {
  append,
  engine,
  filesOf,
  freshFolder,
  kill,
  offsetsOf,
  openDirectory,
  openLog,
  readAll,
  smallConfig,
  topicId,
  upTo,
} from './workspace.js'

describe('LogDirectory', () => {
  it('makes what Kafka expects, and keeps it', async () => {
    const path = freshFolder()
    const directory = await openDirectory(path, { clusterId: 'cluster', nodeId: 4 })
    expect(directory).toMatchObject({ leftBehind: 'new', clusterId: 'cluster', nodeId: 4, found: [] })
    await openLog(directory)
    await directory.close()
    expect(readFileSync(join(path, 't-0', 'partition.metadata'), 'utf8')).toBe(`version: 0\ntopic_id: ${topicId}`)
    expect(readFileSync(join(path, 't-0', 'leader-epoch-checkpoint'), 'utf8')).toBe('0\n1\n0 0\n')
    expect(filesOf(path, 'index')).toEqual(['00000000000000000000.index', '00000000000000000000.timeindex'])
    const again = await openDirectory(path, { clusterId: 'other', nodeId: 5 })
    expect(again).toMatchObject({
      leftBehind: 'clean',
      clusterId: 'cluster',
      nodeId: 4,
      directoryId: directory.directoryId,
      found: [{ topic: 't', partition: 0 }],
    })
    expect(await again.readTopicId('t', 0)).toBe(topicId)
    expect(await again.readTopicId('t', 1)).toBeNull()
  })

  it('gives one log to all who ask, a new one after it was closed', async () => {
    const directory = await openDirectory()
    const [a, b] = await Promise.all([openLog(directory), openLog(directory)])
    expect(a).toBe(b)
    await append(a, batch())
    await a.close()
    const c = await openLog(directory)
    expect(c).not.toBe(a)
    expect(offsetsOf(await readAll(c))).toEqual([0])
    expect(await append(c, batch())).toMatchObject({ baseOffset: 1 })
  })

  it('refuses a second writer, naming the first', async () => {
    const directory = await openDirectory()
    await expect(openDirectory(directory.path)).rejects.toMatchObject({
      code: 'DIRECTORY_IN_USE',
      message: expect.stringContaining(String(process.pid)),
    })
    await directory.close()
    await openDirectory(directory.path)
  })

  it('refuses a folder of another topic id, and adopts one without', async () => {
    const path = freshFolder()
    const first = await openDirectory(path)
    await append(await openLog(first), batch())
    await first.close()
    const second = await openDirectory(path)
    const options = { topic: 't', partition: 0, config: smallConfig }
    await expect(second.openLog({ ...options, topicId: randomUuid() })).rejects.toMatchObject({
      code: 'INCONSISTENT_TOPIC_ID',
    })
    await second.close()
    rmSync(join(path, 't-0', 'partition.metadata'))
    const third = await openDirectory(path)
    const id = randomUuid()
    const log = await third.openLog({ ...options, topicId: id })
    expect(offsetsOf(await readAll(log))).toEqual([0])
    expect(await third.readTopicId('t', 0)).toBe(id)
  })

  it('deletes by rename, then for good; the name is free at once and its marks are forgotten', async () => {
    const path = freshFolder()
    const directory = await openDirectory(path)
    const log = await openLog(directory)
    for (let i = 0; i < 10; i++) await append(log, batch())
    await log.flush()
    await log.deleteRecordsBefore(5)
    await directory.deleteLog('t', 0)
    expect(existsSync(join(path, 't-0'))).toBe(false)
    expect(() => log.read(5, 1)).toThrowError(expect.objectContaining({ code: 'CLOSED' }))
    const id = randomUuid()
    const again = await directory.openLog({ topic: 't', partition: 0, topicId: id, config: smallConfig })
    expect([again.logStartOffset, again.logEndOffset]).toEqual([0, 0])
    expect(readFileSync(join(path, 'log-start-offset-checkpoint'), 'utf8')).toBe('0\n0\n')
    await append(again, batch())
    await directory.close()
    expect(readdirSync(path).filter((name) => name.endsWith('-delete'))).toEqual([])
  })

  it('finishes interrupted deletions at the start, and leaves Kafka’s other folders alone', async () => {
    const path = freshFolder()
    await (await openDirectory(path)).close()
    const uuid = '0123456789abcdef0123456789abcdef'
    const kept = [`t-0.${uuid}-stray`, `t-1.${uuid}-future`, '__cluster_metadata-0']
    for (const name of [...kept, `t-2.${uuid}-delete`]) {
      mkdirSync(join(path, name))
      writeFileSync(join(path, name, '00000000000000000000.log'), 'x')
    }
    const directory = await openDirectory(path)
    expect(directory.found).toEqual([])
    await directory.close()
    expect(readdirSync(path).filter((name) => name.includes('-'))).toEqual(expect.arrayContaining(kept))
    expect(existsSync(join(path, `t-2.${uuid}-delete`))).toBe(false)
  })

  it('keeps the checkpoints of partitions it did not open', async () => {
    const path = freshFolder()
    const first = await openDirectory(path)
    for (const partition of [0, 1]) await append(await openLog(first, smallConfig, partition), batch())
    await first.close()
    const second = await openDirectory(path)
    await append(await openLog(second, smallConfig, 1), batch())
    await second.close()
    expect(readFileSync(join(path, 'recovery-point-offset-checkpoint'), 'utf8').split('\n').sort()).toEqual(
      ['', '0', '2', 't 0 1', 't 1 2'].sort(),
    )
  })

  it('takes a damaged checkpoint for an empty one', async () => {
    const path = freshFolder()
    const first = await openDirectory(path)
    await append(await openLog(first), batch())
    await kill(first)
    writeFileSync(join(path, 'recovery-point-offset-checkpoint'), 'nonsense')
    const log = await openLog(await openDirectory(path))
    expect(offsetsOf(await readAll(log))).toEqual([0])
  })

  it('goes offline when a flush fails: writing stops, reading goes on, and the next open scans', async () => {
    const path = freshFolder()
    const directory = await openDirectory(path)
    const offline: unknown[] = []
    directory.onOffline = (error) => offline.push(error)
    const log = await openLog(directory)
    for (let i = 0; i < 3; i++) await append(log, batch())
    await log.flush()
    await append(log, batch())
    engine.injectFaults({ failNth: 1, sticky: true, kinds: ['sync', 'msync'] })
    await expect(log.flush()).rejects.toMatchObject({ code: expect.stringMatching(/IO_ERROR|DIRECTORY_OFFLINE/) })
    engine.injectFaults(null)
    expect(directory.offline).toBe(true)
    await expect(append(log, batch())).rejects.toMatchObject({ code: 'DIRECTORY_OFFLINE' })
    await expect(log.flush()).rejects.toMatchObject({ code: 'DIRECTORY_OFFLINE' })
    expect(offsetsOf(await readAll(log))).toEqual(upTo(4))
    expect(offline).toHaveLength(1)
    await directory.close()
    expect(existsSync(join(path, '.kafka_cleanshutdown'))).toBe(false)
    const again = await openDirectory(path)
    expect(again.leftBehind).toBe('scan')
    const recovered = await openLog(again)
    expect(offsetsOf(await readAll(recovered))).toEqual(upTo(4))
    expect(recovered.leaderEpoch).toBe(1)
  })

  it('serves many logs with few open segments', async () => {
    const path = freshFolder()
    const first = await openDirectory(path, { openSegments: 3 })
    const logs = await Promise.all(
      upTo(4).map((partition) => openLog(first, { ...smallConfig, segmentBytes: 300 }, partition)),
    )
    for (let i = 0; i < 20; i++) for (const log of logs) await append(log, batch())
    for (const records of await Promise.all(logs.map((log) => readAll(log))))
      expect(offsetsOf(records)).toEqual(upTo(20))
    await first.close()
    const second = await openDirectory(path, { openSegments: 2 })
    const again = await Promise.all(upTo(4).map((partition) => openLog(second, smallConfig, partition)))
    for (const records of await Promise.all(again.map((log) => readAll(log))))
      expect(offsetsOf(records)).toEqual(upTo(20))
  })

  it('closes once, refuses work after, and releases the lock', async () => {
    const directory = await openDirectory()
    const log = await openLog(directory)
    const appends = upTo(20).map(() => append(log, batch()))
    await Promise.all([directory.close(), directory.close()])
    expect((await Promise.all(appends)).map((info) => info.baseOffset)).toEqual(upTo(20))
    await expect(openLog(directory)).rejects.toMatchObject({ code: 'CLOSED' })
    const again = await openLog(await openDirectory(directory.path))
    expect(offsetsOf(await readAll(again))).toEqual(upTo(20))
  })
})
