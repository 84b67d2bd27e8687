/**
 * What a request costs between the bytes of its frame and the bytes of its answer: decoding, the broker, the log, encoding.
 * No sockets: frames made beforehand are given to `runRequest`, 64 in one turn of the event loop (what one connection with
 * 64 requests in flight brings), and the answers to a queue whose sender only counts. Figures are CPU time of this thread,
 * which other work on the machine does not stretch as much as the clock's; those of large batches, which storage threads
 * write, are CPU time of the process.
 * SEGLOG_BENCH_ROUNDS sets how often each row is measured (default 5); the least is told, since noise only adds.
 */
import { readFileSync } from 'node:fs'
import { setImmediate as nextTurn } from 'node:timers/promises'
import { loadTogether } from './lib/internals.mjs'

const {
  AnswerQueue,
  apis,
  apiKey,
  Broker,
  create,
  isPromise,
  openEngine,
  patchCrc,
  patchNumbers,
  readResponse,
  readResponseHeader,
  Reader,
  RecordBatchBuilder,
  runRequest,
  writeRequest,
} = loadTogether([
  'server/run-request.ts',
  'server/answer-queue.ts',
  'broker/broker.ts',
  'log/maybe-promise.ts',
  'protocol/apis.ts',
  'protocol/schema.ts',
  'protocol/codec/frames.ts',
  'protocol/codec/reader.ts',
  'records/record-batch-builder.ts',
  'native/open-engine.ts',
])

const rounds = Number(process.env.SEGLOG_BENCH_ROUNDS ?? 5)
const only = process.env.SEGLOG_BENCH_ROWS
const inFlight = 64
const topic = 'bench'
const noId = 'AAAAAAAAAAAAAAAAAAAAAA'
const crc32c = (bytes) => openEngine().crc32c(bytes)

/** A connection as requests and answers see it. */
class FakeConnection {
  clientHost = '127.0.0.1'
  localAddress = '127.0.0.1'
  listener = 'PLAINTEXT'
  connectionId = '1'
  copiedBytes = 256 * 1024
  isGone = false
  answers = 0
  isBlocked = false
  isIdle = true
  sentBytes = 0
  #abort = null
  #queue = new AnswerQueue(this)
  #kept = null
  #whenIdle = null
  #under = 0

  constructor(broker) {
    this.broker = broker
  }

  get signal() {
    this.#abort ??= new AbortController()
    return this.#abort.signal
  }

  beginLong() {
    throw new Error('no request of this bench is long')
  }

  hold() {}
  letGo() {}
  close() {}

