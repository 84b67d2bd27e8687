import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, onTestFinished, test } from 'vitest'
import { type Consumer, type ConsumerOptions, open, type RecordMetadata, type SeglogLog } from '../../ts/index.js'
import { until } from '../client/group-setup.js'
import { readAll } from '../client/read-all.js'
import { randomFrom } from '../crash/child.js'
import { fetchJars, KafkaBroker, missingTools } from './kafka.js'
import { quickSessions } from './matrix/client-suite.js'
import { CuttingProxy } from './matrix/cutting-proxy.js'
import { newTopic } from './matrix/topics.js'

/**
 * Our own client against Apache Kafka, whose connections are cut at random and whose process is killed: nothing that
 * was acknowledged is lost, an idempotent producer doubles nothing, and a group goes on where it has committed.
 */

const missing = missingTools()
const partitions = 3
const protocols: [string, ConsumerOptions][] = [
  ['classic', { sessionTimeout: 10_000, heartbeatInterval: 300 }],
  ['consumer', { groupProtocol: 'consumer' }],
]
const folder = mkdtempSync(join(tmpdir(), 'seglog-own-client-'))
const broker = new KafkaBroker(folder)
let proxy: CuttingProxy

beforeAll(async () => {
  if (missing !== null) return
  fetchJars()
  proxy = await CuttingProxy.listen(() => broker.bootstrap, randomFrom(Number(process.env.SEGLOG_SEED ?? 11)))
  await broker.start({ advertise: proxy.address, config: quickSessions })
})

afterAll(async () => {
  await proxy?.close()
  await broker.stop('SIGKILL')
  rmSync(folder, { recursive: true, force: true })
})

async function openLog(): Promise<SeglogLog> {
  const log = await open(`kafka://${proxy.address}`, { retry: { initialRetryTime: 10, maxRetryTime: 200 } })
  onTestFinished(async () => {
    proxy.calm()
    await log.close()
  })
  return log
}

async function openTopic(purpose: string) {
  proxy.calm()
  const log = await openLog()
  const topic = newTopic(purpose)
  await log.admin().createTopic({ topic, partitions })
  return { log, topic, groupId: `group-of-${topic}` }
}

const window = 100

/**
 * Sends values `from` to `to`, in turn to each partition, some at a time, the next when `isTimeFor` them. Resolves to
 * what became of each.
 */
async function sendAll(
  log: SeglogLog,
  topic: string,
  from: number,
  to: number,
  isTimeFor: (first: number) => boolean = () => true,
): Promise<Map<number, RecordMetadata>> {
  const producer = log.producer({ batchSize: 2_048 })
  const sent = new Map<number, RecordMetadata>()
  for (let first = from; first < to; first += window) {
    await until(() => isTimeFor(first))
    const values = Array.from({ length: Math.min(window, to - first) }, (_, n) => first + n)
    const send = async (n: number) => {
      const messages = [{ value: `${n} ${'.'.repeat(n % 100)}`, partition: n % partitions }]
      sent.set(n, (await producer.send({ topic, messages }))[0]!)
    }
    await Promise.all(values.map(send))
  }
  await producer.close()
  return sent
}

const numberOf = (value: Buffer | null) => Number.parseInt(String(value), 10)

/** Every value is there once, in order, and where its send said that it is. */
async function expectEachOnce(log: SeglogLog, topic: string, count: number, sent: ReadonlyMap<number, RecordMetadata>) {
  const found: number[][] = Array.from({ length: partitions }, () => [])
  for (const { partition, offset, value } of await readAll(log, topic)) {
    found[partition]!.push(numberOf(value))
    expect(sent.get(numberOf(value))).toMatchObject({ partition, baseOffset: offset })
  }
  for (const [partition, numbers] of found.entries()) {
    expect(numbers).toEqual(Array.from({ length: count / partitions }, (_, n) => n * partitions + partition))
  }
}

/** What members of a group were handed, and what of it came again though it had been committed. */
class Handled {
  readonly numbers = new Set<number>()
  readonly faults: string[] = []
  private readonly committed = Array.from({ length: partitions }, () => 0n)
  private handed = 0

