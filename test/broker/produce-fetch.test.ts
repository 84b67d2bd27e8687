import { setImmediate as turn } from 'node:timers/promises'
import { describe, expect, it } from 'vitest'
import { openEngine } from '../../ts/native/open-engine.js'
import { apiKey } from '../../ts/protocol/apis.js'
import { causeOf } from '../../ts/protocol/cause.js'
import { protocolErrors } from '../../ts/protocol/errors.js'
import { isFileRegion } from '../../ts/protocol/file-region.js'
import { zeroUuid } from '../../ts/protocol/uuid.js'
import { headerAt } from '../../ts/records/batch-header.js'
import { compressBatch } from './compress.js'
import { batchOf, contextFor, TestBroker, temporaryDirectory, valuesOf } from './harness.js'

const code = (name: keyof typeof protocolErrors) => protocolErrors[name].code
/** Sets bits of the lower attributes byte. */
const attributes = (bits: number) => (batch: Buffer) => {
  batch[headerAt.attributes + 1] |= bits
  return batch
}
const int32 = (value: number, at: number) => (batch: Buffer) => {
  batch.writeInt32BE(value, at)
  return batch
}
const crc32c = (bytes: Uint8Array) => openEngine().crc32c(bytes)
/** What a broken client sends: the batch is whole by its checksum. */
const checksummed = (batch: Buffer) => {
  batch.writeUInt32BE(crc32c(batch.subarray(headerAt.attributes)) >>> 0, headerAt.crc)
  return batch
}
const cut = (batch: Buffer) => int32(batch.length - 14, headerAt.batchLength)(batch).subarray(0, -2)
const longer = (batch: Buffer) =>
  int32(batch.length - 11, headerAt.batchLength)(Buffer.concat([batch, Buffer.from([0])]))
/** As it comes from a socket: spread over pieces that end anywhere. */
const pieces = (batch: Buffer, size: number) =>
  Array.from({ length: Math.ceil(batch.length / size) }, (_, i) => batch.subarray(i * size, (i + 1) * size))

