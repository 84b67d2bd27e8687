import { expect, onTestFinished, test } from 'vitest'
import { type Consumer, open, type SeglogLog, type StalledEvent } from '../../ts/index.js'
import { append, committedOf, fill, member, newGroup, quickHeartbeats, range, sleep, until } from './group-setup.js'

// Sessions shorter than a broker permits by itself, and its own process: members that stand still together with it.

const timing = { sessionTimeout: 300, heartbeatInterval: 50 }
const config = {
  'group.min.session.timeout.ms': 100,
  'group.consumer.min.session.timeout.ms': 100,
  'group.consumer.session.timeout.ms': 300,
  ...quickHeartbeats,
}

async function openLog(): Promise<SeglogLog> {
  const log = await open('memory:', { config })
  onTestFinished(() => log.close())
  return log
}

/** A machine that has much to do holds up the event loop as well, which is told too. */
function onStalledHandler(consumer: Consumer, told: (event: StalledEvent) => void): void {
  consumer.on('stalled', (event) => {
    if (event.kind === 'handler') told(event)
  })
}

test('an asynchronous handler slower than the session keeps its place', async () => {
  const log = await openLog()
  const group = newGroup()
  await fill(log, 3)
  const consumer = await member(log, group, timing)
  const told: string[] = []
  for (const event of ['revoked', 'lost', 'rebalance'] as const) consumer.on(event, () => told.push(event))
  const seen: number[] = []
  for await (const { value } of consumer) {
    seen.push(Number(value))
    if (seen.length === 2) await sleep(1_000)
    if (seen.length === 3) break
  }
  expect(seen).toEqual([0, 1, 2])
  expect(told).toEqual(['rebalance'])
  await consumer.close()
  expect(await committedOf(log, group)).toBe(2n)
})

test('a handler that blocks the event loop is told of, and no member in this process is expired by it', async () => {
  const log = await openLog()
  const group = newGroup()
  await fill(log, 5, 2)
  const members = [await member(log, group, timing), await member(log, group, timing)]
  const stalls: StalledEvent[] = []
  const told: string[] = []
  let count = 0
  const running = members.map((consumer) => {
    consumer.on('stalled', (event) => stalls.push(event))
    consumer.on('lost', () => told.push('lost'))
    return consumer.run({
      eachMessage: () => {
        count++
      },
    })
  })
  await until(() => count === 10 && members.every((one) => one.assignment().length === 1))
  for (const one of members) one.on('rebalance', () => told.push('rebalance'))
  // Who does not know yet how often to be heard of looks at the clock once a second.
  const endMs = performance.now() + 2_500
  while (performance.now() < endMs);
  await sleep(500)
  expect(told).toEqual([])
  expect(new Set(stalls.map(({ kind }) => kind))).toEqual(new Set(['event-loop']))
  // A machine that has much to do may hold up the loop for a moment as well.
  expect(stalls.filter(({ duration }) => duration > 1_000)).toHaveLength(2)
  await append(log, 5, 6, 2)
  await until(() => count === 12)
  await Promise.all(members.map((one) => one.close()))
  await Promise.all(running)
})

test('a record in hand for too long: told, the member leaves, another goes on with it; it joins again by asking', async () => {
  const log = await openLog()
  const group = newGroup()
  await fill(log, 3)
  const slow = await member(log, group, { ...timing, maxPollInterval: 200 })
  const stalls: StalledEvent[] = []
  const told: string[] = []
  onStalledHandler(slow, (event) => stalls.push(event))
  slow.on('revoked', () => told.push('revoked'))
  const seen: string[] = []
  let go = () => {}
  const running = slow.run({
    eachMessage: async ({ value }) => {
      seen.push(`slow ${value}`)
      if (String(value) === '1') await new Promise<void>((resolve) => (go = resolve))
    },
  })
  await until(() => stalls.length > 0)
  expect(stalls[0]).toMatchObject({ kind: 'handler', topic: 't', partition: 0, offset: 1n })
  expect(stalls[0].duration).toBeGreaterThanOrEqual(200)
  await until(() => told.length > 0)
  const other = await member(log, group, timing)
  for await (const { value } of other) {
    seen.push(`other ${value}`)
    if (String(value) === '2') {
      await other.commit()
      break
    }
  }
  await other.close()
  go()
  await append(log, 3, 4)
  await until(() => seen.includes('slow 3'))
  expect(seen).toEqual(['slow 0', 'slow 1', 'other 1', 'other 2', 'slow 3'])
  await slow.close()
  await running
})

test('a consumer without a loop leaves too, and comes back with one', async () => {
  const log = await openLog()
  const group = newGroup()
  await fill(log, 3)
  const consumer = await member(log, group, { ...timing, maxPollInterval: 150 })
  const stalls: StalledEvent[] = []
  onStalledHandler(consumer, (event) => stalls.push(event))
  for await (const _ of consumer) break
  await until(() => consumer.assignment().length === 0)
  expect(stalls).toMatchObject([{ kind: 'handler' }])
  expect(stalls[0].topic).toBeUndefined()
  const seen: number[] = []
  for await (const { value } of consumer) {
    seen.push(Number(value))
    if (seen.length === 3) break
  }
  expect(seen).toEqual(range(0, 3))
  await consumer.close()
})

test('a rebalance waits for what is in hand only so long; then it comes again elsewhere', async () => {
  const log = await openLog()
  const group = newGroup()
  await fill(log, 4, 2)
  // It gives up early enough to commit in time what the other partition came to.
  const slow = await member(log, group, { heartbeatInterval: 1_000, rebalanceTimeout: 4_000 })
  const seen: string[] = []
  let go = () => {}
  const running = slow.run({
    eachMessage: async ({ partition, value }) => {
      seen.push(`slow ${partition}:${value}`)
      if (seen.length === 3) await new Promise<void>((resolve) => (go = resolve))
    },
  })
  await until(() => seen.length === 3)
  const stuck = seen[2].slice(5)
  const other = await member(log, group, timing)
  const reading = other.run({ eachMessage: ({ partition, value }) => void seen.push(`other ${partition}:${value}`) })
  await until(() => slow.assignment().length === 1 && other.assignment().length === 1)
  go()
  await until(() => new Set(seen.map((one) => one.split(' ')[1])).size === 8)
  await until(() => seen.filter((one) => one.endsWith(` ${stuck}`)).length === 2)
  await Promise.all([slow.close(), other.close(), running, reading])
  expect(seen).toHaveLength(9)
})
