import {
  closeSync,
  openSync,
  readdirSync,
  readFileSync,
  statSync,
  truncateSync,
  unlinkSync,
  writeFileSync,
  writeSync,
} from 'node:fs'
import { join } from 'node:path'
import { describe, expect, test } from 'vitest'
import { repairDirectory } from '../../ts/cli/log-repair.js'
import { verifyDirectory } from '../../ts/cli/log-verify.js'
import { open } from '../../ts/index.js'
import { readAll } from '../client/read-all.js'
import { jsonLines, seglog, temporaryFolder } from './run-cli.js'

/** A clean directory with some segments of many batches in t-0, and something in t-1. */
async function someLog(): Promise<string> {
  const data = temporaryFolder()
  const log = await open(data)
  await log.admin().createTopic({ topic: 't', partitions: 2, config: { 'segment.bytes': 1048576 } })
  const producer = log.producer({ acks: 1, batchSize: 8192 })
  const messages = Array.from({ length: 4000 }, (_, n) => ({ value: `value ${n} ${'x'.repeat(700)}`, partition: 0 }))
  await producer.send({ topic: 't', messages })
  await producer.send({ topic: 't', messages: [{ value: 'other', partition: 1 }] })
  await log.close()
  return data
}

const segments = (data: string) =>
  readdirSync(join(data, 't-0'))
    .filter((name) => name.endsWith('.log'))
    .sort()

function flip(file: string, position: number): void {
  const byte = readFileSync(file)[position]
  const descriptor = openSync(file, 'r+')
  writeSync(descriptor, Buffer.from([byte ^ 0x40]), 0, 1, position)
  closeSync(descriptor)
}

async function recordCount(data: string): Promise<number> {
  const log = await open(data, { readOnly: true })
  try {
    return (await readAll(log, 't')).length
  } finally {
    await log.close()
  }
}

describe('verify', () => {
  test('a sound directory', async () => {
    const data = await someLog()
    expect(segments(data).length).toBeGreaterThan(2)
    expect(await verifyDirectory(data)).toMatchObject({ faults: [], partitions: 2, leftBehind: 'clean' })
    expect(await seglog(['log', 'verify', data])).toMatchObject({ code: 0, stdout: '' })
  })

  test('one that was not closed', async () => {
    const data = temporaryFolder()
    const program = `
      const { open } = require(${JSON.stringify(join(__dirname, '../../dist/index.js'))})
      open(${JSON.stringify(data)}).then(async (log) => {
        await log.producer({ acks: 1 }).send({ topic: 't', messages: Array.from({ length: 5000 }, (_, n) => String(n)) })
        process.kill(process.pid, 'SIGKILL')
      })`
    const { spawnSync } = await import('node:child_process')
    expect(spawnSync(process.execPath, ['-e', program]).signal).toBe('SIGKILL')
    expect(await verifyDirectory(data)).toMatchObject({ faults: [], partitions: 1, leftBehind: 'killed' })
  })

  test('a flipped byte is found and named, and repair cuts there', async () => {
    const data = await someLog()
    const [, second] = segments(data)
    const file = join(data, 't-0', second)
    flip(file, 50_000)
    const { faults } = await verifyDirectory(data)
    expect(faults[0]).toMatchObject({ topic: 't', partition: 0, path: `t-0/${second}`, repair: 'truncate' })
    expect(faults[0].position).toBeLessThanOrEqual(50_000)
    expect(faults[0].offset).toBeGreaterThan(Number(second.slice(0, 20)))
    const outcome = await seglog(['log', 'verify', data])
    expect(outcome.code).toBe(1)
    expect(jsonLines(outcome.stdout)[0]).toMatchObject({ path: `t-0/${second}`, position: faults[0].position })
    const repaired = await seglog(['log', 'verify', data, '--repair'])
    expect(repaired).toMatchObject({ code: 0 })
    expect((await verifyDirectory(data)).faults).toEqual([])
    expect(await recordCount(data)).toBe(faults[0].offset! + 1)
    // What was cut is never confused with what comes in its place: the repair raises the leader epoch, and so does the
    // start after it, which is not a clean one.
    const log = await open(data)
    await log.producer({ acks: 1 }).send({ topic: 't', messages: [{ value: 'after', partition: 0 }] })
    const last = (await readAll(log, 't')).filter(({ partition }) => partition === 0).at(-1)
    expect([last?.offset, last?.leaderEpoch]).toEqual([BigInt(faults[0].offset!), 2])
    await log.close()
    expect((await verifyDirectory(data)).faults).toEqual([])
  })

  test('a file that was cut short', async () => {
    const data = await someLog()
    const last = join(data, 't-0', segments(data).at(-1)!)
    truncateSync(last, statSync(last).size - 10)
    const { faults } = await verifyDirectory(data)
    expect(faults[0]).toMatchObject({ repair: 'truncate' })
    await repairDirectory(data, faults)
    expect((await verifyDirectory(data)).faults).toEqual([])
    expect(await recordCount(data)).toBe(faults[0].offset! + 1)
  })

  test('a segment that is missing', async () => {
    const data = await someLog()
    const [first, second, third] = segments(data)
    unlinkSync(join(data, 't-0', second))
    const missing = `offsets ${Number(second.slice(0, 20))} to ${Number(third.slice(0, 20)) - 1} are missing before this segment`
    const { faults } = await verifyDirectory(data)
    expect(faults.map(({ what }) => what)).toContain(missing)
    expect(faults.find(({ what }) => what === missing)).toMatchObject({ path: `t-0/${third}`, repair: null })
    expect(first).toBeDefined()
  })

  test.each(['.index', '.timeindex'])('an %s that lies, or is not there, is made again', async (suffix) => {
    const data = await someLog()
    const name = segments(data)[0].replace('.log', suffix)
    const file = join(data, 't-0', name)
    const sound = readFileSync(file)
    flip(file, 3)
    const { faults } = await verifyDirectory(data)
    expect(faults[0]).toMatchObject({ path: `t-0/${name}`, repair: 'rebuild index' })
    await repairDirectory(data, faults)
    expect((await verifyDirectory(data)).faults).toEqual([])
    unlinkSync(file)
    const missing = (await verifyDirectory(data)).faults
    expect(missing).toMatchObject([{ path: `t-0/${name}`, what: 'this index is missing' }])
    await repairDirectory(data, missing)
    expect((await verifyDirectory(data)).faults).toEqual([])
    expect(readFileSync(file).length).toBeGreaterThan(0)
    expect(sound.length).toBeGreaterThan(0)
    expect(await recordCount(data)).toBe(4001)
  })

  test('checkpoints that cannot be', async () => {
    const data = await someLog()
    writeFileSync(join(data, 't-0', 'leader-epoch-checkpoint'), '0\n1\n7 0\n')
    writeFileSync(join(data, 'recovery-point-offset-checkpoint'), '0\n1\nt 1 99\n')
    writeFileSync(join(data, 'log-start-offset-checkpoint'), 'nonsense')
    const { faults } = await verifyDirectory(data)
    expect(faults.map(({ path }) => path).sort()).toEqual([
      'log-start-offset-checkpoint',
      't-0/leader-epoch-checkpoint',
      't-1',
    ])
    await repairDirectory(data, faults)
    expect((await verifyDirectory(data)).faults).toEqual([])
    expect(await recordCount(data)).toBe(4001)
  })

  test('nothing there', async () => {
    expect((await seglog(['log', 'verify', join(temporaryFolder(), 'no')])).code).toBe(1)
  })
})

