import { describe, expect, test } from 'vitest'
import type { AssignorName, Consumer, ConsumerMessage, ConsumerOptions, SeglogLog } from '../../ts/index.js'
import { append, fill, member, newGroup, sleep, topic, until } from './group-setup.js'
import { openTarget } from './target.js'

/** What members of a group did with each record, and what they say of their partitions. */
class Ledger {
  /** By `partition:value`, who processed it, in order. */
  readonly processed = new Map<string, string[]>()
  readonly owners = new Map<number, string>()
  readonly faults: string[] = []
  readonly rebalances = new Map<string, number>()

  get count(): number {
    return this.processed.size
  }

  record(name: string, { partition, value }: ConsumerMessage): void {
    const key = `${partition}:${value}`
    if (this.owners.get(partition) !== name)
      this.faults.push(`${name} has ${key}, which is ${this.owners.get(partition)}'s`)
    this.processed.set(key, [...(this.processed.get(key) ?? []), name])
  }

  watch(name: string, consumer: Consumer): void {
    consumer.on('rebalance', () => this.rebalances.set(name, (this.rebalances.get(name) ?? 0) + 1))
    consumer.on('assigned', ({ partitions }) => {
      for (const { partition } of partitions) {
        const owner = this.owners.get(partition)
        if (owner !== undefined) this.faults.push(`${name} is given ${partition}, which ${owner} has`)
        this.owners.set(partition, name)
      }
    })
    for (const event of ['revoked', 'lost'] as const) {
      consumer.on(event, ({ partitions }) => {
        for (const { partition } of partitions) this.owners.delete(partition)
      })
    }
  }

  /** Records that were processed more than once. */
  get twice(): string[] {
    return [...this.processed].filter(([, names]) => names.length > 1).map(([key]) => key)
  }
}

interface Worker {
  consumer: Consumer
  running: Promise<void>
}

async function work(log: SeglogLog, group: string, ledger: Ledger, name: string, options = {}): Promise<Worker> {
  const consumer = await member(log, group, { clientId: name, ...options })
  ledger.watch(name, consumer)
  const running = consumer.run({
    eachMessage: async (message) => {
      await sleep(Math.random() * 2)
      ledger.record(name, message)
    },
    concurrency: 2,
  })
  return { consumer, running }
}

async function stop({ consumer, running }: Worker): Promise<void> {
  await consumer.close()
  await running
}

const strategies: AssignorName[] = ['range', 'roundRobin', 'sticky', 'cooperative-sticky']
const byBroker = (assignor: string): ConsumerOptions => ({ groupProtocol: 'consumer', groupRemoteAssignor: assignor })
const ways: [string, ConsumerOptions][] = [
  ...strategies.map((name): [string, ConsumerOptions] => [name, { partitionAssigners: [name] }]),
  ['uniform, by the broker', byBroker('uniform')],
  ['range, by the broker', byBroker('range')],
]