describe('produce and fetch', () => {
  it('gives back what was written, by name and by id, after a close too', async () => {
    const path = temporaryDirectory()
    const first = await TestBroker.open(path)
    const { topicId } = await first.createTopic('orders', 2)
    for (const acks of [0, 1, -1]) {
      const written = await first.produce('orders', batchOf([`a${acks}`, `b${acks}`]), { partition: 1, acks })
      expect(written).toMatchObject({
        index: 1,
        errorCode: 0,
        logAppendTimeMs: -1n,
        logStartOffset: 0n,
        errorMessage: null,
      })
    }
    expect(await first.produce('', batchOf(['by id']), { partition: 1, topicId })).toMatchObject({ baseOffset: 6n })
    await first.broker.close()

    const second = await TestBroker.open(path)
    const fetched = await second.fetch('', 0, { partition: 1, topicId })
    expect(valuesOf(fetched.records)).toEqual(['a0', 'b0', 'a1', 'b1', 'a-1', 'b-1', 'by id'])
    expect(fetched).toMatchObject({
      partitionIndex: 1,
      errorCode: 0,
      highWatermark: 7n,
      lastStableOffset: 7n,
      logStartOffset: 0n,
    })
    expect(valuesOf((await second.fetch('orders', 0, { partition: 0 })).records)).toEqual([])
  })

  it('answers without a promise once the partition is open and its pages are hot', async () => {
    const { broker, ...test } = await openWithTopic()
    const request = test.it.produceRequest('t', batchOf(['warm']))
    const context = contextFor(apiKey.produce)
    // The window is made ready by another thread, which may be late on a busy machine.
    let synchronous = false
    for (let i = 0; i < 5000 && !synchronous; i++) {
      const response = broker.handle(apiKey.produce, request, context)
      synchronous = !(response instanceof Promise)
      await response
      await turn()
    }
    expect(synchronous).toBe(true)
    const fetched = broker.handle(apiKey.fetch, test.it.fetchRequest('t', 0), contextFor(apiKey.fetch))
    expect(fetched).not.toBeInstanceOf(Promise)
  })

  it('refuses acks -1 where one node cannot be enough replicas', async () => {
    const { it: test, broker } = await openWithTopic({ 'min.insync.replicas': '2' })
    const refused = await broker.handle(
      apiKey.produce,
      { ...test.produceRequest('t', batchOf(['a'])), acks: -1 },
      contextFor(apiKey.produce),
    )
    expect(refused.responses[0].partitionResponses[0].errorCode).toBe(code('NOT_ENOUGH_REPLICAS'))
  })

  it('refuses records without a key on compacted topics, from this process too', async () => {
    const { it: test } = await openWithTopic({ 'cleanup.policy': 'compact' })
    expect((await test.produce('t', batchOf(['a']))).errorCode).toBe(code('INVALID_RECORD'))
    expect((await test.listOffset('t', -1n)).offset).toBe(0n)
  })

  it('keeps the order of requests made before the partition was open', async () => {
    const { it: test } = await openWithTopic()
    const answers = await Promise.all(['a', 'b', 'c', 'd'].map((value) => test.produce('t', batchOf([value]))))
    expect(answers.map(({ baseOffset }) => baseOffset)).toEqual([0n, 1n, 2n, 3n])
    expect(valuesOf((await test.fetch('t', 0)).records)).toEqual(['a', 'b', 'c', 'd'])
  })

  it('begins at the batch that holds the offset and ends near maxBytes, never before the first batch', async () => {
    const { it: test } = await openWithTopic()
    for (let i = 0; i < 5; i++) await test.produce('t', batchOf([`${i}a`, `${i}b`]))
    expect(valuesOf((await test.fetch('t', 3, { maxBytes: 1 })).records)).toEqual(['1a', '1b'])
    expect(valuesOf((await test.fetch('t', 8)).records)).toEqual(['4a', '4b'])
    expect(valuesOf((await test.fetch('t', 10)).records)).toEqual([])
  })

  it('says which offsets there are when asked for others', async () => {
    const { it: test } = await openWithTopic()
    await test.produce('t', batchOf(['x']))
    const part = await test.fetch('t', 2)
    expect(part.errorCode).toBe(code('OFFSET_OUT_OF_RANGE'))
    expect(causeOf(part)).toMatchObject({ code: 'OFFSET_OUT_OF_RANGE', topic: 't', partition: 0, offset: 2n })
    expect(causeOf(part)?.message).toContain('0 to 1')
  })

  it('tells unknown topics, ids and partitions apart', async () => {
    const { it: test } = await openWithTopic()
    const cases = [
      [await test.produce('nope', batchOf(['x'])), 'UNKNOWN_TOPIC_OR_PARTITION'],
      [await test.produce('t', batchOf(['x']), { partition: 7 }), 'UNKNOWN_TOPIC_OR_PARTITION'],
      [await test.produce('t', batchOf(['x']), { partition: -1 }), 'UNKNOWN_TOPIC_OR_PARTITION'],
      [await test.produce('t', batchOf(['x']), { topicId: 'ABEiM0RVZneImaq7zN3u_w' }), 'UNKNOWN_TOPIC_ID'],
      [await test.fetch('nope', 0), 'UNKNOWN_TOPIC_OR_PARTITION'],
      [await test.produce('t', batchOf(['x']), { acks: 2 }), 'INVALID_REQUIRED_ACKS'],
      [await test.produce('t', null), 'INVALID_RECORD'],
    ] as const
    for (const [part, name] of cases) {
      expect(part.errorCode).toBe(code(name))
      expect(causeOf(part)?.code).toBe(name)
    }
  })

  it('answers a partition that is named again once', async () => {
    const test = await TestBroker.open('memory:')
    await test.createTopic('t', 2)
    for (const partition of [0, 1]) await test.produce('t', batchOf(['x']), { partition })
    const one = test.fetchRequest('t', 0)
    const [topic] = one.topics
    const partitions = [1, 0, 1, 1].map((partition) => ({ ...topic.partitions[0], partition }))
    const { responses } = await test.broker.handle(
      apiKey.fetch,
      { ...one, topics: [topic, { ...topic, partitions }, { ...topic, topic: 'no', partitions }] },
      contextFor(apiKey.fetch),
    )
    const answers = responses.map((answer) => answer.partitions.map(({ partitionIndex }) => partitionIndex))
    expect(answers).toEqual([
      [0, 1],
      [1, 0],
    ])
    expect(valuesOf(responses[0].partitions[1].records)).toEqual(['x'])
  })

  it('compares leader epochs and finds where histories part', async () => {
    const { it: test } = await openWithTopic()
    await test.produce('t', batchOf(['x', 'y']))
    const { leaderEpoch } = await test.listOffset('t', -1n)
    expect((await test.fetch('t', 0, { currentLeaderEpoch: leaderEpoch })).errorCode).toBe(0)
    expect((await test.fetch('t', 0, { currentLeaderEpoch: leaderEpoch + 1 })).errorCode).toBe(
      code('UNKNOWN_LEADER_EPOCH'),
    )
    const parted = await test.fetch('t', 5, { lastFetchedEpoch: leaderEpoch, maxWaitMs: 60_000 })
    expect(parted).toMatchObject({ errorCode: 0, divergingEpoch: { epoch: leaderEpoch, endOffset: 2n } })
  })

  it('refuses a batch above max.message.bytes, naming place and size', async () => {
    const { it: test } = await openWithTopic({ 'max.message.bytes': '200' })
    for (const trusted of [true, false]) {
      const part = await test.produce('t', batchOf(['x'.repeat(300)], { crc32c }), {}, { trusted })
      expect(part.errorCode).toBe(code('MESSAGE_TOO_LARGE'))
      expect(causeOf(part)).toMatchObject({ code: 'MESSAGE_TOO_LARGE', topic: 't', partition: 0, retriable: false })
      expect(causeOf(part)?.message).toMatch(/t-0.*3\d\d.*200/)
    }
    expect((await test.produce('t', batchOf(['small']))).errorCode).toBe(0)
  })

  it('stamps the append time where the topic says so', async () => {
    const path = temporaryDirectory()
    const test = await TestBroker.open(path, { clock: () => 1_700_000_000_000 })
    await test.createTopic('t', 1, { 'message.timestamp.type': 'LogAppendTime' })
    expect(await test.produce('t', batchOf(['x'], {}, 5))).toMatchObject({
      errorCode: 0,
      logAppendTimeMs: 1_700_000_000_000n,
    })
    expect(await test.listOffset('t', 1_600_000_000_000n)).toMatchObject({ offset: 0n, timestamp: 1_700_000_000_000n })
  })

  it('bounds timestamps', async () => {
    const now = 1_700_000_000_000
    const test = await TestBroker.open(temporaryDirectory(), { clock: () => now })
    await test.createTopic('t', 1, { 'message.timestamp.before.max.ms': '1000' })
    for (const trusted of [true, false]) {
      const send = (at: number) => test.produce('t', batchOf(['x'], { crc32c }, at), {}, { trusted })
      expect((await send(now + 3_600_001)).errorCode).toBe(code('INVALID_TIMESTAMP'))
      expect((await send(now - 1001)).errorCode).toBe(code('INVALID_TIMESTAMP'))
      expect((await send(now + 3_600_000)).errorCode).toBe(0)
      expect((await send(now - 1000)).errorCode).toBe(0)
    }
  })

  it('stores a retried idempotent batch once and refuses gaps', async () => {
    const { it: test } = await openWithTopic()
    const { producerId } = await test.ask(apiKey.initProducerId, { transactionalId: null })
    const batch = (baseSequence: number) =>
      batchOf(['a', 'b'], { producerId: Number(producerId), producerEpoch: 0, baseSequence })
    expect(await test.produce('t', batch(0))).toMatchObject({ errorCode: 0, baseOffset: 0n })
    expect(await test.produce('t', batch(2))).toMatchObject({ errorCode: 0, baseOffset: 2n })
    expect(await test.produce('t', batch(0))).toMatchObject({ errorCode: 0, baseOffset: 0n })
    const gap = await test.produce('t', batch(6))
    expect(gap.errorCode).toBe(code('OUT_OF_ORDER_SEQUENCE_NUMBER'))
    expect((await test.listOffset('t', -1n)).offset).toBe(4n)
  })

  it('ends fetch sessions it does not have, and answers full fetches', async () => {
    const { it: test, broker } = await openWithTopic()
    const request = { ...test.fetchRequest('t', 0), sessionId: 7, sessionEpoch: 1 }
    const response = await broker.handle(apiKey.fetch, request, contextFor(apiKey.fetch))
    expect(response).toMatchObject({ errorCode: code('FETCH_SESSION_ID_NOT_FOUND'), responses: [] })
  })
})

