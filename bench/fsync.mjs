/**
 * Small durable records: 128 B with acks=all from 1 and 64 producers, one awaited record in flight each. The limit is
 * what one flush of this disk allows: as many records per flush as there are producers.
 */
import { execFileSync } from 'node:child_process'
import { closeSync, fdatasyncSync, openSync, readFileSync, readlinkSync, statSync, writeSync } from 'node:fs'
import { basename, join } from 'node:path'
import { open } from 'seglog'
import { peers } from './lib/peers.mjs'
import { alternate, best, median, withFolder } from './lib/rounds.mjs'

const durationMs = Number(process.env.SEGLOG_BENCH_MS ?? 2000)
const rounds = Number(process.env.SEGLOG_BENCH_ROUNDS ?? 3)
const value = Buffer.alloc(128, 0x61)

/** Records per second of `producers` loops that each await one record at a time. */
async function rate(producers, writeOne, forMs = durationMs) {
  const end = Date.now() + forMs
  let count = 0
  const start = process.hrtime.bigint()
  await Promise.all(
    Array.from({ length: producers }, async (_, producer) => {
      while (Date.now() < end) {
        await writeOne(producer)
        count += 1
      }
    }),
  )
  return { rate: count / (Number(process.hrtime.bigint() - start) / 1e9), count }
}

/** Every producer sends to all partitions in turn, beginning with its own. */
async function seglog(producers, partitions, config = {}) {
  return withFolder(async (folder) => {
    const log = await open(folder, { config })
    await log.admin().createTopic({ topic: 'bench', partitions })
    const writers = Array.from({ length: producers }, () => log.producer({ acks: 'all' }))
    const next = writers.map((_, producer) => producer)
    const writeOne = (producer) => {
      const partition = next[producer] % partitions
      next[producer] += producers
      return writers[producer].send({ topic: 'bench', messages: [{ value, partition }] })
    }
    // Every partition has its files, and the directory its journal, before it counts.
    const warm = await rate(producers, writeOne, Math.min(1000, durationMs))
    const result = await rate(producers, writeOne)
    result.count += warm.count
    const ends = await log.admin().listOffsets({ topic: 'bench' })
    const held = ends.reduce((sum, end) => sum + Number(end.latest), 0)
    if (held !== result.count) throw new Error(`acknowledged ${result.count}, the log holds ${held}`)
    await log.close()
    return result.rate
  })
}

async function peer(name, producers) {
  return withFolder(async (folder) => {
    const store = await peers[name](folder, { durable: true })
    const result = await rate(producers, () => store.writeOne(value))
    await store.close()
    return result.rate
  })
}

/** As many durable records at once as producers, over ever more partitions: what one flush of one file allows is the limit. */
async function overPartitions(report) {
  for (const partitions of [1, 16, 64, 256]) {
    const both = await alternate(rounds, {
      journal: () => seglog(64, partitions, { 'seglog.journal.max.bytes': 128 << 20 }),
      alone: () => seglog(64, partitions, { 'seglog.journal.max.bytes': 0 }),
      flush: oneFlush,
    })
    const limit = 64 / both.flush
    const name = `64 producers over ${partitions} partitions`
    report({
      ...{ name: `${name} against one flush`, value: both.journal, unit: 'records/s' },
      ...{ peer: 'limit', peerValue: limit, ratio: both.journal / limit },
    })
    report({
      ...{ name: `${name}, journal`, value: both.journal, unit: 'records/s' },
      ...{ peer: 'a flush per partition', peerValue: both.alone, ratio: both.journal / both.alone },
    })
  }
}

/** Seconds of one flush of 8 KiB appended to a file whose space is already written. */
async function oneFlush() {
  return withFolder(async (folder) => {
    const file = openSync(join(folder, 'flush'), 'w')
    const block = Buffer.alloc(8192, 1)
    for (let at = 0; at < 2000; at += 1) writeSync(file, block)
    fdatasyncSync(file)
    const times = []
    for (let at = 0; at < 1000; at += 1) {
      const start = process.hrtime.bigint()
      writeSync(file, block, 0, block.length, at * block.length)
      fdatasyncSync(file)
      times.push(Number(process.hrtime.bigint() - start) / 1e9)
    }
    closeSync(file)
    return median(times)
  })
}

/** Bytes the device of `folder` has written since boot, or null where the kernel does not say. */
function deviceBytes(folder) {
  const { dev } = statSync(folder)
  const [major, minor] = [(dev >> 8) & 0xfff, (dev & 0xff) | ((dev >> 12) & 0xfff00)]
  try {
    const name = basename(readlinkSync(`/sys/dev/block/${major}:${minor}`))
    for (const line of readFileSync('/proc/diskstats', 'utf8').split('\n')) {
      const fields = line.trim().split(/\s+/)
      if (fields[2] === name) return Number(fields[9]) * 512
    }
  } catch {
    return null
  }
  return null
}

async function bytesPerRecord() {
  return withFolder(async (folder) => {
    const log = await open(folder)
    await log.admin().createTopic({ topic: 'bench', partitions: 1 })
    const producer = log.producer({ acks: 'all' })
    for (let n = 0; n < 200; n += 1) await producer.send({ topic: 'bench', messages: [{ value }] })
    execFileSync('sync')
    const before = deviceBytes(folder)
    const count = 2000
    for (let n = 0; n < count; n += 1) await producer.send({ topic: 'bench', messages: [{ value }] })
    const after = deviceBytes(folder)
    await log.close()
    return before === null || after === null ? null : (after - before) / count
  })
}

export async function run(report) {
  for (const producers of [1, 64]) {
    const figures = {}
    for (const name of Object.keys(peers))
      figures[name] = (await alternate(rounds, { it: () => peer(name, producers) })).it
    const [bestName, bestFigure] = best(figures)
    for (const [name, figure] of Object.entries(figures)) {
      report({
        name: `${producers} producers, ${name}`,
        value: figure,
        unit: 'records/s',
        peer: bestName,
        peerValue: bestFigure,
        ratio: figure / bestFigure,
      })
    }
    for (const partitions of producers === 1 ? [1] : [1, 64]) {
      const both = await alternate(rounds, { ours: () => seglog(producers, partitions), flush: oneFlush })
      const limit = producers / both.flush
      const name = `${producers} producers ${partitions} partitions`
      report({
        name: `${name} acks=all`,
        value: both.ours,
        unit: 'records/s',
        peer: bestName,
        peerValue: bestFigure,
        ratio: both.ours / bestFigure,
      })
      report({
        name: `${name} against the flush limit`,
        value: both.ours,
        unit: 'records/s',
        peer: 'limit',
        peerValue: limit,
        ratio: both.ours / limit,
      })
    }
  }
  await overPartitions(report)
  const written = await bytesPerRecord()
  if (written !== null) {
    report({
      name: 'bytes to the device per durable 128 B record',
      value: written,
      unit: 'B',
      peer: 'bound',
      peerValue: 65536,
      ratio: 65536 / written,
    })
  }
}