describe.each(ways)('%s', (_, options) => {
  test('members that come and go: each record once, no partition at two members at once', async () => {
    const log = await openTarget()
    const group = newGroup()
    const ledger = new Ledger()
    await fill(log, 20, 6)
    const first = await work(log, group, ledger, 'a', options)
    await until(() => ledger.count > 5)
    const second = await work(log, group, ledger, 'b', options)
    const third = await work(log, group, ledger, 'c', options)
    await until(() => new Set(ledger.owners.values()).size === 3 && ledger.owners.size === 6)
    await append(log, 20, 60, 6)
    await until(() => ledger.count > 200)
    await stop(first)
    const fourth = await work(log, group, ledger, 'd', options)
    await until(() => ledger.owners.size === 6 && [...ledger.owners.values()].includes('d'))
    await append(log, 60, 80, 6)
    await until(() => ledger.count === 480)
    await Promise.all([stop(second), stop(third), stop(fourth)])
    expect(ledger.faults).toEqual([])
    expect(ledger.twice).toEqual([])
  })

  test('ten members, all at once, then each restarted in turn', async () => {
    const log = await openTarget()
    const group = newGroup()
    const ledger = new Ledger()
    await fill(log, 10, 20)
    const isShared = () => new Set(ledger.owners.values()).size === 10 && ledger.owners.size === 20
    const names = Array.from({ length: 10 }, (_, n) => `m${n}`)
    const workers = await Promise.all(names.map((name) => work(log, group, ledger, name, options)))
    await until(isShared)
    for (const [n, name] of names.entries()) {
      await append(log, 10 + n, 11 + n, 20)
      await stop(workers[n])
      workers[n] = await work(log, group, ledger, `${name}-again`, options)
    }
    await until(isShared)
    await append(log, 20, 30, 20)
    await until(() => ledger.count === 600)
    await Promise.all(workers.map(stop))
    expect(ledger.faults).toEqual([])
    expect(ledger.twice).toEqual([])
    expect((await log.admin().lag(group)).map(({ lag }) => lag)).toEqual(Array.from({ length: 20 }, () => 0n))
  })
})

test('a member that is closed in the middle of its work: nothing is lost, nothing committed comes again', async () => {
  const log = await openTarget()
  const group = newGroup()
  const ledger = new Ledger()
  await fill(log, 30, 4)
  const quitter = await member(log, group, { clientId: 'quitter' })
  ledger.watch('quitter', quitter)
  const inHand: string[] = []
  for await (const message of quitter) {
    ledger.record('quitter', message)
    if (ledger.count < 17) continue
    inHand.push(`${message.partition}:${message.value}`)
    break
  }
  const closing = quitter.close()
  const others = [await work(log, group, ledger, 'a'), await work(log, group, ledger, 'b')]
  await closing
  await until(() => ledger.count === 120)
  await Promise.all(others.map(stop))
  expect(ledger.twice).toEqual(inHand)
  expect(ledger.faults).toEqual([])
})

describe('eager and cooperative', () => {
  const listen = (consumer: Consumer, told: string[]) => {
    for (const event of ['assigned', 'revoked', 'lost'] as const) {
      consumer.on(event, ({ partitions }) => {
        told.push(`${event} ${partitions.map(({ partition }) => partition).sort()}`)
      })
    }
  }

  test.each<[string, ConsumerOptions, string[]]>([
    ['range', { partitionAssigners: ['range'] }, ['assigned 0,1,2,3', 'revoked 0,1,2,3', 'assigned 0,1']],
    [
      'cooperative-sticky',
      { partitionAssigners: ['cooperative-sticky'] },
      ['assigned 0,1,2,3', 'revoked 2,3', 'assigned ', 'assigned '],
    ],
    ['by the broker', { groupProtocol: 'consumer' }, ['assigned 0,1,2,3', 'revoked 2,3', 'assigned ']],
  ])('%s: what the first member is told when a second comes', async (_, options, expected) => {
    const log = await openTarget()
    const group = newGroup()
    const ledger = new Ledger()
    const told: string[] = []
    await fill(log, 1, 4)
    const first = await work(log, group, ledger, 'a', options)
    listen(first.consumer, told)
    await until(() => ledger.count === 4)
    const second = await work(log, group, ledger, 'b', options)
    await until(() => ledger.owners.size === 4 && [...ledger.owners.values()].includes('b'))
    await until(() => told.length >= expected.length)
    const kept = first.consumer.assignment().length
    expect(kept).toBe(2)
    expect(told.map((one) => one.replace(/\d/g, 'n'))).toEqual(expected.map((one) => one.replace(/\d/g, 'n')))
    await Promise.all([stop(first), stop(second)])
  })

  test.each<[string, ConsumerOptions]>([
    ['cooperative', { partitionAssigners: ['cooperative-sticky'] }],
    ['by the broker', { groupProtocol: 'consumer' }],
  ])('%s: the first member goes on reading while the group rebalances', async (_, way) => {
    const log = await openTarget()
    const group = newGroup()
    await fill(log, 1, 2)
    const options = { ...way, rebalanceTimeout: 30_000 }
    const first = await member(log, group, options)
    const second = await member(log, group, options)
    const seen: string[] = []
    const reading = first.run({ eachMessage: ({ partition, value }) => void seen.push(`${partition}:${value}`) })
    await until(() => seen.length === 2)
    const told = new Promise<void>((resolve) => {
      const onRebalance = async () => {
        first.off('rebalance', onRebalance)
        await append(log, 1, 2, 2)
        resolve()
      }
      first.on('rebalance', onRebalance)
    })
    const other = second.run({ eachMessage: ({ partition, value }) => void seen.push(`${partition}:${value}`) })
    await told
    await until(() => new Set(seen).size === 4)
    await Promise.all([first.close(), second.close(), reading, other])
    expect(seen).toHaveLength(4)
  })
})

