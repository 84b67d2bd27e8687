import { describe, expect, test } from 'vitest'
import type { Consumer } from '../../ts/index.js'
import {
  append,
  committedOf,
  fill,
  isClassic,
  member,
  memberOptions,
  newGroup,
  range,
  take,
  until,
  values,
} from './group-setup.js'
import { rejection } from './rejection.js'
import { openTarget } from './target.js'

const place = { topic: 't', partition: 0 }

describe('what is committed', () => {
  test('a record when the next is asked for; a broken loop leaves the one in hand', async () => {
    const log = await openTarget()
    const group = newGroup()
    await fill(log, 10)
    const first = await member(log, group)
    expect(values(await take(first, 4))).toEqual([0, 1, 2, 3])
    expect(values(await take(first, 2))).toEqual([3, 4])
    await first.close()
    expect(await committedOf(log, group)).toBe(4n)
    const second = await member(log, group)
    expect(values(await take(second, 6))).toEqual(range(4, 10))
  })

  test('nor is one whose loop throws', async () => {
    const log = await openTarget()
    const group = newGroup()
    await fill(log, 10)
    const consumer = await member(log, group)
    const loop = async () => {
      for await (const message of consumer) if (message.offset === 5n) throw new Error('mine')
    }
    expect(await rejection(loop())).toMatchObject({ message: 'mine' })
    await consumer.close()
    expect(await committedOf(log, group)).toBe(5n)
  })

  test('a batch when the next is asked for', async () => {
    const log = await openTarget()
    const group = newGroup()
    await fill(log, 3)
    await append(log, 3, 10)
    const consumer = await member(log, group)
    for await (const batch of consumer.batches()) if (batch.baseOffset === 3n) break
    await consumer.close()
    expect(await committedOf(log, group)).toBe(3n)
  })

  test('by and by, while the loop goes on', async () => {
    const log = await openTarget()
    const group = newGroup()
    await fill(log, 10)
    const consumer = await member(log, group, { autoCommitInterval: 10 })
    const reading = take(consumer, 11)
    await until(async () => (await committedOf(log, group)) === 10n)
    await append(log, 10, 11)
    await reading
  })

  test('nothing by itself where autoCommit is off', async () => {
    const log = await openTarget()
    const group = newGroup()
    await fill(log, 10)
    const consumer = await member(log, group, { autoCommit: false, autoCommitInterval: 1 })
    await take(consumer, 5)
    await consumer.close()
    expect(await committedOf(log, group)).toBe(null)
    const again = await member(log, group)
    expect(values(await take(again, 1))).toEqual([0])
  })

  test('commit() in a loop counts what is in hand, so that a break does not bring it again: at most once', async () => {
    const log = await openTarget()
    const group = newGroup()
    await fill(log, 10)
    const consumer = await member(log, group, { autoCommit: false })
    for await (const message of consumer) {
      await consumer.commit()
      expect(await committedOf(log, group)).toBe(message.offset + 1n)
      if (message.offset === 3n) break
    }
    expect(consumer.position(place)).toBe(4n)
    expect(values(await take(consumer, 2))).toEqual([4, 5])
    await consumer.close()
    expect(await committedOf(log, group)).toBe(4n)
  })

  test('commit() in a loop of batches counts the batch in hand', async () => {
    const log = await openTarget()
    const group = newGroup()
    await fill(log, 10)
    const consumer = await member(log, group, { autoCommit: false })
    for await (const batch of consumer.batches()) {
      await consumer.commit()
      expect(await committedOf(log, group)).toBe(batch.lastOffset + 1n)
      break
    }
  })

  test('given offsets, with metadata and epoch', async () => {
    const log = await openTarget()
    const group = newGroup()
    await fill(log, 10)
    const consumer = await member(log, group, { autoCommit: false })
    const [first] = await take(consumer, 1)
    await consumer.commit([{ ...place, offset: 7, leaderEpoch: first.leaderEpoch, metadata: 'why' }])
    expect(await consumer.committed([{ topic: 't', partitions: [0] }])).toEqual([
      { ...place, offset: 7n, leaderEpoch: first.leaderEpoch, metadata: 'why' },
    ])
    expect(await consumer.committed()).toHaveLength(1)
    await consumer.commit([])
  })

  test('what cannot be committed', async () => {
    const log = await openTarget()
    await fill(log, 10)
    const consumer = await member(log, newGroup())
    await take(consumer, 1)
    const other = consumer.commit([{ topic: 't', partition: 1, offset: 1n }])
    expect(await rejection(other)).toMatchObject({ code: 'ILLEGAL_GENERATION', partition: 1 })
    const long = consumer.commit([{ ...place, offset: 1n, metadata: 'x'.repeat(5_000) }])
    expect(await rejection(long)).toMatchObject({ code: 'OFFSET_METADATA_TOO_LARGE', partition: 0 })
    const misspelled = consumer.commit([{ ...place, ofset: 1n } as never])
    expect(await rejection(misspelled)).toMatchObject({ code: 'MISSPELLED_OPTION' })
    expect(await rejection(consumer.commit([place as never]))).toMatchObject({ code: 'INVALID_OPTION' })
    await consumer.close()
    expect(await rejection(consumer.commit())).toMatchObject({ code: 'CLOSED' })
    expect(await rejection(consumer.committed())).toMatchObject({ code: 'CLOSED' })
  })

  test('without a group', async () => {
    const log = await openTarget()
    await fill(log, 1)
    const consumer = log.consumer()
    expect(await rejection(consumer.commit())).toMatchObject({ code: 'UNSUPPORTED', key: 'groupId' })
    expect(await rejection(consumer.committed([]))).toMatchObject({ code: 'UNSUPPORTED', key: 'groupId' })
  })
})

