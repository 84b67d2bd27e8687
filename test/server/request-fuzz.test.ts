import { expect, onTestFinished, test } from 'vitest'
import { answeredVersions } from '../../ts/broker/api/offered-apis.js'
import type { Broker } from '../../ts/broker/broker.js'
import { type ApiKey, apiKey, apis } from '../../ts/protocol/apis.js'
import { type Part, readResponse, readResponseHeader, writeRequest } from '../../ts/protocol/codec/frames.js'
import { Reader } from '../../ts/protocol/codec/reader.js'
import { isFileRegion } from '../../ts/protocol/file-region.js'
import { zeroUuid } from '../../ts/protocol/uuid.js'
import type { Peer } from '../../ts/server/client-request.js'
import { FrameReader } from '../../ts/server/frame-reader.js'
import { LongRequests } from '../../ts/server/long-requests.js'
import { runRequest } from '../../ts/server/run-request.js'
import { TestBroker } from '../broker/harness.js'
import { filledAt } from '../protocol/codec/message-arbitrary.js'
import { frameOf } from './harness.js'
import { sampleRequests, sampleTopic } from './sample-requests.js'

/** Executions of each test; set SEGLOG_FUZZ_RUNS for more, SEGLOG_FUZZ_SEED to repeat what failed. */
const runs = Number(process.env.SEGLOG_FUZZ_RUNS ?? 4000)
const seed = Number(process.env.SEGLOG_FUZZ_SEED ?? 1)
/** A broker is used for so many: what topics and groups they make would slow down the rest. */
const runsPerBroker = 2000
const minutes = 60_000

/** Numbers from 0 up to `below`, the same ones for the same seed (mulberry32). */
function randomNumbers(start: number): (below: number) => number {
  let state = start
  return (below) => {
    state = (state + 0x6d2b79f5) | 0
    let t = Math.imul(state ^ (state >>> 15), 1 | state)
    t = (t + Math.imul(t ^ (t >>> 7), 61 | t)) ^ t
    return ((t ^ (t >>> 14)) >>> 0) % below
  }
}

/** Whole requests of every API and version, without the length in front. */
function seeds(): Buffer[] {
  const all: Buffer[] = []
  for (const key of Object.keys(apis).map(Number) as ApiKey[]) {
    const { from, to } = answeredVersions(key) ?? { from: 0, to: -1 }
    for (let version = from; version <= to; version++) {
      const sample = sampleRequests[key]?.({ topicId: zeroUuid, version })
      if (sample !== undefined) all.push(frameOf(key, sample, version).subarray(4))
      const filled = filledAt(apis[key].request, version) as never
      all.push(Buffer.concat(writeRequest(key, version, 1, 'fuzz', filled)).subarray(4))
    }
  }
  return all
}

const int32s = [-1, 0, 1, 0x7fffffff, -0x80000000, 0xffff, 1000, 0x01010101]

/** A request changed in one to four places. Key and version mostly stay, or nothing behind them would be reached. */
function mutated(original: Buffer, others: readonly Buffer[], random: (below: number) => number): Buffer {
  let bytes = Buffer.from(original)
  for (let changes = 1 + random(4); changes > 0 && bytes.length > 4; changes--) {
    const at = random(20) === 0 ? random(bytes.length) : 4 + random(bytes.length - 4)
    switch (random(7)) {
      case 0:
        bytes[at] ^= 1 << random(8)
        break
      case 1:
        bytes[at] = random(256)
        break
      case 2:
        if (at + 4 <= bytes.length) bytes.writeInt32BE(int32s[random(int32s.length)]! | 0, at)
        break
      case 3:
        bytes = bytes.subarray(0, at)
        break
      case 4: {
        const end = Math.min(bytes.length, at + random(20))
        bytes = Buffer.concat([bytes.subarray(0, end), bytes.subarray(at)])
        break
      }
      case 5:
        bytes = Buffer.concat([bytes.subarray(0, at), bytes.subarray(Math.min(bytes.length, at + random(8)))])
        break
      default: {
        const other = others[random(others.length)]!
        bytes = Buffer.concat([bytes.subarray(0, at), other.subarray(Math.min(other.length, at))])
      }
    }
  }
  return bytes
}

const longRequests = new LongRequests()

/** Somebody whose connection has ended: nothing is waited for. */
const gone: Peer = {
  clientHost: '127.0.0.1',
  localAddress: '127.0.0.1',
  listener: 'PLAINTEXT',
  connectionId: '1',
  copiedBytes: 1 << 18,
  signal: AbortSignal.abort(),
  isGone: false,
  beginLong: () => longRequests.begin(),
  hold: () => {},
  letGo: () => {},
}

