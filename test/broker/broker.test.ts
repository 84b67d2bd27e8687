import { existsSync, mkdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { afterEach, describe, expect, it } from 'vitest'
import { handlers } from '../../ts/broker/api/handlers.js'
import { openEngine } from '../../ts/native/open-engine.js'
import { apiKey, apis } from '../../ts/protocol/apis.js'
import { causeOf } from '../../ts/protocol/cause.js'
import { type ProtocolErrorName, protocolErrors } from '../../ts/protocol/errors.js'
import { batchOf, contextFor, LogLines, TestBroker, temporaryDirectory, valuesOf } from './harness.js'

const code = (name: ProtocolErrorName) => protocolErrors[name].code

afterEach(() => openEngine().injectFaults(null))

describe('every API', () => {
  for (const [key, { name, request }] of Object.entries(apis)) {
    const handler = handlers[Number(key) as keyof typeof handlers]
    it(`${name} is offered in the stable versions of its messages`, () => {
      expect(handler.key).toBe(Number(key))
      expect(handler.versions).toEqual({ ...request.versions, to: request.lastStable })
    })
  }

  it('refuses versions it does not have, and everything after close', async () => {
    const { broker, ...test } = await openWithTopic()
    const context = contextFor(apiKey.fetch, { apiVersion: 3 })
    expect(() => broker.handle(apiKey.fetch, test.it.fetchRequest('t', 0), context)).toThrow(/4 to 18, not 3/)
    await broker.close()
    await broker.close()
    expect(() => broker.handle(apiKey.fetch, test.it.fetchRequest('t', 0), contextFor(apiKey.fetch))).toThrow(
      expect.objectContaining({ code: 'CLOSED' }),
    )
  })
})

describe('ListOffsets', () => {
  it('finds ends, times and the newest timestamp', async () => {
    const test = (await openWithTopic()).it
    expect(await test.listOffset('t', -3n)).toMatchObject({ errorCode: 0, offset: -1n, timestamp: -1n })
    await test.produce('t', batchOf(['a', 'b'], {}, 1000))
    await test.produce('t', batchOf(['c'], {}, 3000))
    await test.produce('t', batchOf(['d'], {}, 2000))
    expect(await test.listOffset('t', -2n)).toMatchObject({ offset: 0n, timestamp: -1n })
    expect(await test.listOffset('t', -1n)).toMatchObject({ offset: 4n, timestamp: -1n })
    expect(await test.listOffset('t', -3n)).toMatchObject({ offset: 2n, timestamp: 3000n })
    expect(await test.listOffset('t', 0n)).toMatchObject({ offset: 0n, timestamp: 1000n })
    expect(await test.listOffset('t', 1001n)).toMatchObject({ offset: 2n, timestamp: 3000n })
    expect(await test.listOffset('t', 3001n)).toMatchObject({ errorCode: 0, offset: -1n })
    expect(await test.listOffset('t', -5n)).toMatchObject({ errorCode: 0, offset: -1n })
    expect((await test.listOffset('t', -9n)).errorCode).toBe(code('INVALID_REQUEST'))
    expect((await test.listOffset('t', -1n, 9)).errorCode).toBe(code('UNKNOWN_TOPIC_OR_PARTITION'))
  })
})

describe('DeleteRecords', () => {
  const remove = async (test: TestBroker, offset: bigint) => {
    const topics = [{ name: 't', partitions: [{ partitionIndex: 0, offset }] }]
    return (await test.ask(apiKey.deleteRecords, { topics })).topics[0].partitions[0]
  }

  it('raises the log start', async () => {
    const test = (await openWithTopic()).it
    for (const value of ['a', 'b', 'c']) await test.produce('t', batchOf([value]))
    expect(await remove(test, 2n)).toMatchObject({ errorCode: 0, lowWatermark: 2n })
    expect((await test.fetch('t', 1)).errorCode).toBe(code('OFFSET_OUT_OF_RANGE'))
    expect(valuesOf((await test.fetch('t', 2)).records)).toEqual(['c'])
    for (const offset of [4n, -2n]) expect((await remove(test, offset)).errorCode).toBe(code('OFFSET_OUT_OF_RANGE'))
    expect(await remove(test, -1n)).toMatchObject({ lowWatermark: 3n })
    expect((await test.listOffset('t', -2n)).offset).toBe(3n)
  })

  it('is refused on topics that are only compacted', async () => {
    const test = (await openWithTopic({ 'cleanup.policy': 'compact' })).it
    expect((await remove(test, 0n)).errorCode).toBe(code('POLICY_VIOLATION'))
  })
})

describe('descriptions', () => {
  it('of epochs, log directories and the cluster', async () => {
    const { it: test, broker } = await openWithTopic()
    await test.produce('t', batchOf(['a', 'b']))
    const partitions = [0, 99].map((leaderEpoch) => ({ partition: 0, currentLeaderEpoch: -1, leaderEpoch }))
    const epochs = await test.ask(apiKey.offsetForLeaderEpoch, { replicaId: -1, topics: [{ topic: 't', partitions }] })
    expect(epochs.topics[0].partitions.map(({ endOffset }) => endOffset)).toEqual([2n, -1n])

    const [dir] = (await test.ask(apiKey.describeLogDirs, { topics: null })).results
    expect(dir).toMatchObject({ errorCode: 0, logDir: broker.path, topics: [{ name: 't' }] })
    expect(dir.topics[0].partitions[0].partitionSize).toBeGreaterThan(61n)
    expect(dir.totalBytes).toBeGreaterThan(dir.usableBytes)

    const cluster = await test.ask(apiKey.describeCluster, { endpointType: 1 })
    expect(cluster).toMatchObject({
      errorCode: 0,
      clusterId: broker.clusterId,
      controllerId: 1,
      brokers: [{ brokerId: 1 }],
    })
    expect((await test.ask(apiKey.describeCluster, { endpointType: 2 })).errorCode).toBe(
      code('MISMATCHED_ENDPOINT_TYPE'),
    )
  })
})

describe('a disk that fails', () => {
  it('takes the directory offline: produce says why, reads go on', async () => {
    const { it: test, broker } = await openWithTopic()
    await test.produce('t', batchOf(['safe']), { acks: -1 })
    openEngine().injectFaults({ failNth: 1, sticky: true, kinds: ['sync', 'msync'], pathIncludes: broker.path })
    const part = await test.produce('t', batchOf(['lost']), { acks: -1 })
    openEngine().injectFaults(null)
    expect(part.errorCode).toBe(code('KAFKA_STORAGE_ERROR'))
    expect(causeOf(part)).toMatchObject({ topic: 't', partition: 0, path: expect.stringContaining(broker.path) })
    expect(broker.offline).toBe(true)
    const later = await test.produce('t', batchOf(['later']))
    expect(later.errorCode).toBe(code('KAFKA_STORAGE_ERROR'))
    expect(causeOf(later)?.code).toBe('DIRECTORY_OFFLINE')
    expect(valuesOf((await test.fetch('t', 0)).records)[0]).toBe('safe')
    expect((await test.createTopic('u')).errorCode).toBe(code('KAFKA_STORAGE_ERROR'))
  })

  it('that is full refuses records until there is room again, and keeps serving', async () => {
    const { it: test, broker } = await openWithTopic()
    await test.produce('t', batchOf(['before']))
    openEngine().injectFaults({
      failNth: 1,
      sticky: true,
      kinds: ['reserve', 'write'],
      pathIncludes: 't-0',
      errno: 'ENOSPC',
    })
    const large = batchOf(Array.from({ length: 4000 }, () => 'x'.repeat(200)))
    const refused = await test.produce('t', large)
    openEngine().injectFaults(null)
    expect(refused.errorCode).toBe(code('KAFKA_STORAGE_ERROR'))
    expect(causeOf(refused)).toMatchObject({ code: 'NO_SPACE', retriable: true, topic: 't', partition: 0 })
    expect(broker.offline).toBe(false)
    expect(valuesOf((await test.fetch('t', 0)).records)).toEqual(['before'])
    expect(await test.produce('t', batchOf(['after']), { acks: -1 })).toMatchObject({ errorCode: 0, baseOffset: 1n })
  })

  it('leaves topics as they were when seglog.json cannot be written', async () => {
    const { it: test } = await openWithTopic()
    openEngine().injectFaults({
      failNth: 1,
      sticky: true,
      kinds: ['open', 'write', 'rename'],
      pathIncludes: 'seglog.json',
      errno: 'ENOSPC',
    })
    const refused = await test.createTopic('u')
    openEngine().injectFaults(null)
    expect(refused.errorCode).toBe(code('KAFKA_STORAGE_ERROR'))
    expect((await test.createTopic('u')).errorCode).toBe(0)
  })
})

describe('opening', () => {
  it('names what is wrong with a target', async () => {
    const path = temporaryDirectory()
    writeFileSync(join(path, 'file'), '')
    await expect(TestBroker.open(join(path, 'file'))).rejects.toMatchObject({ code: 'NOT_A_DIRECTORY' })
    await expect(TestBroker.open(join(path, 'none'), { create: false })).rejects.toMatchObject({
      code: 'FILE_NOT_FOUND',
    })
    await TestBroker.open(join(path, 'log'))
    await expect(TestBroker.open(join(path, 'log'))).rejects.toMatchObject({
      code: 'DIRECTORY_IN_USE',
      message: expect.stringContaining(String(process.pid)),
    })
    await expect(TestBroker.open(join(path, 'other'), { signal: AbortSignal.abort() })).rejects.toMatchObject({
      code: 'ABORTED',
    })
  })

  it('read-only reads and refuses every write', async () => {
    const path = temporaryDirectory()
    const writer = await TestBroker.open(path)
    await writer.createTopic('t', 2)
    await writer.produce('t', batchOf(['x']))
    await writer.broker.close()
    const test = await TestBroker.open(path, { readOnly: true })
    expect(test.broker.readOnly).toBe(true)
    expect(valuesOf((await test.fetch('t', 0)).records)).toEqual(['x'])
    expect(await test.fetch('t', 0, { partition: 1 })).toMatchObject({ errorCode: 0, highWatermark: 0n })
    expect(await test.listOffset('t', -1n, 1)).toMatchObject({ errorCode: 0, offset: 0n })
    const refused = [
      await test.produce('t', batchOf(['y'])),
      await test.produce('t', batchOf(['y']), { partition: 1 }),
      await test.createTopic('u'),
    ]
    for (const part of refused) {
      expect(part.errorCode).toBe(code('POLICY_VIOLATION'))
      expect(causeOf(part)?.code).toBe('READ_ONLY')
    }
    const second = await TestBroker.open(path, { readOnly: true })
    expect(valuesOf((await second.fetch('t', 0)).records)).toEqual(['x'])
  })

  it('adopts folders of a read-only directory in memory only', async () => {
    const path = temporaryDirectory()
    const writer = await TestBroker.open(path)
    await writer.createTopic('t')
    await writer.produce('t', batchOf(['x']))
    await writer.broker.close()
    const file = join(path, 'seglog.json')
    writeFileSync(file, '{"version":1,"nextProducerId":0,"topics":[],"deleting":[]}')
    const test = await TestBroker.open(path, { readOnly: true })
    expect(valuesOf((await test.fetch('t', 0)).records)).toEqual(['x'])
  })

  it('memory: is removed on close and acknowledges from memory', async () => {
    const test = await TestBroker.open('memory:')
    const { path } = test.broker
    expect(existsSync(join(path, '.lock'))).toBe(true)
    expect((await test.createTopic('t')).configs).toContainEqual(
      expect.objectContaining({ name: 'write.caching', value: 'true' }),
    )
    await test.produce('t', batchOf(['x']), { acks: -1 })
    await test.broker.close()
    expect(existsSync(path)).toBe(false)
  })

  it('refuses one damaged partition, the others serve', async () => {
    const path = temporaryDirectory()
    const writer = await TestBroker.open(path)
    await writer.createTopic('t', 2)
    for (const partition of [0, 1]) await writer.produce('t', batchOf(['x']), { partition })
    await writer.broker.close()
    const logger = new LogLines()
    writeFileSync(join(path, 't-0', 'partition.metadata'), 'version: 0\ntopic_id: ABEiM0RVZneImaq7zN3u_w\n')
    mkdirSync(join(path, 'not a partition'))
    const test = await TestBroker.open(path, { logger })
    const part = await test.fetch('t', 0)
    expect(part.errorCode).toBe(code('INCONSISTENT_TOPIC_ID'))
    expect(causeOf(part)?.message).toContain('t-0')
    expect(valuesOf((await test.fetch('t', 0, { partition: 1 })).records)).toEqual(['x'])
    expect(logger.lines.some(({ level }) => level === 'error')).toBe(true)
  })
})

async function openWithTopic(configs: Record<string, string> = {}) {
  const it = await TestBroker.open(temporaryDirectory())
  await it.createTopic('t', 1, configs)
  return { it, broker: it.broker }
}