describe('static members', () => {
  test.each([['classic' as const], ['consumer' as const]])(
    'one that restarts gets its partitions back, and the others notice nothing, %s',
    async (groupProtocol) => {
      const log = await openTarget()
      const group = newGroup()
      const ledger = new Ledger()
      await fill(log, 10, 4)
      const start = (name: string) => work(log, group, ledger, name, { groupInstanceId: name, groupProtocol })
      const other = await start('a')
      let restarted = await start('b')
      await until(() => ledger.count === 40 && new Set(ledger.owners.values()).size === 2 && ledger.owners.size === 4)
      const before = restarted.consumer.assignment()
      const rebalances = ledger.rebalances.get('a')
      for (let round = 0; round < 3; round++) {
        await stop(restarted)
        restarted = await start('b')
        await until(() => restarted.consumer.assignment().length > 0)
        expect(restarted.consumer.assignment()).toEqual(before)
      }
      await append(log, 10, 20, 4)
      await until(() => ledger.count === 80)
      expect(ledger.rebalances.get('a')).toBe(rebalances)
      expect(ledger.twice).toEqual([])
      await Promise.all([stop(other), stop(restarted)])
    },
  )

  test('a second process of the same name takes over; the first is told', async () => {
    const log = await openTarget()
    const group = newGroup()
    await fill(log, 5)
    const first = await member(log, group, { groupInstanceId: 'i' })
    const seen: string[] = []
    const reading = first.run({ eachMessage: ({ value }) => void seen.push(String(value)) })
    await until(() => seen.length === 5)
    const lost = new Promise((resolve) => first.on('lost', resolve))
    const second = await member(log, group, { groupInstanceId: 'i' })
    const running = second.run({ eachMessage: () => {} })
    await expect(reading).rejects.toMatchObject({ code: 'FENCED_INSTANCE_ID' })
    expect(await lost).toMatchObject({ partitions: [{ topic, partition: 0 }], error: { code: 'FENCED_INSTANCE_ID' } })
    await second.close()
    await running
  })

  test('by the consumer protocol it is the second that is told', async () => {
    const log = await openTarget()
    const group = newGroup()
    const options: ConsumerOptions = { groupProtocol: 'consumer', groupInstanceId: 'i' }
    await fill(log, 5)
    const first = await member(log, group, options)
    const seen: string[] = []
    const reading = first.run({ eachMessage: ({ value }) => void seen.push(String(value)) })
    await until(() => seen.length === 5)
    const second = await member(log, group, options)
    await expect(second.run({ eachMessage: () => {} })).rejects.toMatchObject({ code: 'UNRELEASED_INSTANCE_ID' })
    await append(log, 5, 6)
    await until(() => seen.length === 6)
    await first.close()
    await reading
    const asked = second.run({ eachMessage: () => {} })
    await until(() => second.assignment().length === 1)
    await second.close()
    await asked
  })
})
