/**
 * The library against the stores people embed today, at equal durability: produce and read 100 B and 1 KB records.
 * Every figure is the median of alternating rounds over fresh folders, after a `sync`; what was written is read back
 * and counted.
 */
import { execFileSync } from 'node:child_process'
import { closeSync, fdatasyncSync, openSync, rmSync, writeSync } from 'node:fs'
import { join } from 'node:path'
import { open } from 'seglog'
import { peers } from './lib/peers.mjs'
import { bufferArrays, stringArrays } from './lib/records.mjs'
import { alternate, best, seconds, withFolder } from './lib/rounds.mjs'

const perArray = 1000
const rounds = Number(process.env.SEGLOG_BENCH_ROUNDS ?? 3)

function sync() {
  execFileSync('sync')
}

/** Arrays under way at once: enough that encoding one and storing others overlap. */
const inFlight = 64

/** Records per second of sending `total` records as arrays, then the count is checked. */
async function produceArrays(folder, arrays, total, acks) {
  const log = await open(folder)
  await log.admin().createTopic({ topic: 'bench', partitions: 1 })
  const producer = log.producer({ acks })
  sync()
  const took = await seconds(async () => {
    const pending = []
    for (let at = 0, sent = 0; sent < total; at = (at + 1) % arrays.length) {
      pending.push(producer.send({ topic: 'bench', messages: arrays[at] }))
      sent += arrays[at].length
      // With acks all every array is on disk before the next is sent, as the peers' transactions are.
      if (acks === 'all') await pending.pop()
      else if (pending.length === inFlight) await Promise.all(pending.splice(0, inFlight / 2))
    }
    await Promise.all(pending)
  })
  const [end] = await log.admin().listOffsets({ topic: 'bench' })
  if (Number(end.latest) !== total) throw new Error(`wrote ${total}, the log holds ${end.latest}`)
  await log.close()
  return total / took
}

/** Records per second of single, not awaited sends; awaited every 1,000 so that memory stays bounded. */
async function produceSingles(folder, arrays, total) {
  const log = await open(folder)
  await log.admin().createTopic({ topic: 'bench', partitions: 1 })
  const producer = log.producer({ acks: 1 })
  sync()
  const took = await seconds(async () => {
    let sent = 0
    for (let at = 0; sent < total; at = (at + 1) % arrays.length) {
      const pending = new Array(arrays[at].length)
      for (let i = 0; i < pending.length; i += 1) {
        pending[i] = producer.send({ topic: 'bench', messages: [arrays[at][i]] })
      }
      await Promise.all(pending)
      sent += pending.length
    }
  })
  const [end] = await log.admin().listOffsets({ topic: 'bench' })
  if (Number(end.latest) !== total) throw new Error(`wrote ${total}, the log holds ${end.latest}`)
  await log.close()
  return total / took
}

const readers = {
  async batches(consumer, total) {
    let count = 0
    let touched = 0
    for await (const batch of consumer.batches()) {
      batch.forEachView((bytes, start) => {
        touched += bytes[start]
      })
      count += batch.count
      if (count >= total) break
    }
    return { count, touched }
  },
  async buffers(consumer, total) {
    let count = 0
    let touched = 0
    for await (const batch of consumer.batches()) {
      for (const record of batch) {
        touched += record.value[0]
        count += 1
      }
      if (count >= total) break
    }
    return { count, touched }
  },
  async forAwait(consumer, total) {
    let count = 0
    let touched = 0
    for await (const message of consumer) {
      touched += message.value[0]
      if (message.offset !== BigInt(count)) throw new Error(`offset ${message.offset} where ${count} was due`)
      count += 1
      if (count === total) break
    }
    return { count, touched }
  },
}

async function readWith(folder, name, total) {
  const log = await open(folder)
  const consumer = log.consumer()
  await consumer.assign([{ topic: 'bench', partition: 0, offset: 0n }])
  let result
  const took = await seconds(async () => {
    result = await readers[name](consumer, total)
  })
  await log.close()
  if (result.count !== total) throw new Error(`read ${result.count} of ${total}`)
  return total / took
}

async function peerProduce(name, arrays, total, durable) {
  return withFolder(async (folder) => {
    const store = await peers[name](folder, { durable })
    const values = arrays.map((array) => array.map((message) => Buffer.from(message.value)))
    sync()
    const took = await seconds(async () => {
      let sent = 0
      for (let at = 0; sent < total; at = (at + 1) % values.length) {
        await store.writeArray(values[at])
        sent += values[at].length
      }
    })
    let count = 0
    await store.readAll(() => {
      count += 1
    })
    if (count !== total) throw new Error(`${name} holds ${count} of ${total}`)
    await store.close()
    return total / took
  })
}