describe('where a member begins', () => {
  test('from latest: what comes after it was assigned', async () => {
    const log = await openTarget()
    await fill(log, 10)
    const consumer = await member(log, newGroup(), { from: 'latest' })
    const assigned = new Promise((resolve) => consumer.on('assigned', resolve))
    const reading = take(consumer, 2)
    await assigned
    await append(log, 10, 12)
    expect(values(await reading)).toEqual([10, 11])
  })

  test('partitions that are added later begin at their first record', async () => {
    const log = await openTarget()
    await fill(log, 3)
    const consumer = await member(log, newGroup(), { from: 'latest', metadataMaxAge: 30 })
    const assigned = new Promise((resolve) => consumer.on('assigned', resolve))
    const reading = take(consumer, 1)
    await assigned
    await log.admin().createPartitions({ topic: 't', count: 2 })
    const producer = log.producer({ acks: 1 })
    await producer.send({ topic: 't', messages: [{ value: '9', partition: 1 }] })
    const [message] = await reading
    expect([message.partition, Number(message.value)]).toEqual([1, 9])
  })

  test('topics that match a pattern, those to come too', async () => {
    const log = await openTarget()
    await fill(log, 1, 1, 'p-one')
    await fill(log, 1, 1, 'other')
    const consumer = log.consumer(
      memberOptions({ groupId: newGroup(), from: 'earliest', metadataMaxAge: 30, heartbeatInterval: 50 }),
    )
    await consumer.subscribe([/^p-/])
    const seen: string[] = []
    for await (const message of consumer) {
      seen.push(message.topic)
      if (seen.length === 1) await fill(log, 1, 1, 'p-two')
      if (seen.length === 2) break
    }
    expect(seen).toEqual(['p-one', 'p-two'])
    await consumer.close()
  })

  test('an offset that has left the log: at the first record', async () => {
    const log = await openTarget()
    const group = newGroup()
    await fill(log, 10)
    const consumer = await member(log, group)
    await take(consumer, 3)
    await consumer.close()
    await log.admin().deleteRecords({ topic: 't', partitions: [{ partition: 0, offset: 6n }] })
    expect(values(await take(await member(log, group), 1))).toEqual([6])
  })

  test('seek in the event of assignment', async () => {
    const log = await openTarget()
    await fill(log, 10)
    const consumer = await member(log, newGroup())
    consumer.on('assigned', ({ partitions }) => {
      for (const one of partitions) consumer.seek({ ...one, offset: 8 })
    })
    expect(values(await take(consumer, 2))).toEqual([8, 9])
  })

  test('assigned by hand: at the group’s offset, and commits go there', async () => {
    const log = await openTarget()
    const group = newGroup()
    await fill(log, 10, 2)
    const first = log.consumer({ groupId: group, from: 'earliest' })
    await first.assign([place])
    expect(values(await take(first, 4))).toEqual([0, 1, 2, 3])
    await first.close()
    expect(await committedOf(log, group)).toBe(3n)
    const second = log.consumer({ groupId: group, from: 'earliest' })
    await second.assign([place, { topic: 't', partition: 1, offset: 9n }])
    expect([second.position(place), second.position({ topic: 't', partition: 1 })]).toEqual([3n, 9n])
    await take(second, 2)
    await second.assign([{ topic: 't', partition: 1 }])
    await second.close()
  })
})

