import { describe, expect, onTestFinished, test } from 'vitest'
import { Broker } from '../../ts/broker/broker.js'
import { SeglogLog } from '../../ts/client/log.js'
import type { RequestOptions, Transport } from '../../ts/client/transport.js'
import type { AssignorName, Consumer } from '../../ts/index.js'
import { isPromise, type MaybePromise } from '../../ts/log/maybe-promise.js'
import { openEngine } from '../../ts/native/open-engine.js'
import { type ApiKey, apiKey, type RequestOf, type ResponseOf } from '../../ts/protocol/apis.js'
import { InProcessTransport } from '../../ts/transport/in-process.js'
import { sleep, until } from '../client/group-setup.js'
import { randomFrom } from '../crash/child.js'

const topic = 'orders'
const groupId = 'billing'
const partitions = 14
const size = 10
const restarts = 40
const timing = { sessionTimeout: 800, heartbeatInterval: 100, rebalanceTimeout: 4_000, maxWaitTimeInMs: 300 }

/** What was processed, and what was committed when. */
class Ledger {
  readonly processed = new Map<string, number>()
  readonly faults: string[] = []
  private readonly committed = new Array<bigint>(partitions).fill(0n)

  process(partition: number, offset: bigint): void {
    if (offset < this.committed[partition]) {
      this.faults.push(`${partition}@${offset} again, after ${this.committed[partition]} was committed`)
    }
    const key = `${partition}@${offset}`
    this.processed.set(key, (this.processed.get(key) ?? 0) + 1)
  }

  commit(partition: number, offset: bigint): void {
    if (offset < this.committed[partition]) {
      this.faults.push(`${partition} goes back from ${this.committed[partition]} to ${offset}`)
    }
    this.committed[partition] = offset
  }
}

/** A member's connection, which can be cut for good: what is asked then is answered never, as for a process that died. */
class CuttableTransport implements Transport {
  readonly isRemote = false
  readonly backOff
  isCut = false

  constructor(
    private readonly inner: InProcessTransport,
    private readonly ledger: Ledger,
  ) {
    this.backOff = inner.backOff
  }

  request<K extends ApiKey>(key: K, request: RequestOf<K>, options?: RequestOptions): MaybePromise<ResponseOf<K>> {
    if (this.isCut) return new Promise(() => {})
    const answer = this.inner.request(key, request, options)
    if (key === apiKey.offsetCommit) this.watch(request as never, answer as never)
    if (!isPromise(answer)) return answer
    return answer.then((late) => (this.isCut ? new Promise(() => {}) : late))
  }

  nodeOf(): number {
    return 0
  }

  async close(): Promise<void> {}

  private watch(
    request: RequestOf<typeof apiKey.offsetCommit>,
    answer: MaybePromise<ResponseOf<typeof apiKey.offsetCommit>>,
  ): void {
    const see = (response: ResponseOf<typeof apiKey.offsetCommit>) => {
      for (const { partitionIndex, committedOffset } of request.topics[0].partitions) {
        const part = response.topics[0].partitions.find((one) => one.partitionIndex === partitionIndex)
        if (part?.errorCode === 0) this.ledger.commit(partitionIndex, committedOffset)
      }
    }
    if (isPromise(answer)) void answer.then(see)
    else see(answer)
  }
}

/** One process of the group, as far as its broker can tell. */
class Process {
  readonly consumer: Consumer
  readonly errors: unknown[] = []
  private readonly transport: CuttableTransport
  private readonly running: Promise<void>

  constructor(
    broker: Broker,
    readonly name: string,
    ledger: Ledger,
    options: { partitionAssigners: AssignorName[]; groupInstanceId?: string },
    random: () => number,
  ) {
    this.transport = new CuttableTransport(new InProcessTransport(broker), ledger)
    const engine = openEngine()
    const log = new SeglogLog(this.transport, (bytes) => engine.crc32c(bytes), 'memory:', false)
    const common = { groupId, clientId: name, from: 'earliest' as const, autoCommitInterval: 50 }
    this.consumer = log.consumer({ ...common, ...timing, ...options })
    this.running = this.run(ledger, random).catch((error) => void this.errors.push(error))
  }

  /** As SIGTERM. */
  async end(): Promise<void> {
    await this.consumer.close()
    await this.running
  }

  /** As SIGKILL: it is simply not heard of any more. */
  kill(): void {
    this.transport.isCut = true
  }

  private async run(ledger: Ledger, random: () => number): Promise<void> {
    await this.consumer.subscribe([topic])
    await this.consumer.run({
      concurrency: 2,
      eachMessage: async ({ partition, offset }) => {
        if (this.transport.isCut) return
        ledger.process(partition, offset)
        await sleep(random() * 3)
      },
    })
  }
}

async function produce(broker: Broker, isOver: () => boolean): Promise<number> {
  const engine = openEngine()
  const log = new SeglogLog(
    new InProcessTransport(broker, async () => {}),
    (bytes) => engine.crc32c(bytes),
    'memory:',
    false,
  )
  const producer = log.producer({ acks: 1 })
  let count = 0
  while (!isOver()) {
    const messages = Array.from({ length: partitions }, (_, partition) => ({ value: String(count), partition }))
    await producer.send({ topic, messages })
    count += partitions
    await sleep(10)
  }
  await producer.close()
  return count
}

describe.each([['range'], ['cooperative-sticky']] as const)('a group of ten, %s', (strategy) => {
  test('rolling restarts and kills: each record at least once, none again after its commit, nobody stuck', async () => {
    const random = randomFrom(Number(process.env.SEGLOG_SEED ?? 20_261_125))
    const broker = await Broker.open('memory:', { config: { 'group.min.session.timeout.ms': 100 } })
    onTestFinished(() => broker.close())
    const admin = new SeglogLog(new InProcessTransport(broker, async () => {}), () => 0, 'memory:', false).admin()
    await admin.createTopic({ topic, partitions })
    const ledger = new Ledger()
    // Half of them keep a lasting name over their restarts.
    const start = (place: number) => {
      const groupInstanceId = place % 2 === 0 ? `place-${place}` : undefined
      const name = `member-${place}`
      return new Process(broker, name, ledger, { partitionAssigners: [strategy], groupInstanceId }, random)
    }
    const group = Array.from({ length: size }, (_, place) => start(place))
    let isOver = false
    const producing = produce(broker, () => isOver)
    for (let restart = 0; restart < restarts; restart++) {
      await sleep(random() * 150)
      const place = Math.floor(random() * size)
      if (random() < 0.4) group[place].kill()
      else await group[place].end()
      group[place] = start(place)
    }
    isOver = true
    const count = await producing
    await until(() => ledger.processed.size === count)
    await until(async () => {
      const { state, members } = await admin.describeGroup(groupId)
      return state === 'Stable' && members.length === size && members.every(({ assignment }) => assignment.length > 0)
    })
    await Promise.all(group.map((one) => one.end()))
    expect(ledger.faults).toEqual([])
    expect(group.flatMap(({ errors }) => errors)).toEqual([])
    expect(await admin.lag(groupId)).toHaveLength(partitions)
    for (const { lag } of await admin.lag(groupId)) expect(lag).toBe(0n)
  }, 120_000)
})
