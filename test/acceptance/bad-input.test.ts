import { spawnSync } from 'node:child_process'
import { mkdirSync, readdirSync, readFileSync, rmSync, truncateSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, onTestFinished, test } from 'vitest'
import { verifyDirectory } from '../../ts/cli/log-verify.js'
import { open, type SeglogLog } from '../../ts/index.js'
import { seglog, temporaryFolder } from '../cli/run-cli.js'
import { rejection } from '../client/rejection.js'
import * as engineLevel from '../log/workspace.js'
import { batch } from '../native/batches.js'
import { Bystander, Child, flipByte, logFile, openLog, refused, sendDurably, valuesOf } from './setup.js'

describe('topics', () => {
  test.each([
    ['empty', '', /must not be empty/],
    ['of 300 characters', 'x'.repeat(300), /249 characters/],
    ['.', '.', /choose another name/],
    ['..', '..', /choose another name/],
    ['with a slash', '../t', /letters, digits/],
  ])('a name that is %s', async (_, topic, says) => {
    const log = await openLog()
    const bystander = await Bystander.in(log)
    await refused(log.admin().createTopic({ topic }), 'INVALID_TOPIC_EXCEPTION', says)
    const sent = await rejection(log.producer().send({ topic, messages: ['v'] }))
    expect(sent).toMatchObject({
      name: 'SeglogError',
      code: topic === '' ? 'INVALID_OPTION' : 'INVALID_TOPIC_EXCEPTION',
    })
    const subscribed = await rejection(log.consumer().subscribe([topic]))
    expect(subscribed).toMatchObject({ code: sent.code })
    expect(await log.admin().listTopics()).toEqual(['bystander'])
    await bystander.goesOn()
  })

  test.each([-1, -7, 0])('%d partitions', async (partitions) => {
    const log = await openLog()
    const bystander = await Bystander.in(log)
    await refused(
      log.admin().createTopic({ topic: 't', partitions }),
      'INVALID_PARTITIONS',
      /1 to 100000|broker's default/,
    )
    await refused(log.admin().createPartitions({ topic: 'bystander', count: partitions }), 'INVALID_PARTITIONS')
    expect(await log.admin().listTopics()).toEqual(['bystander'])
    await bystander.goesOn()
  })

  test('an unknown config names the nearest key', async () => {
    const log = await openLog()
    const bystander = await Bystander.in(log)
    const config = { 'retention.mss': 1 }
    const error = await refused(
      log.admin().createTopic({ topic: 't', config }),
      'UNKNOWN_CONFIG',
      /mean retention\.ms\?/,
    )
    expect(error.key).toBe('retention.mss')
    const set = { 'segment.byte': 1048576, 'retention.ms': 1 }
    await refused(log.admin().alterConfigs({ topic: 'bystander', set }), 'UNKNOWN_CONFIG', /mean segment\.bytes\?/)
    const configs = await log.admin().describeConfigs({ topic: 'bystander' })
    expect(configs['retention.ms'].isDefault, 'all or nothing').toBe(true)
    await refused(
      open('memory:', { config: { 'log.segment.byte': 1 } }),
      'UNKNOWN_CONFIG',
      /mean log\.segment\.bytes\?/,
    )
    await bystander.goesOn()
  })
})

