import { cpSync, existsSync, readFileSync, statSync } from 'node:fs'
import { join } from 'node:path'
import { afterEach, describe, expect, test } from 'vitest'
import { verifyDirectory } from '../../ts/cli/log-verify.js'
import type { SeglogLog } from '../../ts/index.js'
import { openEngine } from '../../ts/native/open-engine.js'
import { jsonLines, seglog, temporaryFolder } from '../cli/run-cli.js'
import { readAll } from '../client/read-all.js'
import { afterPowerLoss } from '../native/ends-header.js'
import {
  Bystander,
  Child,
  copyOf,
  flipByte,
  listing,
  logFile,
  openLog,
  refused,
  sendDurably,
  valuesOf,
} from './setup.js'

const engine = openEngine()
afterEach(() => engine.injectFaults(null))

const numbered = (count: number, from = 0): string[] => Array.from({ length: count }, (_, n) => `record ${from + n}`)

/** Sends each value for itself and waits until it is on disk. */
async function durable(log: SeglogLog, values: readonly string[]): Promise<void> {
  for (const value of values) await sendDurably(log, 't', value)
}

async function cached(log: SeglogLog, values: readonly string[]): Promise<void> {
  const producer = log.producer({ acks: 1 })
  for (const value of values) await producer.send({ topic: 't', messages: [value] })
}

/** Where each batch of a segment begins. */
function positions(file: string, count: number): number[] {
  const bytes = readFileSync(file)
  const found = [0]
  while (found.length <= count) found.push(found.at(-1)! + 12 + bytes.readInt32BE(found.at(-1)! + 8))
  return found
}

async function epochsOf(log: SeglogLog): Promise<(number | undefined)[]> {
  return (await readAll(log, 't')).map(({ leaderEpoch }) => leaderEpoch)
}

describe('after anything but a kill', () => {
  test('damage below the durable end is reported, and nothing is cut but by an explicit repair', async () => {
    const original = await openLog()
    await Bystander.in(original)
    await durable(original, numbered(20))
    const copy = afterPowerLoss(copyOf(original.path))
    const file = logFile(copy, 't-0')
    const position = positions(file, 20)[5]
    flipByte(file, position + 65)
    const before = readFileSync(file)
    expect((await verifyDirectory(copy)).leftBehind).toBe('scan')

    for (const attempt of ['first', 'second']) {
      const log = await openLog(copy)
      const sent = sendDurably(log, 't', 'more')
      const error = await refused(sent, 'CORRUPT_LOG', /t-0\/0+\.log/, /nothing was cut/, /--repair/)
      expect(error, attempt).toMatchObject({ topic: 't', partition: 0, position, offset: 5n })
      expect(error.path).toContain('t-0/00000000000000000000.log')
      await refused(valuesOf(log, 't'), 'CORRUPT_LOG')
      await sendDurably(log, 'bystander', attempt)
      await log.close()
      expect(readFileSync(file), 'not a byte changed').toEqual(before)
    }

    const verified = await seglog(['log', 'verify', copy])
    expect(verified.code).toBe(1)
    const place = { path: 't-0/00000000000000000000.log', position, offset: 5 }
    expect(jsonLines(verified.stdout)).toContainEqual(expect.objectContaining(place))
    expect(readFileSync(file)).toEqual(before)

    expect(await seglog(['log', 'verify', copy, '--repair'])).toMatchObject({ code: 0 })
    const repaired = await openLog(copy)
    expect(await valuesOf(repaired, 't')).toEqual(numbered(5))
    expect(await sendDurably(repaired, 't', 'more')).toBe(5n)
    expect((await epochsOf(repaired)).at(-1), 'another record 5, another epoch').toBeGreaterThan(0)
    expect(await valuesOf(repaired, 'bystander')).toEqual(['record 0', 'first', 'second'])
  })

  test('a torn tail is cut without a word; offsets that were lost come back under a new epoch', async () => {
    const original = await openLog()
    await durable(original, numbered(10))
    await cached(original, numbered(5, 10))
    const copy = copyOf(original.path)
    flipByte(logFile(copy, 't-0'), positions(logFile(copy, 't-0'), 15)[12] + 65)
    const log = await openLog(copy)
    expect(await valuesOf(log, 't')).toEqual(numbered(12))
    expect(await sendDurably(log, 't', 'instead')).toBe(12n)
    expect(await epochsOf(log)).toEqual([...Array(12).fill(0), 1])
    await log.close()
    expect(await verifyDirectory(copy)).toMatchObject({ faults: [], leftBehind: 'clean' })
  })

  test('every such start raises the epoch, a clean one does not', async () => {
    let path = (await openLog()).path
    const expected: number[] = []
    for (const epoch of [0, 1, 2]) {
      const log = await openLog(epoch === 0 ? temporaryFolder() : path)
      await durable(log, numbered(1, epoch))
      expected.push(epoch)
      path = copyOf(log.path)
    }
    const last = await openLog(path)
    await durable(last, numbered(1, 3))
    await last.close()
    const clean = await openLog(path)
    await durable(clean, numbered(1, 4))
    expect(await epochsOf(clean)).toEqual([...expected, 3, 3])
    expect(await valuesOf(clean, 't')).toEqual(numbered(5))
  })
})