describe('dump', () => {
  test('a segment, its records, its indexes', async () => {
    const data = await someLog()
    const file = join(data, 't-0', segments(data)[0])
    const batches = jsonLines((await seglog(['log', 'dump', file])).stdout)
    expect(batches[0]).toMatchObject({ position: 0, baseOffset: 0, codec: 'none', isCrcValid: true })
    expect(batches.at(-1)?.lastOffset).toBe(Number(segments(data)[1].slice(0, 20)) - 1)
    const records = jsonLines((await seglog(['log', 'dump', file, '--records', '--count', '1'])).stdout)
    expect(records[1]).toMatchObject({ offset: '0', key: null, value: expect.stringMatching(/^value 0 /) })
    const entries = jsonLines((await seglog(['log', 'dump', file.replace('.log', '.index')])).stdout)
    for (const { offset, position } of entries) {
      const batch = batches.find((one) => one.position === position)
      expect(batch?.lastOffset).toBe(offset)
    }
    expect(entries.length).toBeGreaterThan(5)
    const times = jsonLines((await seglog(['log', 'dump', file.replace('.log', '.timeindex')])).stdout)
    expect(times.length).toBeGreaterThan(0)
  })

  test('what it does not know, and what is damaged', async () => {
    const data = await someLog()
    expect((await seglog(['log', 'dump', join(data, 'seglog.json')])).code).toBe(2)
    const file = join(data, 't-0', segments(data)[0])
    truncateSync(file, 1000)
    const { code, stderr } = await seglog(['log', 'dump', file])
    expect(code).toBe(1)
    expect(stderr).toContain('(CORRUPT_BATCH)')
  })
})

test.each([
  ["a partition's folder", 't-0'],
  ['a folder of something else', ''],
])('%s is no data directory', async (_what, folder) => {
  const data = folder === '' ? temporaryFolder() : join(await someLog(), folder)
  const outcome = await seglog(['log', 'verify', data])
  expect(outcome).toMatchObject({ code: 1, stdout: '' })
  expect(outcome.stderr).toContain('(FILE_NOT_FOUND)')
})