describe('records', () => {
  test('above max.message.bytes: refused, the others of the same send are kept and reported', async () => {
    const log = await openLog()
    await log.admin().createTopic({ topic: 't', partitions: 2, config: { 'max.message.bytes': 1000 } })
    const bystander = await Bystander.in(log)
    const messages = [
      { value: Buffer.alloc(2000), partition: 0 },
      { value: 'kept', partition: 1 },
    ]
    const sent = log.producer().send({ topic: 't', messages })
    const error = await refused(sent, 'MESSAGE_TOO_LARGE', /max\.message\.bytes \(1000\)/, /raise it/)
    expect(error.results).toContainEqual(expect.objectContaining({ partition: 1, baseOffset: 0n }))
    expect(await valuesOf(log, 't', 0)).toEqual([])
    expect(await valuesOf(log, 't', 1)).toEqual(['kept'])
    expect(await sendDurably(log, 't', 'small', 0), 'no offset was spent').toBe(0n)
    await bystander.goesOn()
  })

  test('a batch above segment.bytes', async () => {
    const log = await openLog()
    const config = { 'segment.bytes': 1048576, 'max.message.bytes': 8388608 }
    await log.admin().createTopic({ topic: 't', config })
    const bystander = await Bystander.in(log)
    await sendDurably(log, 't', 'before')
    const sent = sendDurably(log, 't', Buffer.alloc(2 << 20))
    await refused(sent, 'BATCH_TOO_LARGE', /segment\.bytes \(1048576\)/, /send less at once or raise it/)
    expect(await sendDurably(log, 't', 'after')).toBe(1n)
    expect(await valuesOf(log, 't')).toEqual(['before', 'after'])
    await bystander.goesOn()
  })

  test('timestamps that go backwards are kept, and found', async () => {
    const log = await openLog()
    await log.admin().createTopic({ topic: 't', config: { 'index.interval.bytes': 100 } })
    const times = [5000, 4000, 3000, 9000, 1000, 9000, 2000]
    for (const timestamp of times) {
      await log.producer().send({ topic: 't', messages: [{ value: `at ${timestamp} ${'x'.repeat(200)}`, timestamp }] })
    }
    const search = async (admin: SeglogLog, timestamp: number | 'max') => {
      const [found] = await admin.admin().listOffsets({ topic: 't', timestamp })
      return found.offset
    }
    const check = async (one: SeglogLog) => {
      for (const wanted of [0, 4000, 5000, 5001, 9000]) {
        const first = times.findIndex((time) => time >= wanted)
        expect(await search(one, wanted), `at or after ${wanted}`).toBe(BigInt(first))
      }
      expect(await search(one, 9001)).toBe(null)
      expect(await search(one, 'max')).toBe(3n)
    }
    await check(log)
    await log.close()
    expect((await verifyDirectory(log.path)).faults).toEqual([])
    await check(await openLog(log.path))
  })

  test('a timestamp that is none, or too far from now where the topic minds', async () => {
    const log = await openLog()
    const config = { 'message.timestamp.before.max.ms': 1000 }
    await log.admin().createTopic({ topic: 't', config })
    const send = (timestamp: number) => log.producer().send({ topic: 't', messages: [{ value: 'v', timestamp }] })
    await refused(send(-5), 'INVALID_ARGUMENT', /whole milliseconds/)
    await refused(send(1.5), 'INVALID_ARGUMENT', /whole milliseconds/)
    await refused(send(1_000_000), 'INVALID_TIMESTAMP', /message\.timestamp\.before\.max\.ms/)
    await send(Date.now())
    expect(await valuesOf(log, 't')).toEqual(['v'])
  })

  test('a relative offset that would overflow begins a segment', async () => {
    const path = temporaryFolder()
    const directory = await engineLevel.openDirectory(path)
    const log = await engineLevel.openLog(directory)
    await engineLevel.append(log, batch())
    const far = 2 ** 31
    for (const baseOffset of [far - 1, far, far + 1]) {
      await log.append(batch({ baseOffset }), { crc: 'compute', keepOffsets: true })
    }
    expect(log.segments.map(({ baseOffset }) => baseOffset)).toEqual([0, far])
    expect(engineLevel.offsetsOf(await engineLevel.readAll(log))).toEqual([0, far - 1, far, far + 1])
    await directory.close()
    const again = await engineLevel.openLog(await engineLevel.openDirectory(path))
    expect(engineLevel.offsetsOf(await engineLevel.readAll(again))).toEqual([0, far - 1, far, far + 1])
    expect(await engineLevel.append(again, batch())).toMatchObject({ baseOffset: far + 2 })
  })
})

describe('offsets', () => {
  test('out of range', async () => {
    const log = await openLog()
    const bystander = await Bystander.in(log)
    for (const value of ['a', 'b', 'c']) await sendDurably(log, 't', value)
    await log.admin().deleteRecords({ topic: 't', partitions: [{ partition: 0, offset: 1n }] })
    for (const offset of [0n, 99n]) {
      const consumer = log.consumer()
      await consumer.assign([{ topic: 't', partition: 0, offset }])
      const error = await refused(consumer[Symbol.asyncIterator]().next(), 'OFFSET_OUT_OF_RANGE', /1 to 3/, /seek/)
      expect(error).toMatchObject({ topic: 't', partition: 0, offset })
      consumer.seek({ topic: 't', partition: 0, offset: 2n })
      expect(String((await consumer[Symbol.asyncIterator]().next()).value?.value)).toBe('c')
    }
    const below = rejection((async () => log.consumer().seek({ topic: 't', partition: 0, offset: -1n }))())
    expect(await below).toMatchObject({ name: 'SeglogError', code: 'INVALID_OPTION' })
    await refused(
      log.admin().deleteRecords({ topic: 't', partitions: [{ partition: 0, offset: 99n }] }),
      'OFFSET_OUT_OF_RANGE',
    )
    await bystander.goesOn()
  })
})