test('a failed flush: the producer hears of it, writes end, reads go on, and the next start trusts nothing', async () => {
  const log = await openLog()
  const bystander = await Bystander.in(log)
  await durable(log, numbered(10))
  engine.injectFaults({ failNth: 1, kinds: ['msync', 'sync'], errno: 'EIO' })
  await refused(sendDurably(log, 't', 'lost or not'), 'IO_ERROR', /open|offline/)
  engine.injectFaults(null)
  await refused(sendDurably(log, 't', 'refused'), 'DIRECTORY_OFFLINE', /check the disk/)
  await refused(bystander.goesOn(), 'DIRECTORY_OFFLINE')
  await refused(log.admin().createTopic({ topic: 'u' }), 'DIRECTORY_OFFLINE')
  expect((await valuesOf(log, 't')).slice(0, 10)).toEqual(numbered(10))
  await log.close().catch(() => {})
  expect(existsSync(join(log.path, '.kafka_cleanshutdown'))).toBe(false)
  expect((await verifyDirectory(log.path)).leftBehind).toBe('scan')

  const again = await openLog(log.path)
  const values = await valuesOf(again, 't')
  expect(values.slice(0, 10)).toEqual(numbered(10))
  expect(values).not.toContain('refused')
  await sendDurably(again, 't', 'more')
  expect((await epochsOf(again)).at(-1)).toBe(1)
  expect(await valuesOf(again, 'bystander')).toEqual(['record 0'])
  await again.close()
  expect((await verifyDirectory(log.path)).faults).toEqual([])
})

test('a directory copied while it is written: a full scan, and all that was on disk before is there', async () => {
  const path = temporaryFolder()
  const writer = new Child(
    `const log = await open(data)
     const producer = log.producer()
     for (let n = 0; ; n++) {
       await producer.send({ topic: 't', messages: ['record ' + n] })
       process.stdout.write(n + '\\n')
     }`,
    path,
  )
  await writer.says('\n50\n')
  for (let copies = 0; copies < 3; copies++) {
    const promised = writer.output.split('\n').length - 1
    // The marks once more behind the logs, when they speak of more than was copied: they must not count.
    const copy = temporaryFolder()
    cpSync(path, copy, { recursive: true })
    await writer.says(`\n${promised + 5}\n`)
    cpSync(join(path, '.ends'), join(copy, '.ends'))
    expect((await verifyDirectory(copy)).leftBehind).toBe('scan')
    const log = await openLog(copy)
    const values = await valuesOf(log, 't')
    expect(values.length).toBeGreaterThanOrEqual(promised)
    expect(values).toEqual(numbered(values.length))
    expect(await sendDurably(log, 't', 'more')).toBe(BigInt(values.length))
    await log.close()
    expect((await verifyDirectory(copy)).faults).toEqual([])
    await writer.says(`\n${promised + 10}\n`)
  }
})

