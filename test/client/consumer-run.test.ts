import { describe, expect, test } from 'vitest'
import { append, committedOf, fill, member, newGroup, range, sleep, take, until, values } from './group-setup.js'
import { rejection } from './rejection.js'
import { openTarget } from './target.js'

const place = (partition: number) => ({ topic: 't', partition })

describe('several partitions at once', () => {
  test('each in order, as many as asked for', async () => {
    const log = await openTarget()
    await fill(log, 40, 6)
    const consumer = log.consumer({ from: 'earliest' })
    await consumer.subscribe(['t'])
    const seen = new Map<number, number[]>()
    const busy = new Set<number>()
    let most = 0
    let count = 0
    await consumer.run({
      concurrency: 3,
      eachMessage: async ({ partition, value }) => {
        expect(busy.has(partition)).toBe(false)
        busy.add(partition)
        most = Math.max(most, busy.size)
        await sleep(Math.random() * 2)
        seen.set(partition, [...(seen.get(partition) ?? []), Number(value)])
        busy.delete(partition)
        if (++count === 240) void consumer.close()
      },
    })
    expect(most).toBe(3)
    for (let partition = 0; partition < 6; partition++) expect(seen.get(partition)).toEqual(range(0, 40))
  })

  test('batches too', async () => {
    const log = await openTarget()
    await fill(log, 10, 4)
    await append(log, 10, 20, 4)
    const consumer = log.consumer({ from: 'earliest' })
    await consumer.subscribe(['t'])
    const seen = new Map<number, number[]>()
    let busy = 0
    let most = 0
    let count = 0
    await consumer.run({
      concurrency: 4,
      eachBatch: async (batch) => {
        most = Math.max(most, ++busy)
        await sleep(5)
        seen.set(batch.partition, [...(seen.get(batch.partition) ?? []), ...values([...batch])])
        count += batch.count
        busy--
        if (count === 80) void consumer.close()
      },
    })
    expect(most).toBeGreaterThan(1)
    for (let partition = 0; partition < 4; partition++) expect(seen.get(partition)).toEqual(range(0, 20))
  })

  test('a slow partition does not hold up the others, which are fetched again and again', async () => {
    const log = await openTarget()
    await fill(log, 5, 3)
    const consumer = log.consumer({ from: 'earliest', maxWaitTimeInMs: 500 })
    await consumer.subscribe(['t'])
    const seen: number[] = []
    let go = () => {}
    const running = consumer.run({
      concurrency: 2,
      eachMessage: async ({ partition, value }) => {
        if (partition === 0 && String(value) === '0') await new Promise<void>((resolve) => (go = resolve))
        else if (partition !== 0) seen.push(Number(value))
      },
    })
    await until(() => seen.length === 10)
    for (let round = 5; round < 10; round++) {
      await append(log, round, round + 1, 3)
      await until(() => seen.length === 2 * (round + 1))
    }
    go()
    await consumer.close()
    await running
  })

  test('more loops than partitions', async () => {
    const log = await openTarget()
    await fill(log, 5)
    const consumer = log.consumer({ from: 'earliest' })
    await consumer.subscribe(['t'])
    const seen: number[] = []
    const running = consumer.run({ concurrency: 8, eachMessage: ({ value }) => void seen.push(Number(value)) })
    await until(() => seen.length === 5)
    await append(log, 5, 6)
    await until(() => seen.length === 6)
    await consumer.close()
    await running
  })
})

describe('a handler that fails', () => {
  test('the others finish, nothing new is begun, and what was done is committed', async () => {
    const log = await openTarget()
    const group = newGroup()
    await fill(log, 10, 3)
    const consumer = await member(log, group)
    const begun: string[] = []
    const ended: string[] = []
    const running = consumer.run({
      concurrency: 3,
      eachMessage: async ({ partition, value }) => {
        begun.push(`${partition}:${value}`)
        if (partition === 1 && String(value) === '4') throw new Error('mine')
        await sleep(partition === 1 ? 0 : 3)
        ended.push(`${partition}:${value}`)
      },
    })
    expect(await rejection(running)).toMatchObject({ message: 'mine' })
    expect(begun).toHaveLength(ended.length + 1)
    const places = [0, 1, 2].map((partition) => Number(consumer.position(place(partition))))
    for (const partition of [0, 1, 2]) {
      expect(ended.filter((one) => one.startsWith(`${partition}:`))).toHaveLength(places[partition])
    }
    expect(places[1]).toBe(4)
    await consumer.close()
    for (const partition of [0, 1, 2]) expect(await committedOf(log, group, partition)).toBe(BigInt(places[partition]))
  })

  test('run again begins with the message that failed', async () => {
    const log = await openTarget()
    await fill(log, 4)
    const consumer = await member(log, newGroup())
    const seen: number[] = []
    const eachMessage = ({ value }: { value: Buffer | null }) => {
      seen.push(Number(value))
      if (seen.length === 2) throw new Error('mine')
      if (seen.length === 5) void consumer.close()
    }
    await rejection(consumer.run({ eachMessage }))
    await consumer.run({ eachMessage })
    expect(seen).toEqual([0, 1, 1, 2, 3])
  })
})

describe('commit() in a handler', () => {
  test('counts what handlers are done with, not what they have in hand', async () => {
    const log = await openTarget()
    const group = newGroup()
    await fill(log, 4)
    const consumer = await member(log, group, { autoCommit: false })
    const commits: (bigint | null)[] = []
    await consumer.run({
      eachMessage: async ({ offset }) => {
        await consumer.commit()
        commits.push(await committedOf(log, group))
        if (offset === 3n) void consumer.close()
      },
    })
    expect(commits.slice(1)).toEqual([1n, 2n, 3n])
  })
})

test('one loop at a time', async () => {
  const log = await openTarget()
  await fill(log, 3)
  const consumer = log.consumer({ from: 'earliest' })
  await consumer.subscribe(['t'])
  const running = consumer.run({ eachMessage: () => {} })
  expect(await rejection(take(consumer, 1))).toMatchObject({ code: 'CONSUMER_BUSY' })
  expect(await rejection(consumer.run({ eachMessage: () => {} }))).toMatchObject({ code: 'CONSUMER_BUSY' })
  await consumer.close()
  await running
  expect(await rejection(consumer.run({ eachMessage: () => {} }))).toMatchObject({ code: 'CLOSED' })
  expect(await rejection(consumer.run({ eachMessage: () => {}, concurrency: 0 }))).toMatchObject({
    code: 'INVALID_OPTION',
  })
})
