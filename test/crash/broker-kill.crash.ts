import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { afterAll, describe, expect, test } from 'vitest'
import { type Consumer, open, type SeglogLog } from '../../ts/index.js'
import { randomFrom } from './child.js'
import { ServedBroker } from './served-broker.js'

const cycles = Number(process.env.SEGLOG_BROKER_KILL_CYCLES ?? 20)
const topic = 'orders'
const groupId = 'billing'
const partitions = 6
const members = 3
const retry = { initialRetryTime: 5, maxRetryTime: 100 }

/** What the members of the group were given and what the broker said was committed. */
class Ledger {
  readonly seen = new Set<string>()
  readonly faults: string[] = []
  commits = 0
  private readonly committed = new Array<bigint>(partitions).fill(0n)

  read(partition: number, offset: bigint, value: string): void {
    if (offset < this.committed[partition]!) {
      this.faults.push(
        `offset ${offset} of partition ${partition} was read again after ${this.committed[partition]} was committed`,
      )
    }
    this.seen.add(value)
  }

  stored(partition: number, offset: bigint): void {
    this.commits += 1
    if (offset > this.committed[partition]!) this.committed[partition] = offset
  }
}

describe('a broker killed during group work and idempotent produce', () => {
  const data = mkdtempSync(join(tmpdir(), 'seglog-broker-kill-'))
  const random = randomFrom(Number(process.env.SEGLOG_SEED ?? 20_261_124))
  afterAll(() => rmSync(data, { recursive: true, force: true }))

  test(`${cycles} cycles: no record is lost or doubled, the group goes on where it committed`, async () => {
    const broker = await ServedBroker.on(data)
    await broker.start()
    const log = await open(broker.target, { retry })
    await log.admin().createTopic({ topic, partitions })
    const ledger = new Ledger()
    const consumers = Array.from({ length: members }, () =>
      log.consumer({ groupId, from: 'earliest', autoCommit: false, maxWaitTimeInMs: 200 }),
    )
    const consuming = consumers.map((consumer) => consume(consumer, ledger))
    const producing = new Producing(log)
    for (let cycle = 0; cycle < cycles; cycle += 1) {
      await sleep(150 + random() * 700)
      await broker.stop('SIGKILL')
      await broker.start()
      if (cycle % 5 === 4) await expectNoNegativeLag(log)
    }
    await producing.end()
    const acknowledged = producing.acknowledged
    expect(acknowledged.length).toBeGreaterThan(cycles * 20)
    for (let waited = 0; waited < 120 && !acknowledged.every((value) => ledger.seen.has(value)); waited += 1) {
      await sleep(500)
    }
    expect(acknowledged.filter((value) => !ledger.seen.has(value))).toEqual([])
    expect(ledger.faults).toEqual([])
    expect(ledger.commits).toBeGreaterThan(cycles)
    await expectNoNegativeLag(log)
    for (const consumer of consumers) await consumer.close()
    await Promise.all(consuming)

    const stored = await readAll(log)
    expect(doubles(stored)).toEqual([])
    const there = new Set(stored.map(({ value }) => value))
    expect(acknowledged.filter((value) => !there.has(value))).toEqual([])
    await log.close()
    expect(await broker.stop('SIGTERM')).toBe(0)
  }, 1_200_000)
})

/** Sends numbered records for as long as it is not ended; what it was told is stored is in `acknowledged`. */
class Producing {
  readonly acknowledged: string[] = []
  private isEnding = false
  private readonly failures: unknown[] = []
  private readonly running: Promise<void>

  constructor(log: SeglogLog) {
    this.running = this.run(log)
  }

  async end(): Promise<void> {
    this.isEnding = true
    await this.running
    expect(this.failures).toEqual([])
  }

  private async run(log: SeglogLog): Promise<void> {
    const producer = log.producer({ acks: 'all', deliveryTimeout: 120_000 })
    const pending = new Set<Promise<void>>()
    for (let n = 0; !this.isEnding; n += 1) {
      const value = `record ${n}`
      const send = producer.send({ topic, messages: [{ key: `key ${n % 50}`, value }] }).then(
        () => {
          this.acknowledged.push(value)
        },
        (error) => {
          this.failures.push(error)
        },
      )
      const done = send.then(() => {
        pending.delete(done)
      })
      pending.add(done)
      if (pending.size >= 64) await Promise.race(pending)
      if (n % 16 === 0) await sleep(1)
    }
    await Promise.all(pending)
    await producer.close()
  }
}

/** Reads as a member of the group and commits each batch by hand once it is handled. */
async function consume(consumer: Consumer, ledger: Ledger): Promise<void> {
  await consumer.subscribe([topic])
  for await (const batch of consumer.batches()) {
    let next = 0n
    for (const { offset, value } of batch) {
      ledger.read(batch.partition, offset, String(value))
      next = offset + 1n
    }
    try {
      await consumer.commit([{ topic, partition: batch.partition, offset: next }])
      ledger.stored(batch.partition, next)
    } catch (error) {
      // The partition may be another member's by now, which reads the batch again.
      if (!(error as { code?: string }).code) throw error
    }
  }
}

async function expectNoNegativeLag(log: SeglogLog): Promise<void> {
  const consumer = log.consumer({ groupId })
  const places = [{ topic, partitions: Array.from({ length: partitions }, (_, index) => index) }]
  const committed = await consumer.committed(places)
  const ends = await log.admin().listOffsets({ topic })
  for (const { partition, offset } of committed) {
    const latest = ends.find((end) => end.partition === partition)!.latest
    if (offset !== null) expect(latest - offset, `lag of partition ${partition}`).toBeGreaterThanOrEqual(0n)
  }
  await consumer.close()
}

interface Stored {
  readonly value: string
  readonly partition: number
  readonly offset: bigint
}

/** Values that are stored more than once, with their places. */
function doubles(stored: readonly Stored[]): string[] {
  const places = new Map<string, string[]>()
  for (const { value, partition, offset } of stored) {
    places.set(value, [...(places.get(value) ?? []), `${partition}@${offset}`])
  }
  return [...places].filter(([, at]) => at.length > 1).map(([value, at]) => `${value}: ${at.join(' ')}`)
}

async function readAll(log: SeglogLog): Promise<Stored[]> {
  const ends = await log.admin().listOffsets({ topic })
  let left = ends.reduce((sum, { earliest, latest }) => sum + Number(latest - earliest), 0)
  const consumer = log.consumer({ from: 'earliest' })
  await consumer.subscribe([topic])
  const values: Stored[] = []
  for await (const message of consumer) {
    values.push({ value: String(message.value), partition: message.partition, offset: message.offset })
    left -= 1
    if (left === 0) break
  }
  await consumer.close()
  return values
}