  send(parts) {
    this.answers++
    for (const part of parts) {
      this.sentBytes += part.length
      if (this.#kept === null) part.release?.()
      else this.#kept.push(part)
    }
  }

  take(frame) {
    const place = this.#queue.add()
    const parts = runRequest(this.broker, frame, this)
    if (!isPromise(parts)) {
      this.#queue.ready(place, parts)
      return
    }
    this.#under++
    parts.then((done) => {
      this.#queue.ready(place, done)
      this.#under--
      if (this.#under === 0) this.#whenIdle?.()
    })
  }

  idle() {
    if (this.#under === 0) return
    return new Promise((resolve) => {
      this.#whenIdle = resolve
    })
  }

  /** One request, its answer decoded. */
  async ask(key, version, fields) {
    this.#kept = []
    this.take(frame(key, version, fields))
    await this.idle()
    const reader = new Reader(this.#kept.map((part) => part.read?.(0, part.length) ?? part))
    this.#kept = null
    reader.readInt32()
    readResponseHeader(reader, key, version)
    return readResponse(reader, key, version)
  }
}

/** A request as a connection delivers it, in one piece. */
function frame(key, version, fields) {
  const bytes = Buffer.concat(writeRequest(key, version, 1, 'bench-client', create(apis[key].request, fields)))
  return { chunks: [bytes.subarray(4)], sizeBytes: bytes.length - 4 }
}

function batchOf(bytes, recordBytes) {
  const builder = new RecordBatchBuilder({ maxBytes: 2 << 20 })
  const value = Buffer.alloc(recordBytes, 'x')
  for (let size = 61; size + recordBytes + 10 <= bytes; size += recordBytes + 10) builder.append({ value })
  return Buffer.from(builder.finish({ crc32c }))
}

/** What an idempotent producer sends: the same record again and again, under numbers that follow each other. */
function numberedBatches(batch, count) {
  return Array.from({ length: count }, (_, i) => {
    const numbered = Buffer.from(batch)
    patchNumbers(numbered, 1, 0, i)
    patchCrc(numbered, crc32c)
    return numbered
  })
}

function produceFrame(version, id, records) {
  const topicData = [{ name: topic, topicId: id, partitionData: [{ index: 0, records }] }]
  return frame(apiKey.produce, version, { acks: 1, timeoutMs: 10_000, topicData })
}

function fetchFrame(version, id, { offset, maxBytes, maxWaitMs, sessionEpoch = -1 }) {
  const partition = {
    partition: 0,
    currentLeaderEpoch: -1,
    fetchOffset: offset,
    lastFetchedEpoch: -1,
    logStartOffset: -1n,
  }
  const topics = [{ topic, topicId: id, partitions: [{ ...partition, partitionMaxBytes: maxBytes }] }]
  return frame(apiKey.fetch, version, { maxWaitMs, minBytes: 1, maxBytes, sessionEpoch, topics })
}

async function madeTopic(connection) {
  const topics = [{ name: topic, numPartitions: 1, replicationFactor: 1, assignments: [], configs: [] }]
  const { topics: made } = await connection.ask(apiKey.createTopics, 7, { topics, timeoutMs: 10_000 })
  return made[0].topicId
}

async function withTopic(broker, work) {
  const connection = new FakeConnection(broker)
  const id = await madeTopic(connection)
  try {
    return await work(connection, id)
  } finally {
    await connection.ask(apiKey.deleteTopics, 6, { topics: [{ name: topic, topicId: noId }], timeoutMs: 10_000 })
  }
}

/** CPU time of this thread in microseconds; of the process where the system does not tell. */
function threadTime() {
  try {
    return Number(readFileSync(`/proc/self/task/${process.pid}/schedstat`, 'latin1').split(' ')[0]) / 1000
  } catch {
    return processTime()
  }
}

function processTime() {
  const { user, system } = process.cpuUsage()
  return user + system
}

/** Microseconds per request: `turns` turns of `perTurn` requests each. */
async function timed(turns, perTurn, take, connection, time = threadTime) {
  const began = time()
  for (let turn = 0; turn < turns; turn++) {
    for (let i = 0; i < perTurn; i++) take(turn * perTurn + i)
    await connection.idle()
    await nextTurn()
  }
  return (time() - began) / (turns * perTurn)
}

async function measured(report, broker, name, bytes, measure) {
  if (only !== undefined && !name.includes(only)) return
  const figures = []
  for (let i = 0; i < rounds; i++) figures.push(await withTopic(broker, measure))
  const value = Math.min(...figures)
  report({ name, value, unit: 'us CPU' })
  if (bytes > 0) report({ name: `${name}: the volume`, value: (value / bytes) * 1000, unit: 's CPU/GB' })
}

async function produces(report, broker) {
  const small = batchOf(180, 100)
  for (const version of [7, 9, 11, 13]) {
    await measured(report, broker, `produce v${version}, one record of 100 B`, 0, (connection, id) => {
      const request = produceFrame(version, version >= 13 ? id : noId, small)
      return timed(2500, inFlight, () => connection.take(request), connection)
    })
  }
  const numbered = numberedBatches(small, 1000 * inFlight).map((batch) => produceFrame(9, noId, batch))
  await measured(report, broker, 'produce v9, one record of 100 B, idempotent', 0, (connection) =>
    timed(1000, inFlight, (i) => connection.take(numbered[i]), connection),
  )
  for (const [name, batch, turns, perTurn] of [
    ['16 KiB', batchOf(16 << 10, 100), 300, 16],
    ['1 MB', batchOf(1_000_000, 1000), 100, 4],
  ]) {
    await measured(report, broker, `produce v9, one batch of ${name}`, batch.length, (connection) => {
      const request = produceFrame(9, noId, batch)
      return timed(turns, perTurn, () => connection.take(request), connection, processTime)
    })
  }
}

async function fetches(report, broker) {
  const small = batchOf(180, 100)
  await measured(report, broker, 'fetch v11, one small batch answered at once', 0, async (connection) => {
    const request = produceFrame(9, noId, small)
    for (let i = 0; i < 64; i++) connection.take(request)
    await connection.idle()
    const frames = Array.from({ length: 64 }, (_, i) =>
      fetchFrame(11, noId, { offset: BigInt(i), maxBytes: 100, maxWaitMs: 500 }),
    )
    return timed(1500, inFlight, (i) => connection.take(frames[i % 64]), connection)
  })
  await measured(report, broker, 'produce and the fetch that waits for it', 0, async (connection) => {
    const produce = produceFrame(9, noId, small)
    const consumer = new FakeConnection(connection.broker)
    connection.take(produce)
    await connection.idle()
    const fetches = Array.from({ length: 20_000 }, (_, i) =>
      fetchFrame(11, noId, { offset: BigInt(i + 1), maxBytes: 1 << 20, maxWaitMs: 500 }),
    )
    const began = threadTime()
    for (const [i, fetch] of fetches.entries()) {
      consumer.take(fetch)
      connection.take(produce)
      await consumer.idle()
      if (i % 16 === 0) await nextTurn()
    }
    return (threadTime() - began) / fetches.length
  })
}

export async function run(report) {
  const broker = await Broker.open('memory:')
  try {
    await produces(report, broker)
    await fetches(report, broker)
  } finally {
    await broker.close()
  }
}