async function broker(): Promise<Broker> {
  const opened = await TestBroker.open('memory:')
  await opened.createTopic(sampleTopic)
  onTestFinished(() => opened.broker.close())
  return opened.broker
}

test('no request, however broken, is a fault of the broker', { timeout: 30 * minutes }, async () => {
  const random = randomNumbers(seed)
  const originals = seeds()
  expect(originals.length).toBeGreaterThan(200)
  let target = await broker()
  let refused = 0
  for (let run = 1; run <= runs; run++) {
    if (run % runsPerBroker === 0) {
      await target.close()
      target = await broker()
    }
    const bytes = mutated(originals[random(originals.length)]!, originals, random)
    const what = `run ${run} of seed ${seed}: ${bytes.toString('hex')}`
    try {
      const cut = random(bytes.length + 1)
      const chunks = [bytes.subarray(0, cut), bytes.subarray(cut)].filter(({ length }) => length > 0)
      const parts = await runRequest(target, { chunks, sizeBytes: bytes.length }, gone)
      expect(faults(parts, bytes), what).toEqual([])
    } catch (error) {
      const { code, message } = error as { code?: string; message: string }
      expect({ code, message, what }).toMatchObject({
        code: expect.stringMatching(/^(?!UNKNOWN_SERVER_ERROR)[A-Z_]+$/),
      })
      refused++
    }
  }
  // Both ways are taken.
  expect(refused).toBeGreaterThan(runs / 10)
  expect(refused).toBeLessThan(runs * 0.9)
})

/** What an answer should not have: a length that is not its own, bytes that cannot be read, the code for the unforeseen. */
function faults(parts: readonly Part[], request: Buffer): string[] {
  for (const part of parts) if (isFileRegion(part)) part.release()
  if (parts.length === 0) return []
  const frame = Buffer.concat(parts.map((part) => (isFileRegion(part) ? Buffer.alloc(part.length) : part)))
  if (frame.readInt32BE(0) !== frame.length - 4) return ['length']
  const key = request.readInt16BE(0) as ApiKey
  const { from, to } = answeredVersions(key)!
  const asked = request.readInt16BE(2)
  // ApiVersions of a version to come is answered by version 0.
  const version = asked < from || asked > to ? 0 : asked
  const reader = new Reader(frame.subarray(4))
  readResponseHeader(reader, key, version)
  const response = readResponse(reader, key, version)
  return hasUnforeseen(response)
    ? [JSON.stringify(response, (_, value) => (typeof value === 'bigint' ? `${value}` : value))]
    : []
}

function hasUnforeseen(value: unknown): boolean {
  if (typeof value !== 'object' || value === null || value instanceof Uint8Array) return false
  return Object.entries(value).some(([name, inner]) => (name === 'errorCode' ? inner === -1 : hasUnforeseen(inner)))
}

test('the frame reader takes any bytes in any pieces', { timeout: 30 * minutes }, () => {
  const random = randomNumbers(seed)
  const maxBytes = 2000
  for (let run = 1; run <= runs; run++) {
    const reader = new FrameReader(maxBytes)
    let came = 0
    let given = 0
    try {
      for (let piece = 0; piece < 20; piece++) {
        const bytes = Buffer.alloc(random(600), random(256))
        // A length that may be one, now and then.
        if (bytes.length > 4 && random(2) === 0) bytes.writeInt32BE(random(maxBytes + 2), random(bytes.length - 4))
        came += bytes.length
        reader.push(bytes)
        for (let frame = reader.next(); frame !== null; frame = reader.next()) {
          const held = frame.chunks.reduce((sum, { length }) => sum + length, 0)
          expect(held).toBe(frame.sizeBytes)
          given += 4 + held
        }
        if (random(10) === 0) reader.compact()
        expect(reader.bytes).toBe(came - given)
      }
    } catch (error) {
      expect(error).toMatchObject({ code: 'MALFORMED_MESSAGE' })
    }
  }
})

test('the seeds are answered', async () => {
  const target = await broker()
  for (const original of seeds()) {
    const key = original.readInt16BE(0) as ApiKey
    if (key === apiKey.produce) continue
    const parts = await runRequest(target, { chunks: [original], sizeBytes: original.length }, gone)
    expect(parts.length, `${apis[key].name} ${original.readInt16BE(2)}`).toBeGreaterThan(0)
    for (const part of parts) if (isFileRegion(part)) part.release()
  }
})