describe('closing', () => {
  test('waits for the handler, commits, leaves: the next member has the partitions at once', async () => {
    const log = await openTarget()
    const group = newGroup()
    await fill(log, 10)
    const first = await member(log, group)
    const seen: number[] = []
    let go = () => {}
    const running = first.run({
      eachMessage: async ({ value }) => {
        seen.push(Number(value))
        if (seen.length === 4) await new Promise<void>((resolve) => (go = resolve))
      },
    })
    await until(() => seen.length === 4)
    const closing = first.close()
    await new Promise((resolve) => setImmediate(resolve))
    expect(await committedOf(log, group)).not.toBe(4n)
    go()
    await Promise.all([closing, running])
    expect(await committedOf(log, group)).toBe(4n)
    expect(seen).toEqual([0, 1, 2, 3])
    expect(values(await take(await member(log, group), 6))).toEqual(range(4, 10))
  })

  test.each([
    ['a loop', (consumer: Consumer) => consumer],
    ['a loop of batches', (consumer: Consumer) => consumer.batches()],
  ])('keeps what was committed by hand, though %s was left with records before it in hand', async (_, loopOf) => {
    const log = await openTarget()
    const group = newGroup()
    await fill(log, 10)
    const consumer = await member(log, group, { autoCommitInterval: 5 })
    for await (const _ of loopOf(consumer)) {
      await consumer.commit([{ ...place, offset: 7n }])
      break
    }
    expect(consumer.position(place)).toBe(0n)
    await consumer.close()
    expect(await committedOf(log, group)).toBe(7n)
  })

  test('goes below it where the position was moved there', async () => {
    const log = await openTarget()
    const group = newGroup()
    await fill(log, 10)
    const consumer = await member(log, group)
    await take(consumer, 1)
    await consumer.commit([{ ...place, offset: 7n }])
    consumer.seek({ ...place, offset: 2n })
    expect(values(await take(consumer, 2))).toEqual([2, 3])
    await consumer.close()
    expect(await committedOf(log, group)).toBe(3n)
  })

  test('gives up waiting in time; what was in hand is not committed', async () => {
    const log = await openTarget()
    const group = newGroup()
    await fill(log, 10)
    const consumer = await member(log, group)
    for await (const message of consumer) {
      if (message.offset === 2n) await consumer.close({ timeout: 20 })
    }
    // What it was given up with may still be on its way.
    await until(async () => (await committedOf(log, group)) !== null)
    expect(await committedOf(log, group)).toBe(2n)
  })

  test('before it has joined, and while it joins', async () => {
    const log = await openTarget()
    await fill(log, 1)
    const idle = await member(log, newGroup())
    await idle.close()
    const joining = await member(log, newGroup())
    const reading = take(joining, 9)
    await joining.close()
    expect(values(await reading).length).toBeLessThan(2)
    expect(await rejection(joining.subscribe(['t']))).toMatchObject({ code: 'CLOSED' })
  })

  test('closing the log closes its members', async () => {
    const log = await openTarget()
    const group = newGroup()
    await fill(log, 3)
    const reading = take(await member(log, group), 9)
    await new Promise((resolve) => setTimeout(resolve, 50))
    await log.close()
    expect((await reading).length).toBeLessThanOrEqual(3)
  })
})