describe('directories', () => {
  test('one that is a file', async () => {
    const file = join(temporaryFolder(), 'file')
    writeFileSync(file, 'mine')
    await refused(open(file), 'NOT_A_DIRECTORY', /name a directory/)
    await refused(open(file, { readOnly: true }), 'NOT_A_DIRECTORY')
    await refused(open(join(file, 'below')), 'NOT_A_DIRECTORY')
    expect(readFileSync(file, 'utf8')).toBe('mine')
  })

  const canMount = process.getuid?.() === 0 && spawnSync('unshare', ['--mount', 'true']).status === 0
  test.skipIf(!canMount)(
    `one on a read-only mount${canMount ? '' : ' (needs root and mount namespaces)'}`,
    async () => {
      const path = temporaryFolder()
      const log = await openLog(path)
      await sendDurably(log, 't', 'v')
      await log.close()
      const mounted = (...command: string[]) => spawnSync(command[0], command.slice(1), { encoding: 'utf8' })
      expect(mounted('mount', '--bind', path, path).stderr).toBe('')
      onTestFinished(() => void mounted('umount', path))
      expect(mounted('mount', '-o', 'remount,ro,bind', path).stderr).toBe('')
      await refused(open(path), 'ACCESS_DENIED', /owner and mode|read-only/)
      await refused(open(join(path, 'new')), 'ACCESS_DENIED')
      const reader = await openLog(path, { readOnly: true })
      expect(await valuesOf(reader, 't')).toEqual(['v'])
    },
  )

  test.skipIf(process.getuid?.() === 0)('one without permission to write (root has every permission)', async () => {
    const path = join(temporaryFolder(), 'mine')
    mkdirSync(path, { mode: 0o500 })
    await refused(open(path), 'ACCESS_DENIED', /owner and mode/)
  })

  test('one in use, by this process and by another', async () => {
    const path = temporaryFolder()
    const holder = new Child(
      `const log = await open(data)
       await log.producer().send({ topic: 't', messages: ['v'] })
       console.log('holding')
       process.stdin.once('end', () => log.close()).resume()`,
      path,
    )
    await holder.says('holding')
    await refused(open(path), 'DIRECTORY_IN_USE', new RegExp(`process ${holder.process.pid}\\b`), /readOnly/)
    const reader = await openLog(path, { readOnly: true })
    expect(await valuesOf(reader, 't')).toEqual(['v'])
    holder.process.stdin?.end()
    await holder.result()
    const log = await openLog(path)
    await refused(open(path), 'DIRECTORY_IN_USE', new RegExp(`process ${process.pid}\\b`))
    readFileSync(join(path, '.lock'))
    await refused(open(path), 'DIRECTORY_IN_USE')
    expect(await valuesOf(log, 't'), 'the refused opens changed nothing').toEqual(['v'])
    await sendDurably(log, 't', 'w')
  })

  test('a read-only open that writes', async () => {
    const path = temporaryFolder()
    const writer = await openLog(path)
    const bystander = await Bystander.in(writer)
    await sendDurably(writer, 't', 'v')
    const log = await openLog(path, { readOnly: true })
    const admin = log.admin()
    const writes: Record<string, () => Promise<unknown>> = {
      send: () => log.producer().send({ topic: 't', messages: ['w'] }),
      'send, acks 0': () => log.producer({ acks: 0 }).send({ topic: 't', messages: ['w'] }),
      createTopic: () => admin.createTopic({ topic: 'u' }),
      deleteTopic: () => admin.deleteTopic({ topic: 't' }),
      createPartitions: () => admin.createPartitions({ topic: 't', count: 3 }),
      alterConfigs: () => admin.alterConfigs({ topic: 't', set: { 'retention.ms': 1 } }),
      deleteRecords: () => admin.deleteRecords({ topic: 't', partitions: [{ partition: 0, offset: 1n }] }),
    }
    for (const [name, write] of Object.entries(writes)) {
      const error = await rejection(write())
      expect(error, name).toMatchObject({ name: 'SeglogError', code: 'READ_ONLY' })
      expect(error.message, name).toMatch(/without readOnly/)
    }
    expect(await valuesOf(log, 't')).toEqual(['v'])
    await bystander.goesOn()
  })
})