describe('batches from other processes', () => {
  const outside = { trusted: false }

  it('are taken with every codec and read back', async () => {
    const { it: test } = await openWithTopic()
    const plain = batchOf(['one', 'two'], { crc32c })
    const batches = [
      plain,
      ...(await Promise.all(['gzip', 'snappy', 'lz4', 'zstd'].map((codec) => compressBatch(plain, codec, crc32c)))),
    ]
    for (const batch of batches) expect(await test.produce('t', batch, {}, outside)).toMatchObject({ errorCode: 0 })
    expect(valuesOf((await test.fetch('t', 0)).records)).toEqual(batches.flatMap(() => ['one', 'two']))
  })

  it('keep their order when some must be decompressed first', async () => {
    const { it: test } = await openWithTopic()
    await test.produce('t', batchOf(['0']))
    const large = await compressBatch(batchOf(['large', 'x'.repeat(900_000)], { crc32c }), 'gzip', crc32c)
    const answers = await Promise.all(
      [large, batchOf(['small'], { crc32c })].map((batch) => test.produce('t', batch, {}, outside)),
    )
    expect(answers.map(({ baseOffset }) => baseOffset)).toEqual([1n, 3n])
  })

  const damages: [string, (batch: Buffer) => Buffer, keyof typeof protocolErrors][] = [
    ['a flipped byte', (batch) => batch.fill(0xff, batch.length - 3, batch.length - 2), 'CORRUPT_MESSAGE'],
    ['another format', (batch) => batch.fill(1, headerAt.magic, headerAt.magic + 1), 'INVALID_RECORD'],
    ['two batches', (batch) => Buffer.concat([batch, batch]), 'INVALID_RECORD'],
    ['a base offset', int32(5, 4), 'INVALID_RECORD'],
    ['a wrong record count', int32(9, headerAt.recordCount), 'INVALID_RECORD'],
    ['a control batch', attributes(0x20), 'INVALID_RECORD'],
    ['a transaction', attributes(0x10), 'INVALID_TXN_STATE'],
    ['an unknown codec', attributes(7), 'UNSUPPORTED_COMPRESSION_TYPE'],
    [
      'a producer without sequence',
      (batch) => batch.fill(0, headerAt.producerId, headerAt.producerId + 8),
      'INVALID_RECORD',
    ],
    ['a length beyond its end', int32(4000, headerAt.batchLength), 'CORRUPT_MESSAGE'],
    ['a cut header', (batch) => batch.subarray(0, 30), 'CORRUPT_MESSAGE'],
    [
      'a cut record',
      (batch) => int32(batch.length - 14, headerAt.batchLength)(batch).subarray(0, -2),
      'CORRUPT_MESSAGE',
    ],
    ['a cut record, checksummed', (batch) => checksummed(cut(batch)), 'INVALID_RECORD'],
    ['a lying record length', (batch) => checksummed(batch.fill(0x7e, 61, 62)), 'INVALID_RECORD'],
    ['an offset delta out of order', (batch) => checksummed(batch.fill(2, 64, 65)), 'INVALID_RECORD'],
    ['bytes behind the last record', (batch) => checksummed(longer(batch)), 'INVALID_RECORD'],
  ]
  for (const [what, damage, expected] of damages) {
    it(`with ${what} are refused`, async () => {
      const { it: test } = await openWithTopic()
      const batch = batchOf(['one', 'two'], { crc32c })
      const part = await test.produce('t', damage(batch), {}, outside)
      expect(causeOf(part)?.message).toContain('t-0')
      expect(part.errorCode).toBe(code(expected))
      expect((await test.listOffset('t', -1n)).offset).toBe(0n)
    })
  }

  it('are taken in pieces, small and large', async () => {
    const { it: test } = await openWithTopic()
    const large = 'v'.repeat(300_000)
    for (const [batch, size] of [
      [batchOf(['a', 'b'], { crc32c }), 7],
      [batchOf([large], { crc32c }), 65_536],
      [await compressBatch(batchOf(['c', 'd'], { crc32c }), 'gzip', crc32c), 30],
    ] as const) {
      expect((await test.produce('t', pieces(batch, size), {}, outside)).errorCode).toBe(0)
    }
    const spoilt = batchOf([large], { crc32c })
    spoilt[200_000] ^= 1
    expect((await test.produce('t', pieces(spoilt, 65_536), {}, outside)).errorCode).toBe(code('CORRUPT_MESSAGE'))
    expect(valuesOf((await test.fetch('t', 0, { maxBytes: 1000 })).records)).toEqual(['a', 'b'])
    expect(valuesOf((await test.fetch('t', 2, { maxBytes: 1000 })).records)[0] === large).toBe(true)
    expect(valuesOf((await test.fetch('t', 3)).records)).toEqual(['c', 'd'])
  })

  it('are refused for their time, with and without pieces, large or small', async () => {
    const { it: test } = await openWithTopic({ 'message.timestamp.before.max.ms': '1000' })
    const now = Date.now()
    for (const [timestamp, value] of [
      [now + 3_700_000, 'x'],
      [now - 60_000, 'x'],
      [now + 3_700_000, 'v'.repeat(300_000)],
    ] as const) {
      const batch = batchOf([value], { crc32c }, timestamp)
      expect((await test.produce('t', batch, {}, outside)).errorCode).toBe(code('INVALID_TIMESTAMP'))
      expect((await test.produce('t', pieces(batch, 1000), {}, outside)).errorCode).toBe(code('INVALID_TIMESTAMP'))
    }
    expect((await test.produce('t', batchOf(['x'], { crc32c }, now), {}, outside)).errorCode).toBe(0)
  })

  it('have a wrong max timestamp corrected, if their checksum is right', async () => {
    const { it: test } = await openWithTopic()
    const batch = batchOf(['x'], { crc32c }, 1000)
    batch.writeInt32BE(2_000_000, headerAt.maxTimestamp + 4)
    expect((await test.produce('t', batch, {}, outside)).errorCode).toBe(code('CORRUPT_MESSAGE'))
    batch.writeUInt32BE(crc32c(batch.subarray(headerAt.attributes)) >>> 0, headerAt.crc)
    expect((await test.produce('t', batch, {}, outside)).errorCode).toBe(0)
    expect(await test.listOffset('t', -3n)).toMatchObject({ offset: 0n, timestamp: 1000n })
  })

  it('need keys on compacted topics, and Produce 7 for zstd', async () => {
    const { it: test } = await openWithTopic({ 'cleanup.policy': 'compact' })
    const keyless = await test.produce('t', batchOf([{ key: 'k', value: 'v' }, 'x'], { crc32c }), {}, outside)
    expect(keyless.errorCode).toBe(code('INVALID_RECORD'))
    const zstd = await compressBatch(batchOf([{ key: 'k', value: 'v' }], { crc32c }), 'zstd', crc32c)
    const old = await test.produce('t', zstd, {}, { ...outside, apiVersion: 6 })
    expect(old.errorCode).toBe(code('UNSUPPORTED_COMPRESSION_TYPE'))
    expect((await test.produce('t', zstd, {}, outside)).errorCode).toBe(0)
  })
})