test('what the group says reaches the loop', async () => {
  const log = await openTarget()
  await fill(log, 1)
  const [options, code] = isClassic()
    ? [{ sessionTimeout: 5, heartbeatInterval: 1 }, 'INVALID_SESSION_TIMEOUT']
    : [{ groupRemoteAssignor: 'mine' }, 'UNSUPPORTED_ASSIGNOR']
  const consumer = await member(log, newGroup(), options)
  expect(await rejection(take(consumer, 1))).toMatchObject({ code })
  expect(await rejection(take(consumer, 1))).toMatchObject({ code })
})

test('what a listener throws is thrown by the loop', async () => {
  const log = await openTarget()
  await fill(log, 1)
  const consumer = await member(log, newGroup())
  consumer.on('assigned', () => {
    throw new Error('mine')
  })
  expect(await rejection(take(consumer, 2))).toMatchObject({ message: 'mine' })
  expect(() => consumer.on('asigned' as never, () => {})).toThrow(expect.objectContaining({ code: 'INVALID_OPTION' }))
})

describe('a topic that is deleted', () => {
  test.each([['range' as const], ['cooperative-sticky' as const]])(
    'and made again is read from its start, %s',
    async (strategy) => {
      const log = await openTarget()
      const group = newGroup()
      await fill(log, 3, 2)
      const timing = { metadataMaxAge: 200, partitionAssigners: [strategy] }
      const consumer = await member(log, group, timing)
      const seen: string[] = []
      const running = consumer.run({ eachMessage: ({ value }) => void seen.push(String(value)) })
      await until(() => seen.length === 6)
      await log.admin().deleteTopic({ topic: 't' })
      await until(() => consumer.assignment().length === 0)
      await fill(log, 1, 2)
      await append(log, 7, 8, 2)
      await until(() => seen.length === 10)
      expect(seen.slice(6).sort()).toEqual(['0', '0', '7', '7'])
      await consumer.close()
      await running
    },
  )
})

test('a commit before the work is refused where the record will come to another', async () => {
  const log = await openTarget()
  const group = newGroup()
  await fill(log, 4)
  // The broker leaves a partition where it is, unless it goes by the order of lasting names.
  const named = (groupInstanceId: string) => (isClassic() ? {} : { groupInstanceId, groupRemoteAssignor: 'range' })
  const timing = { rebalanceTimeout: 1_000, heartbeatInterval: 200 }
  const slow = await member(log, group, { autoCommit: false, ...timing, ...named('b') })
  let isTaken = false
  for (const event of ['revoked', 'lost'] as const) {
    slow.on(event, () => {
      isTaken = true
    })
  }
  const other = await member(log, group, { autoCommit: false, ...named('a') })
  let refused: unknown
  for await (const { offset } of slow) {
    expect(offset).toBe(0n)
    const reading = other.run({ eachMessage: () => {} })
    // Whoever gets the partition then: the record in hand comes again.
    await until(() => isTaken && other.assignment().length + slow.assignment().length === 1)
    refused = await rejection(slow.commit())
    await other.close()
    await reading
    break
  }
  expect(refused).toMatchObject({ code: 'ILLEGAL_GENERATION', partition: 0, offset: 0n })
  expect(await committedOf(log, group)).toBe(null)
})

test('a signal ends the loop, and others get the partitions', async () => {
  const log = await openTarget()
  const group = newGroup()
  await fill(log, 4)
  const controller = new AbortController()
  const first = await member(log, group, { signal: controller.signal })
  await take(first, 3)
  controller.abort()
  expect(await rejection(take(first, 1))).toMatchObject({ code: 'ABORTED' })
  const second = await member(log, group, { clientId: 'second' })
  expect(values(await take(second, 2))).toEqual([2, 3])
})