  /** A member that commits now and then, until it is closed. */
  async join(log: SeglogLog, topic: string, groupId: string, options: ConsumerOptions): Promise<Worker> {
    // An answer must be smaller than what the proxy lets through before it cuts.
    const sizes = { maxBytesPerPartition: 4_096 }
    const timing = { autoCommitInterval: 100, maxWaitTimeInMs: 300 }
    const consumer = log.consumer({ groupId, from: 'earliest', ...timing, ...sizes, ...options })
    await consumer.subscribe([topic])
    const running = consumer.run({
      eachMessage: async ({ partition, offset, value }) => {
        if (offset < this.committed[partition]!) this.faults.push(`${partition}/${offset} after its commit`)
        this.numbers.add(numberOf(value))
        if (++this.handed % 50 !== 0) return
        // The message in hand is not done: the commit ends before it. One that fails promises nothing.
        const isCommitted = await consumer.commit().then(
          () => true,
          () => false,
        )
        if (isCommitted && offset > this.committed[partition]!) this.committed[partition] = offset
      },
    })
    return { consumer, running }
  }
}

interface Worker {
  readonly consumer: Consumer
  readonly running: Promise<void>
}

async function stop({ consumer, running }: Worker): Promise<void> {
  await consumer.close()
  await running
}

/** Nobody is behind, and a new member is handed what comes from now on, nothing of before. */
async function expectToGoOn(
  log: SeglogLog,
  topic: string,
  groupId: string,
  count: number,
  options: ConsumerOptions,
): Promise<void> {
  const lags = await log.admin().lag(groupId)
  expect(lags.map(({ partition, lag }) => [partition, lag])).toEqual([0, 1, 2].map((partition) => [partition, 0n]))
  const later = new Handled()
  const worker = await later.join(log, topic, groupId, options)
  const more = 30
  await sendAll(log, topic, count, count + more)
  await until(() => later.numbers.size >= more)
  await stop(worker)
  expect([...later.numbers].sort((a, b) => a - b)).toEqual(Array.from({ length: more }, (_, n) => count + n))
}

describe.skipIf(missing !== null)(`connections cut at random${missing ? ` (${missing})` : ''}`, () => {
  test('an idempotent producer loses nothing and doubles nothing', async () => {
    const { log, topic } = await openTopic('own-cut')
    const count = 6_000
    proxy.wild()
    const cutsBefore = proxy.cuts
    const sent = await sendAll(log, topic, 0, count)
    proxy.calm()
    expect(proxy.cuts - cutsBefore).toBeGreaterThan(10)
    await expectEachOnce(log, topic, count, sent)
  })

  test.each(protocols)(
    'a group is handed everything, nothing again that it committed, and goes on where it was, %s',
    async (name, options) => {
      const { log, topic, groupId } = await openTopic(`own-cut-group-${name}`)
      const count = 3_000
      const handled = new Handled()
      const logs = [log, await openLog()]
      proxy.wild()
      const cutsBefore = proxy.cuts
      const workers = await Promise.all(logs.map((one) => handled.join(one, topic, groupId, options)))
      await sendAll(log, topic, 0, count)
      await until(() => handled.numbers.size === count)
      proxy.calm()
      expect(proxy.cuts - cutsBefore).toBeGreaterThan(10)
      await Promise.all(workers.map(stop))
      expect(handled.faults).toEqual([])
      await expectToGoOn(log, topic, groupId, count, options)
    },
  )
})

test.skipIf(missing !== null).each(protocols)(
  'killed and started again, twice, amid the work of both, %s',
  async (name, options) => {
    const { log, topic, groupId } = await openTopic(`own-kill-${name}`)
    const count = 6_000
    const handled = new Handled()
    const worker = await handled.join(log, topic, groupId, options)
    // What is sent and what is read come to an end together, well after the last kill.
    const sending = sendAll(log, topic, 0, count, (first) => first - handled.numbers.size < 500)
    for (const moment of [1_000, 3_000]) {
      await until(() => handled.numbers.size > moment)
      await broker.stop('SIGKILL')
      await broker.start({ advertise: proxy.address, samePort: true, config: quickSessions })
    }
    const sent = await sending
    await until(() => handled.numbers.size === count)
    await stop(worker)
    expect(handled.faults).toEqual([])
    await expectEachOnce(log, topic, count, sent)
    await expectToGoOn(log, topic, groupId, count, options)
  },
)