describe('a fetch that takes regions', () => {
  it('is answered with bytes where they are few and with a place in the file where they are many', async () => {
    const { it: test } = await openWithTopic()
    const value = 'v'.repeat(90_000)
    for (let i = 0; i < 3; i++) await test.produce('t', batchOf([value]))
    const few = await test.fetch('t', 0, { maxBytes: 1000 }, { regions: true })
    expect(valuesOf(few.records)).toEqual([value])
    const { records } = await test.fetch('t', 0, {}, { regions: true })
    if (records === null || !isFileRegion(records)) throw new Error('bytes in memory')
    const bytes = Buffer.from(await records.read(0, records.length))
    expect(valuesOf(bytes)).toEqual([value, value, value])
    records.release()
    expect(isFileRegion((await test.fetch('t', 0)).records!)).toBe(false)
  })

  it('holds no more in memory than it may, over all its partitions', async () => {
    const { it: test } = await openWithTopic()
    await test.createTopic('many', 5)
    const value = 'v'.repeat(10_000)
    for (let partition = 0; partition < 5; partition++) await test.produce('many', batchOf([value]), { partition })
    const [{ topic, topicId, partitions }] = test.fetchRequest('many', 0).topics
    const all = [0, 1, 2, 3, 4].map((partition) => ({ ...partitions[0], partition }))
    const context = { regions: true, copiedBytes: 25_000 }
    const request = { ...test.fetchRequest('many', 0), topics: [{ topic, topicId, partitions: all }] }
    const { responses } = await test.ask(apiKey.fetch, request, context)
    const records = responses[0].partitions.map((part) => part.records!)
    expect(records.map(isFileRegion)).toEqual([false, false, true, true, true])
    for (const one of records) {
      const bytes = isFileRegion(one) ? Buffer.from(await one.read(0, one.length)) : one
      expect(valuesOf(bytes)).toEqual([value])
    }
  })
})

async function openWithTopic(configs: Record<string, string> = {}) {
  const it = await TestBroker.open(temporaryDirectory())
  const created = await it.createTopic('t', 1, configs)
  expect(created.errorCode).toBe(0)
  expect(created.topicId).not.toBe(zeroUuid)
  return { it, broker: it.broker }
}
