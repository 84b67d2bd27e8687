/**
 * The server without a client library in the way: requests encoded beforehand, written to raw sockets, answers only counted.
 * What it does with small requests, with batches of 16 KiB and 1 MiB, with fetches, with 10,000 idle connections, and
 * beside 1,000 that send a byte a second. SEGLOG_BENCH_SECONDS sets the time of each row (default 3).
 */
import { connect } from 'node:net'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { loadInternal } from './lib/internals.mjs'
import { withFolder } from './lib/rounds.mjs'
import { startSeglog } from './lib/servers.mjs'

const { apis, apiKey } = loadInternal('protocol/apis.ts')
const { create } = loadInternal('protocol/schema.ts')
const { writeRequest, readResponse, readResponseHeader } = loadInternal('protocol/codec/frames.ts')
const { Reader } = loadInternal('protocol/codec/reader.ts')
const { RecordBatchBuilder } = loadInternal('records/record-batch-builder.ts')
const { openEngine } = loadInternal('native/open-engine.ts')

const seconds = Number(process.env.SEGLOG_BENCH_SECONDS ?? 3)
const topic = 'bench'
const topicId = 'AAAAAAAAAAAAAAAAAAAAAA'
const recordBytes = 100
const crc32c = (bytes) => openEngine().crc32c(bytes)

function frame(key, version, fields) {
  return Buffer.concat(writeRequest(key, version, 1, 'bench', create(apis[key].request, fields)))
}

/** A connection whose answers are counted by their lengths alone. */
class Client {
  #missing = 0
  #head = Buffer.alloc(4)
  #headBytes = 0
  #size = 0
  #kept = null

  constructor(port) {
    const callback = (bytes, buffer) => {
      this.#count(buffer.subarray(0, bytes))
      return true
    }
    this.opened = new Promise((resolve, reject) => {
      const onread = { buffer: Buffer.allocUnsafe(1 << 20), callback }
      this.socket = connect({ port, host: '127.0.0.1', noDelay: true, onread }, resolve)
      this.socket.once('error', reject)
    })
  }