async function peerRead(name, arrays, total) {
  return withFolder(async (folder) => {
    const store = await peers[name](folder, { durable: false })
    const values = arrays.map((array) => array.map((message) => message.value))
    for (let sent = 0, at = 0; sent < total; sent += perArray, at = (at + 1) % values.length) {
      await store.writeArray(values[at])
    }
    let touched = 0
    const took = await seconds(() =>
      store.readAll((value) => {
        touched += value[0]
      }),
    )
    await store.close()
    return touched >= 0 ? total / took : 0
  })
}

async function bestPeer(run) {
  const figures = {}
  for (const name of Object.keys(peers)) figures[name] = (await alternate(rounds, { it: () => run(name) })).it
  return best(figures)
}

async function ours(run) {
  return (await alternate(rounds, { it: () => withFolder(run) })).it
}

async function smallRecords(report) {
  const total = 10_200_000
  const arrays = bufferArrays(200_000, 100, perArray)
  const strings = stringArrays(200_000, 100, perArray)
  const peerTotal = 1_000_000

  const [peer, peerValue] = await bestPeer((name) => peerProduce(name, arrays, peerTotal, false))
  const row = (name, value, against = [peer, peerValue]) =>
    report({ name, value, unit: 'records/s', peer: against[0], peerValue: against[1], ratio: value / against[1] })
  row('produce 100 B buffer array acks=1', await ours((folder) => produceArrays(folder, arrays, total, 1)))
  row('produce 100 B string keyed array acks=1', await ours((folder) => produceArrays(folder, strings, total / 2, 1)))
  row('send 100 B acks=1', await ours((folder) => produceSingles(folder, arrays, total / 4)))
  const flushed = await bestPeer((name) => peerProduce(name, arrays, 200_000, true))
  row(
    'produce 100 B buffer array acks=all',
    await ours((folder) => produceArrays(folder, arrays, 1_000_000, 'all')),
    flushed,
  )

  const reading = await bestPeer((name) => peerRead(name, arrays, peerTotal))
  await withFolder(async (folder) => {
    await produceArrays(folder, arrays, total, 1)
    const names = { batches: 'batches', buffers: 'batches as buffers', forAwait: 'for-await' }
    const figures = await alternate(
      rounds,
      Object.fromEntries(Object.keys(names).map((name) => [name, () => readWith(folder, name, total)])),
    )
    for (const [name, title] of Object.entries(names)) row(`read 100 B ${title}`, figures[name], reading)
  })
}

async function largerRecords(report) {
  const total = 1_000_000
  const arrays = bufferArrays(20_000, 1024, perArray)
  const peer = await bestPeer((name) => peerProduce(name, arrays, 200_000, false))
  const value = await ours((folder) => produceArrays(folder, arrays, total, 1))
  report({
    name: 'produce 1 KB buffer array acks=1',
    value,
    unit: 'records/s',
    peer: peer[0],
    peerValue: peer[1],
    ratio: value / peer[1],
  })
  const reading = await bestPeer((name) => peerRead(name, arrays, 200_000))
  await withFolder(async (folder) => {
    await produceArrays(folder, arrays, total, 1)
    const figures = await alternate(rounds, { batches: () => readWith(folder, 'batches', total) })
    report({
      name: 'read 1 KB batches',
      value: figures.batches,
      unit: 'records/s',
      peer: reading[0],
      peerValue: reading[1],
      ratio: figures.batches / reading[1],
    })
  })
}

/** 10 GB through the library, beside one stream of plain writes of the same size with one fdatasync at the end. */
async function tenGigabytes(report) {
  const bytes = 10 * 2 ** 30
  const arrays = bufferArrays(20_000, 1024, perArray)
  const total = Math.floor(bytes / 1024 / perArray) * perArray
  const value = await withFolder(async (folder) => {
    let rate = 0
    const took = await seconds(async () => {
      rate = await produceArrays(folder, arrays, total, 1)
    })
    return rate === 0 ? 0 : (total * 1024) / took / 1e6
  })
  const disk = await withFolder(async (folder) => {
    const path = join(folder, 'plain')
    const block = Buffer.alloc(1 << 20, 0x5a)
    const took = await seconds(async () => {
      const file = openSync(path, 'w')
      for (let at = 0; at < bytes; at += block.length) writeSync(file, block)
      fdatasyncSync(file)
      closeSync(file)
    })
    rmSync(path)
    return bytes / took / 1e6
  })
  report({
    name: 'produce 10 GB of 1 KB acks=1, closed',
    value,
    unit: 'MB/s',
    peer: 'plain writes + fdatasync',
    peerValue: disk,
    ratio: value / disk,
  })
}

export async function run(report) {
  await smallRecords(report)
  await largerRecords(report)
  await tenGigabytes(report)
}