test('kill -9: the end is known, and exact, without reading the log again', async () => {
  const path = temporaryFolder()
  const writer = new Child(
    `const log = await open(data)
     const producer = log.producer({ acks: 1, batchSize: 1024 })
     await producer.send({ topic: 't', messages: Array.from({ length: 5000 }, (_, n) => ('record ' + n).padEnd(1000)) })
     console.log('written')
     setInterval(() => {}, 1000)`,
    path,
  )
  await writer.says('written')
  writer.process.kill('SIGKILL')
  expect((await writer.ended).signal).toBe('SIGKILL')
  // A scan would stop here.
  const [, second] = positions(logFile(path, 't-0'), 2)
  flipByte(logFile(path, 't-0'), second + 100)
  const directory = await engine.openDirectory(path, { readOnly: true })
  expect(directory.leftBehind).toBe('killed')
  await directory.close(false)

  const log = await openLog(path)
  expect(await sendDurably(log, 't', 'record 5000')).toBe(5000n)
  const consumer = log.consumer()
  await consumer.assign([{ topic: 't', partition: 0, offset: 2 }])
  const values: string[] = []
  for await (const { value, leaderEpoch } of consumer) {
    values.push(String(value).trim())
    expect(leaderEpoch).toBe(0)
    if (values.length === 4999) break
  }
  expect(values).toEqual(numbered(4999, 2))
  await refused(valuesOf(log, 't'), 'CORRUPT_BATCH', /offset 1 /)
})

test('a topic that takes the name of a deleted one is not measured by its checkpoints, whatever dies when', async () => {
  const first = await openLog()
  await durable(first, numbered(10))
  await first.close()
  const die = (work: string) =>
    new Child(`const log = await open(data); ${work}; process.kill(process.pid, 'SIGKILL')`, first.path)
  await die("await log.admin().deleteTopic({ topic: 't' })").ended
  expect(readFileSync(join(first.path, 'recovery-point-offset-checkpoint'), 'utf8')).toContain('t 0 10')
  await die("await log.producer().send({ topic: 't', messages: ['record 0'] })").ended
  expect(await valuesOf(await openLog(copyOf(first.path)), 't')).toEqual(numbered(1))
  const log = await openLog(first.path)
  expect(await valuesOf(log, 't')).toEqual(numbered(1))
})

describe('a clean close', () => {
  test('leaves exact files and the marker', async () => {
    const log = await openLog()
    await log.admin().createTopic({ topic: 't', config: { 'segment.bytes': 1048576 } })
    await cached(
      log,
      Array.from({ length: 300 }, (_, n) => `record ${n}`.padEnd(10_000)),
    )
    await log.close()
    expect(readFileSync(join(log.path, '.kafka_cleanshutdown'), 'utf8')).toContain('"version":0')
    expect(readFileSync(join(log.path, 'recovery-point-offset-checkpoint'), 'utf8')).toBe('0\n1\nt 0 300\n')
    const report = await verifyDirectory(log.path)
    expect(report).toMatchObject({ faults: [], leftBehind: 'clean', batches: 300 })
    const files = Object.keys(listing(join(log.path, 't-0')))
    const bytesOf = (suffix: string): number[] =>
      files.filter((name) => name.endsWith(suffix)).map((name) => statSync(join(log.path, 't-0', name)).size)
    expect(bytesOf('.log').length).toBeGreaterThan(2)
    expect(bytesOf('.log').reduce((sum, size) => sum + size)).toBe(report.bytes)
    expect(bytesOf('.index').every((size) => size % 8 === 0)).toBe(true)
    expect(bytesOf('.timeindex').every((size) => size % 12 === 0)).toBe(true)
  })

  test('reading the directory read-only afterwards writes nothing', async () => {
    const log = await openLog()
    await durable(log, numbered(10))
    await log.close()
    const before = listing(log.path)
    const reader = await openLog(log.path, { readOnly: true })
    expect(await valuesOf(reader, 't')).toEqual(numbered(10))
    await reader.close()
    expect(listing(log.path)).toEqual(before)
  })
})

test('a read-only open of a live directory reads what is published, and writes nothing', async () => {
  const path = temporaryFolder()
  const writer = new Child(
    `const log = await open(data)
     await log.producer({ acks: 'all' }).send({ topic: 't', messages: Array.from({ length: 50 }, (_, n) => 'record ' + n) })
     await log.producer({ acks: 1 }).send({ topic: 't', messages: Array.from({ length: 50 }, (_, n) => 'record ' + (50 + n)) })
     console.log('written')
     setInterval(() => {}, 1000)`,
    path,
  )
  await writer.says('written')
  // Held still, so that every change is the reader's.
  writer.process.kill('SIGSTOP')
  const before = listing(path)
  const reader = await openLog(path, { readOnly: true })
  expect(await valuesOf(reader, 't')).toEqual(numbered(100))
  await reader.close()
  expect(await verifyDirectory(path)).toMatchObject({ faults: [], leftBehind: 'killed' })
  expect(listing(path)).toEqual(before)
})