describe('files', () => {
  /** A directory closed cleanly, with 50 records of 2,000 bytes in t-0. */
  async function closedLog(): Promise<{ path: string; values: string[] }> {
    const log = await openLog()
    await log.admin().createTopic({ topic: 't' })
    await Bystander.in(log)
    const values = Array.from({ length: 50 }, (_, n) => `${n} ${'x'.repeat(2000)}`)
    for (const value of values) await log.producer({ acks: 1 }).send({ topic: 't', messages: [value] })
    await log.close()
    return { path: log.path, values }
  }

  test('a damaged batch of a closed segment stops its readers there, and nobody else', async () => {
    const { path, values } = await closedLog()
    flipByte(logFile(path, 't-0'), 50_000)
    const log = await openLog(path)
    const consumer = log.consumer({ from: 'earliest' })
    await consumer.subscribe(['t'])
    const read: string[] = []
    const reading = (async () => {
      for await (const { value } of consumer) read.push(String(value))
    })()
    const error = await refused(reading, 'CORRUPT_BATCH', /t-0/, /log verify/, /seek/)
    expect(read.length).toBeGreaterThan(10)
    expect(read).toEqual(values.slice(0, read.length))
    expect(error).toMatchObject({ topic: 't', partition: 0, offset: BigInt(read.length) })
    const behind = log.consumer()
    await behind.assign([{ topic: 't', partition: 0, offset: BigInt(read.length + 1) }])
    expect(String((await behind[Symbol.asyncIterator]().next()).value?.value)).toBe(values[read.length + 1])
    await sendDurably(log, 'bystander', 'more')
    expect(await valuesOf(log, 'bystander')).toEqual(['record 0', 'more'])
  })

  test.each([
    ['within a batch', (bytes: Buffer) => bytes.length - 100, 49],
    ['between two batches', (bytes: Buffer) => lastBatchAt(bytes), 49],
    ['to nothing', () => 0, 0],
  ])('a segment truncated %s', async (_, truncated, left) => {
    const { path, values } = await closedLog()
    const file = logFile(path, 't-0')
    const before = readFileSync(file)
    const size = truncated(before)
    truncateSync(file, size)
    for (const attempt of ['first', 'second']) {
      const log = await openLog(path)
      const error = await refused(sendDurably(log, 't', 'more'), 'CORRUPT_LOG', /t-0/, /log verify/, /--repair/)
      expect(error, attempt).toMatchObject({ topic: 't', partition: 0, offset: BigInt(left) })
      await sendDurably(log, 'bystander', attempt)
      await log.close()
    }
    expect(readFileSync(file), 'nothing is cut').toEqual(before.subarray(0, size))
    expect((await seglog(['log', 'verify', path])).code).toBe(1)
    expect((await seglog(['log', 'verify', path, '--repair'])).code).toBe(0)
    const repaired = await openLog(path)
    expect(await valuesOf(repaired, 't')).toEqual(values.slice(0, left))
    expect(await sendDurably(repaired, 't', 'more')).toBe(BigInt(left))
    // Raised by the repair, and by the start behind it, which is not a clean one.
    expect((await repaired.admin().listOffsets({ topic: 't', timestamp: 'max' }))[0].leaderEpoch).toBe(2)
    expect(await valuesOf(repaired, 'bystander')).toEqual(['record 0', 'first', 'second'])
  })

  test.each([
    ['a segment', (path: string) => rmSync(logFile(path, 't-0'))],
    ['a partition', (path: string) => rmSync(join(path, 't-0'), { recursive: true })],
  ])('%s that is gone', async (_, remove) => {
    const { path } = await closedLog()
    remove(path)
    const log = await openLog(path)
    await refused(sendDurably(log, 't', 'more'), 'CORRUPT_LOG', /t-0/, /--repair/)
    await sendDurably(log, 'bystander', 'more')
    await log.close()
    const reader = await openLog(path, { readOnly: true })
    await refused(valuesOf(reader, 't'), 'CORRUPT_LOG')
    expect((await seglog(['log', 'verify', path])).code).toBe(1)
    expect((await seglog(['log', 'verify', path, '--repair'])).code).toBe(0)
    const repaired = await openLog(path)
    expect(await sendDurably(repaired, 't', 'more')).toBe(0n)
    expect((await repaired.admin().listOffsets({ topic: 't', timestamp: 'max' }))[0].leaderEpoch).toBeGreaterThan(0)
  })

  test.each(['.index', '.timeindex'])('an %s that lies costs time, not records', async (suffix) => {
    const { path, values } = await closedLog()
    const file = logFile(path, 't-0').replace('.log', suffix)
    const bytes = readFileSync(file)
    expect(bytes.length).toBeGreaterThan(0)
    // Every entry points one byte, or one record, away from the truth.
    const entryBytes = suffix === '.index' ? 8 : 12
    for (let at = entryBytes - 4; at < bytes.length; at += entryBytes) bytes.writeInt32BE(bytes.readInt32BE(at) + 1, at)
    writeFileSync(file, bytes)
    const log = await openLog(path)
    for (const offset of [0, 1, 17, 48, 49]) {
      const consumer = log.consumer()
      await consumer.assign([{ topic: 't', partition: 0, offset }])
      const { value } = await consumer[Symbol.asyncIterator]().next()
      expect([value?.offset, String(value?.value)]).toEqual([BigInt(offset), values[offset]])
      const [found] = await log.admin().listOffsets({ topic: 't', timestamp: value?.timestamp ?? 0 })
      expect(found.timestamp).toBe(value?.timestamp)
    }
    expect(await valuesOf(log, 't')).toEqual(values)
    expect(await sendDurably(log, 't', 'more')).toBe(50n)
  })

  test('topics that cannot be read', async () => {
    const { path } = await closedLog()
    const file = join(path, 'seglog.json')
    const before = readFileSync(file)
    writeFileSync(file, before.subarray(0, before.length / 2))
    await refused(open(path), 'CORRUPT_METADATA', /seglog\.json/)
    expect(readdirSync(path)).toContain('t-0')
    writeFileSync(file, before)
    expect(await (await openLog(path)).admin().listTopics()).toEqual(['bystander', 't'])
  })
})

