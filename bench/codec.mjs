/**
 * Kafka's messages read and written by the wire codec: the shapes a broker meets all day, each in microseconds of CPU. Every
 * message and version is used before the clock starts, so that no case profits from being the only one its code saw.
 */
import { loadInternal } from './lib/internals.mjs'
import { alternate } from './lib/rounds.mjs'

const { apis } = loadInternal('protocol/apis.ts')
const { covers, create, defaultsOf } = loadInternal('protocol/schema.ts')
const frames = loadInternal('protocol/codec/frames.ts')
const { Reader } = loadInternal('protocol/codec/reader.ts')

const samples = {
  bool: true,
  int8: 1,
  int16: 2,
  uint16: 3,
  int32: 4,
  int64: 5n,
  float64: 0.5,
  uuid: 'ABEiM0RVZneImaq7zN3u_w',
  string: 'name',
  bytes: Buffer.from('bytes'),
  records: Buffer.from('records'),
}
const id = samples.uuid
const range = (count) => Array.from({ length: count }, (_, n) => n)
const many = (count, element) => range(count).map(element)

function produce(partitions, bytes) {
  const records = Buffer.alloc(bytes, 1)
  const partitionData = many(partitions, (index) => ({ index, records }))
  return {
    transactionalId: null,
    acks: -1,
    timeoutMs: 30_000,
    topicData: [{ name: 'orders', topicId: id, partitionData }],
  }
}

function produced(partitions) {
  const partitionResponses = many(partitions, (index) => ({
    index,
    errorCode: 0,
    baseOffset: 123_456_789n + BigInt(index),
    logAppendTimeMs: -1n,
    logStartOffset: 0n,
    recordErrors: [],
    errorMessage: null,
  }))
  return { responses: [{ name: 'orders', topicId: id, partitionResponses }], throttleTimeMs: 0 }
}

function fetch(partitions) {
  const wanted = many(partitions, (partition) => ({
    partition,
    currentLeaderEpoch: 3,
    fetchOffset: 123_456_789n,
    lastFetchedEpoch: -1,
    logStartOffset: -1n,
    partitionMaxBytes: 1 << 20,
  }))
  const topics = [{ topic: 'orders', topicId: id, partitions: wanted }]
  return create(apis[1].request, { maxWaitMs: 500, minBytes: 1, maxBytes: 50 << 20, topics })
}

function fetched(partitions, bytes) {
  const records = Buffer.alloc(bytes, 1)
  const answers = many(partitions, (partitionIndex) => ({
    partitionIndex,
    errorCode: 0,
    highWatermark: 123_456_999n,
    lastStableOffset: 123_456_999n,
    logStartOffset: 0n,
    abortedTransactions: null,
    preferredReadReplica: -1,
    records,
  }))
  const responses = [{ topic: 'orders', topicId: id, partitions: answers }]
  return { throttleTimeMs: 0, errorCode: 0, sessionId: 0, responses }
}

function metadata(partitions) {
  const entries = many(partitions, (partitionIndex) => ({
    errorCode: 0,
    partitionIndex,
    leaderId: 1,
    leaderEpoch: 5,
    replicaNodes: [1],
    isrNodes: [1],
    offlineReplicas: [],
  }))
  const topic = { errorCode: 0, name: 'orders', topicId: id, isInternal: false, partitions: entries }
  return create(apis[3].response, {
    brokers: [{ nodeId: 1, host: '127.0.0.1', port: 9092, rack: null }],
    clusterId: id,
    controllerId: 1,
    topics: [{ ...topic, topicAuthorizedOperations: -0x8000_0000 }],
  })
}

const heartbeat = { groupId: 'billing', generationId: 7, memberId: `consumer-billing-1-${id}`, groupInstanceId: null }

