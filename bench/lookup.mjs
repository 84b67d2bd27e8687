/** Random offset and timestamp look-ups over a warm 10 GB log: the engine alone, then through the library. */
import { join } from 'node:path'
import { open } from 'seglog'
import { bigLogProgram, firstLine } from './lib/children.mjs'
import { loadInternal } from './lib/internals.mjs'
import { withFolder } from './lib/rounds.mjs'

const { openEngine } = loadInternal('native/open-engine.ts')

async function native(report, data) {
  const engine = openEngine()
  const directory = await engine.openDirectory(data, { readOnly: true })
  const folder = join(data, 'bench-0')
  const bases = (await directory.list(folder))
    .filter((name) => name.endsWith('.log'))
    .map((name) => Number(name.slice(0, 20)))
    .sort((a, b) => a - b)
  const segments = []
  for (const baseOffset of bases) {
    segments.push(
      await engine.openSegment(directory, {
        folder,
        baseOffset,
        active: false,
        segmentBytes: 2 ** 30,
        indexBytes: 10 << 20,
        indexIntervalBytes: 4096,
        slot: null,
      }),
    )
  }
  const closed = segments.filter((segment) => segment.endOffset > segment.baseOffset)
  for (const segment of closed)
    for (let at = segment.baseOffset; at < segment.endOffset; at += 2000) await segment.locate(at)
  const count = 300_000
  const targets = Float64Array.from({ length: count }, () => Math.random())
  let cold = 0
  const start = process.hrtime.bigint()
  for (let n = 0; n < count; n += 1) {
    const segment = closed[n % closed.length]
    const found = segment.locateNow(
      Math.floor(segment.baseOffset + targets[n] * (segment.endOffset - segment.baseOffset)),
    )
    if (!found) cold += 1
  }
  const us = Number(process.hrtime.bigint() - start) / 1000 / count
  report({
    name: 'random offset look-up, native, warm',
    value: us,
    unit: 'us',
    peer: 'bound',
    peerValue: 3,
    ratio: 3 / us,
  })
  if (cold > count / 100) throw new Error(`${cold} of ${count} look-ups found a cold page`)
  for (const segment of segments) await segment.close()
  await directory.close(true)
}

async function library(report, data) {
  const log = await open(data, { readOnly: true })
  const [end] = await log.admin().listOffsets({ topic: 'bench' })
  const consumer = log.consumer()
  await consumer.assign([{ topic: 'bench', partition: 0, offset: 0n }])
  let began = 0
  for await (const message of consumer) {
    began = message.timestamp
    break
  }
  const count = 2000
  let start = process.hrtime.bigint()
  for (let n = 0; n < count; n += 1) {
    const at = BigInt(Math.floor(Math.random() * Number(end.latest - 1n)))
    const [found] = await log.admin().listOffsets({ topic: 'bench', timestamp: began + Math.floor(Number(at) / 1000) })
    if (found === undefined) throw new Error('no answer')
  }
  report({
    name: 'random timestamp look-up through the library',
    value: Number(process.hrtime.bigint() - start) / 1000 / count,
    unit: 'us',
  })
  start = process.hrtime.bigint()
  for (let n = 0; n < count; n += 1) {
    const at = BigInt(Math.floor(Math.random() * Number(end.latest)))
    consumer.seek({ topic: 'bench', partition: 0, offset: at })
    for await (const message of consumer) {
      if (message.offset !== at) throw new Error(`sought ${at}, got ${message.offset}`)
      break
    }
  }
  report({
    name: 'seek and read one record through the library',
    value: Number(process.hrtime.bigint() - start) / 1000 / count,
    unit: 'us',
  })
  await log.close()
}

export async function run(report) {
  await withFolder(async (folder) => {
    const data = join(folder, 'data')
    const { child } = await firstLine([
      bigLogProgram,
      JSON.stringify({
        folder: data,
        bytes: Number(process.env.SEGLOG_BENCH_BYTES ?? 10 * 2 ** 30),
        partitions: 1,
        close: true,
      }),
    ])
    child.kill()
    await native(report, data)
    await library(report, data)
  })
}