  /** One request, its answer decoded. */
  async ask(key, version, fields) {
    const body = await new Promise((resolve) => {
      this.#kept = []
      this.onAnswer = () => resolve(Buffer.concat(this.#kept))
      this.socket.write(frame(key, version, fields))
    })
    this.#kept = null
    const reader = new Reader(body)
    readResponseHeader(reader, key, version)
    return readResponse(reader, key, version)
  }

  /** Keeps `inFlight` of these requests under way, one after another, for a while; resolves to what came back. */
  async load(frames, inFlight) {
    let [answers, bytes, next] = [0, 0, 0]
    const began = performance.now()
    await new Promise((resolve) => {
      this.onAnswer = (size) => {
        answers += 1
        bytes += size
        if (performance.now() - began > seconds * 1000) return resolve()
        this.#write(frames[next++ % frames.length])
      }
      for (let i = 0; i < inFlight; i += 1) this.#write(frames[next++ % frames.length])
    })
    return { answers, bytes, seconds: (performance.now() - began) / 1000 }
  }

  close() {
    this.socket.destroy()
  }

  /** What is written within one turn leaves together. */
  #write(bytes) {
    if (this.socket.writableCorked === 0) {
      this.socket.cork()
      process.nextTick(() => this.socket.uncork())
    }
    this.socket.write(bytes)
  }

  #count(chunk) {
    let at = 0
    while (at < chunk.length) {
      if (this.#missing === 0) {
        while (this.#headBytes < 4 && at < chunk.length) this.#head[this.#headBytes++] = chunk[at++]
        if (this.#headBytes < 4) return
        this.#size = this.#head.readInt32BE(0)
        this.#missing = this.#size
        this.#headBytes = 0
      }
      const taken = Math.min(this.#missing, chunk.length - at)
      this.#kept?.push(Buffer.from(chunk.subarray(at, at + taken)))
      at += taken
      this.#missing -= taken
      if (this.#missing === 0) this.onAnswer?.(this.#size)
    }
  }
}

async function opened(port) {
  const client = new Client(port)
  await client.opened
  return client
}

function batchOf(bytes) {
  const builder = new RecordBatchBuilder({ maxBytes: 2 << 20 })
  const value = Buffer.alloc(recordBytes, 'x')
  for (let size = 61; size + recordBytes + 10 <= bytes; size += recordBytes + 10) builder.append({ value })
  return Buffer.from(builder.finish({ crc32c }))
}

const apiVersions = frame(apiKey.apiVersions, 2, {})

export async function run(report) {
  await withFolder(async (folder) => {
    const server = await startSeglog(join(folder, 'seglog'))
    const port = Number(server.bootstrap.split(':')[1])
    try {
      bound(report, 'memory, idle', server.residentMegabytes(), 'MB', 80)
      await connections(report, server, port)
      await smallRequests(report, port)
      await batches(report, server, port)
    } finally {
      await server.stop()
    }
  })
}

/** A figure that must not pass a bound; the ratio is above 1 while it does not. */
function bound(report, name, value, unit, peerValue) {
  report({ name, value, unit, peer: 'bound', peerValue, ratio: peerValue / value })
}

async function connections(report, server, port) {
  const clients = []
  for (let i = 0; i < 10_000; i += 100) {
    const more = await Promise.all(Array.from({ length: 100 }, () => opened(port)))
    await Promise.all(more.map((client) => client.ask(apiKey.apiVersions, 2, {})))
    clients.push(...more)
  }
  bound(report, 'memory, 10,000 idle connections', server.residentMegabytes(), 'MB', 300)
  for (const client of clients) client.close()
  await sleep(1000)
}

async function smallRequests(report, port) {
  const client = await opened(port)
  await client.load([apiVersions], 64)
  const alone = await client.load([apiVersions], 64)
  const slow = await Promise.all(Array.from({ length: 1000 }, () => opened(port)))
  const bytes = frame(apiKey.metadata, 1, { topics: null })
  let at = 0
  const dribble = setInterval(() => {
    for (const { socket } of slow) socket.write(bytes.subarray(at, at + 1))
    at += 1
  }, 1000)
  const beside = await client.load([apiVersions], 64)
  clearInterval(dribble)
  for (const one of [...slow, client]) one.close()
  const rate = ({ answers, seconds: took }) => answers / took
  report({ name: 'ApiVersions, 64 in flight', value: rate(alone), unit: 'requests/s' })
  report({
    name: 'the same beside 1,000 that send a byte a second',
    value: rate(beside),
    unit: 'requests/s',
    peer: 'alone',
    peerValue: rate(alone),
    ratio: rate(beside) / rate(alone),
  })
}

async function batches(report, server, port) {
  const client = await opened(port)
  await client.ask(apiKey.metadata, 4, { topics: [{ name: topic, topicId }], allowAutoTopicCreation: true })
  const measured = async (name, payloadBytes, frames, inFlight) => {
    const cpu = server.cpuSeconds()
    const { answers, bytes, seconds: took } = await client.load(frames, inFlight)
    const volume = payloadBytes === null ? bytes : answers * payloadBytes
    report({ name, value: volume / 1e6 / took, unit: 'MB/s' })
    report({ name: `${name}, CPU of the server`, value: (server.cpuSeconds() - cpu) / (volume / 1e9), unit: 's/GB' })
  }
  for (const [name, bytes] of [
    ['16 KiB', 16 << 10],
    ['1 MiB', 1_000_000],
  ]) {
    const records = batchOf(bytes)
    const topicData = [{ name: topic, topicId, partitionData: [{ index: 0, records }] }]
    const produce = frame(apiKey.produce, 9, { acks: 1, timeoutMs: 10_000, topicData })
    await measured(`produce of ${name}, 5 in flight`, records.length, [produce], 5)
  }
  const asked = [{ partitionIndex: 0, currentLeaderEpoch: -1, timestamp: -1n }]
  const { topics } = await client.ask(apiKey.listOffsets, 3, {
    replicaId: -1,
    topics: [{ name: topic, partitions: asked }],
  })
  const end = topics[0].partitions[0].offset
  for (const [name, maxBytes] of [
    ['16 KiB', 16 << 10],
    ['1 MiB', 1 << 20],
  ]) {
    const step = BigInt(Math.floor(maxBytes / (recordBytes + 10)))
    const frames = []
    for (let offset = 0n; offset < end && frames.length < 5000; offset += step) frames.push(fetch(offset, maxBytes))
    await measured(`fetch of ${name}, 5 in flight`, null, frames, 5)
  }
  client.close()
}

function fetch(fetchOffset, maxBytes) {
  const partition = { partition: 0, currentLeaderEpoch: -1, fetchOffset, lastFetchedEpoch: -1, logStartOffset: -1n }
  const topics = [{ topic, topicId, partitions: [{ ...partition, partitionMaxBytes: maxBytes }] }]
  return frame(apiKey.fetch, 11, { maxWaitMs: 100, minBytes: 1, maxBytes, topics })
}