/** Where the last batch of a segment begins. */
function lastBatchAt(segment: Buffer): number {
  let at = 0
  for (let next = 0; next < segment.length; next += 12 + segment.readInt32BE(next + 8)) at = next
  return at
}

test('a descriptor limit: what does not fit is refused, what was acknowledged stays, and a clean close works', async () => {
  const path = temporaryFolder()
  const child = new Child(
    `const log = await open(data)
     await log.admin().createTopic({ topic: 't', partitions: 200 })
     const acknowledged = []
     const errors = []
     const producer = log.producer()
     for (let partition = 0; partition < 200; partition++) {
       try {
         await producer.send({ topic: 't', messages: [{ value: 'v' + partition, partition }] })
         acknowledged.push(partition)
       } catch ({ name, code, message, retriable }) {
         errors.push({ name, code, message, retriable })
       }
     }
     await producer.send({ topic: 't', messages: [{ value: 'again', partition: 0 }] })
     await log.close()
     console.log(JSON.stringify({ acknowledged, errors }))`,
    path,
    { descriptors: 200 },
  )
  const { acknowledged, errors } = JSON.parse(await child.result())
  expect(errors.length).toBeGreaterThan(0)
  for (const error of errors) {
    expect(error).toMatchObject({ name: 'SeglogError', code: 'TOO_MANY_OPEN_FILES', retriable: true })
    expect(error.message).toMatch(/ulimit -n/)
  }
  expect(acknowledged.length).toBeGreaterThan(10)
  const log = await openLog(path)
  expect(await valuesOf(log, 't', 0)).toEqual(['v0', 'again'])
  for (const partition of acknowledged.slice(1)) expect(await valuesOf(log, 't', partition)).toEqual([`v${partition}`])
  expect((await verifyDirectory(path)).faults).toEqual([])
})

test('a closed log refuses everything, and closing it again does nothing', async () => {
  const log = await openLog()
  await sendDurably(log, 't', 'v')
  const admin = log.admin()
  const producer = log.producer()
  const consumer = log.consumer({ from: 'earliest' })
  await consumer.subscribe(['t'])
  await log.close()
  await log.close()
  await refused(producer.send({ topic: 't', messages: ['w'] }), 'CLOSED', /log\.producer\(\)|open it again/)
  await refused(admin.listTopics(), 'CLOSED', /open it again/)
  await refused(consumer[Symbol.asyncIterator]().next(), 'CLOSED', /log\.consumer\(\)|open it again/)
  for (const make of [() => log.admin(), () => log.producer(), () => log.consumer()]) {
    expect(make).toThrow(expect.objectContaining({ name: 'SeglogError', code: 'CLOSED' }))
  }
  expect(await valuesOf(await openLog(log.path), 't')).toEqual(['v'])
})