const cases = [
  ['Produce v7 request, 1 partition of 16 KiB', 0, 7, 'request', produce(1, 16 << 10)],
  ['Produce v11 request, 1 partition of 16 KiB', 0, 11, 'request', produce(1, 16 << 10)],
  ['Produce v11 request, 100 partitions of 1 KiB', 0, 11, 'request', produce(100, 1 << 10)],
  ['Produce v7 response, 1 partition', 0, 7, 'response', produced(1)],
  ['Produce v11 response, 1 partition', 0, 11, 'response', produced(1)],
  ['Produce v11 response, 100 partitions', 0, 11, 'response', produced(100)],
  ['Fetch v11 request, 1 partition', 1, 11, 'request', fetch(1)],
  ['Fetch v16 request, 1 partition', 1, 16, 'request', fetch(1)],
  ['Fetch v16 request, 100 partitions', 1, 16, 'request', fetch(100)],
  ['Fetch v11 response, 1 partition of 64 KiB', 1, 11, 'response', fetched(1, 64 << 10)],
  ['Fetch v16 response, 1 partition of 64 KiB', 1, 16, 'response', fetched(1, 64 << 10)],
  ['Fetch v16 response, 100 partitions of 1 KiB', 1, 16, 'response', fetched(100, 1 << 10)],
  ['Metadata v12 response, 1,000 partitions', 3, 12, 'response', metadata(1000)],
  ['Heartbeat v4 request', 12, 4, 'request', heartbeat],
  ['Heartbeat v4 response', 12, 4, 'response', { throttleTimeMs: 0, errorCode: 0 }],
]

function writer(key, version, kind, message) {
  return kind === 'request'
    ? () => frames.writeRequest(key, version, 17, 'rdkafka', message)
    : () => frames.writeResponse(key, version, 17, message)
}

/** Reads what a socket would have delivered: chunks of up to 64 KiB. */
function reader(key, version, kind, parts) {
  const bytes = Buffer.concat(parts).subarray(4)
  const chunks = many(Math.ceil(bytes.length / 65_536), (n) => bytes.subarray(n * 65_536, (n + 1) * 65_536))
  return kind === 'request'
    ? () => {
        const input = new Reader(chunks)
        frames.readRequestHeader(input)
        return frames.readRequest(input, key, version)
      }
    : () => {
        const input = new Reader(chunks)
        frames.readResponseHeader(input, key, version)
        return frames.readResponse(input, key, version)
      }
}

/** A value for every field that the version has. */
function filled(type, version) {
  if (typeof type === 'string') return samples[type]
  if (type.kind === 'array') return [filled(type.of, version), filled(type.of, version)]
  const value = defaultsOf(type.fields)
  for (const [name, field] of Object.entries(type.fields))
    if (covers(field.versions, version)) value[name] = filled(field.type, version)
  return value
}

function useEverything() {
  for (const [key, { request, response }] of Object.entries(apis)) {
    for (let version = request.versions.from; version <= request.versions.to; version++) {
      for (const [kind, { fields }] of Object.entries({ request, response })) {
        const write = writer(Number(key), version, kind, filled({ kind: 'struct', fields }, version))
        reader(Number(key), version, kind, write())()
      }
    }
  }
}

let sink
/** CPU time, which other work on the machine does not stretch as much as the clock's. */
function microseconds(work, calls) {
  const { user: began } = process.cpuUsage()
  for (let n = 0; n < calls; n++) sink = work()
  return (process.cpuUsage().user - began) / calls
}

export async function run(report) {
  for (let n = 0; n < 100; n++) useEverything()
  const contenders = {}
  for (const [name, key, version, kind, message] of cases) {
    const write = writer(key, version, kind, message)
    const read = reader(key, version, kind, write())
    for (const [verb, work] of [
      ['write', write],
      ['read', read],
    ]) {
      const calls = Math.ceil(50_000 / Math.max(1, microseconds(work, 200)))
      // The first time after the collection between contenders meets a young generation shrunk to its least.
      contenders[`${verb} ${name}`] = () => Math.min(...range(3).map(() => microseconds(work, calls)))
    }
  }
  const figures = await alternate(7, contenders)
  for (const [name, value] of Object.entries(figures)) report({ name, value, unit: 'us CPU' })
  if (sink === undefined) throw new Error('nothing was done')
}
