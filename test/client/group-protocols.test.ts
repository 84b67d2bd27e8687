import { describe, expect, test } from 'vitest'
import type { Consumer, ConsumerOptions, Subscribed } from '../../ts/index.js'
import {
  append,
  committedOf,
  fill,
  member,
  newGroup,
  quickHeartbeats,
  take,
  topic,
  until,
  values,
} from './group-setup.js'
import { openMemory } from './open-memory.js'
import { rejection } from './rejection.js'
import { openTarget } from './target.js'

/** What is different between the two protocols of groups. */

const byBroker = { groupProtocol: 'consumer' } as const

const held = (consumers: readonly Consumer[]) => consumers.map((one) => one.assignment().length).sort()

describe('options', () => {
  test.each<[string, ConsumerOptions]>([
    ['partitionAssigners', { ...byBroker, partitionAssigners: ['range'] }],
    ['sessionTimeout', { ...byBroker, sessionTimeout: 6_000 }],
    ['heartbeatInterval', { ...byBroker, heartbeatInterval: 1_000 }],
    ['groupRemoteAssignor', { groupRemoteAssignor: 'range' }],
    ['groupRemoteAssignor', { groupProtocol: 'classic', groupRemoteAssignor: 'range' }],
    ['groupProtocol', { groupProtocol: 'modern' as never }],
  ])('%s is refused where it could do nothing', async (key, options) => {
    const log = await openTarget()
    const make = () => log.consumer({ groupId: 'g', ...options })
    expect(make).toThrow(expect.objectContaining({ code: 'INVALID_OPTION', key }))
  })

  test.each<[string, readonly unknown[], ConsumerOptions]>([
    ['an expression for the broker, by the classic protocol', [{ re2: 'a' }], {}],
    ['two of them', [{ re2: 'a' }, { re2: 'b' }], byBroker],
    ['an empty one', [{ re2: '' }], byBroker],
    ['one with something beside it', [{ re2: 'a', flags: 'i' }], byBroker],
  ])('%s cannot be subscribed to', async (_, topics, options) => {
    const log = await openTarget()
    const consumer = log.consumer({ groupId: 'g', ...options })
    const subscribing = consumer.subscribe(topics as readonly Subscribed[])
    expect(await rejection(subscribing)).toMatchObject({ code: 'INVALID_OPTION' })
  })
})

describe('a group changes its protocol', () => {
  test('member by member, without a pause: nothing is lost, nothing comes twice', async () => {
    const log = await openTarget()
    const group = newGroup()
    await fill(log, 10, 4)
    const seen: string[] = []
    const start = async (options: ConsumerOptions) => {
      const consumer = await member(log, group, options)
      const running = consumer.run({ eachMessage: ({ partition, value }) => void seen.push(`${partition}:${value}`) })
      return { consumer, stop: () => consumer.close().then(() => running) }
    }
    const classic: ConsumerOptions = { partitionAssigners: ['cooperative-sticky'] }
    const old = [await start(classic), await start(classic)]
    await until(() => seen.length === 40 && String(held(old.map(({ consumer }) => consumer))) === '2,2')
    const next = [await start(byBroker), await start(byBroker)]
    await until(() => String(held([...old, ...next].map(({ consumer }) => consumer))) === '1,1,1,1')
    await append(log, 10, 20, 4)
    await Promise.all(old.map(({ stop }) => stop()))
    await until(() => String(held(next.map(({ consumer }) => consumer))) === '2,2')
    await append(log, 20, 30, 4)
    await until(() => seen.length === 120)
    expect(new Set(seen).size).toBe(120)
    await Promise.all(next.map(({ stop }) => stop()))
    expect(await committedOf(log, group)).toBe(30n)
  })

  test('not where its brokers do not let it; then nothing falls back', async () => {
    const config = { ...quickHeartbeats, 'group.consumer.migration.policy': 'disabled' }
    const log = await openMemory({ config })
    const group = newGroup()
    await fill(log, 3)
    const classic = await member(log, group)
    const seen: number[] = []
    const running = classic.run({ eachMessage: ({ value }) => void seen.push(Number(value)) })
    await until(() => seen.length === 3)
    const other = await member(log, group, byBroker)
    const refused = await rejection(take(other, 1))
    expect(refused).toMatchObject({ code: 'GROUP_PROTOCOL_REFUSED', retriable: false, key: 'groupProtocol' })
    expect(refused).toMatchObject({ message: expect.stringContaining(group), cause: { code: 'GROUP_ID_NOT_FOUND' } })
    await classic.close()
    await running
    const taking = take(other, 1)
    await until(() => other.assignment().length === 1)
    await append(log, 3, 4)
    expect(values(await taking)).toEqual([3])
  })
})

describe('an expression for the broker', () => {
  test('gets the topics whose whole names it matches, those to come too', async () => {
    const log = await openTarget()
    await fill(log, 1, 1, 'p-one')
    await fill(log, 1, 1, 'not-p-one')
    const consumer = log.consumer({ groupId: newGroup(), from: 'earliest', ...byBroker })
    await consumer.subscribe([{ re2: 'p-.*' }])
    const seen: string[] = []
    for await (const message of consumer) {
      seen.push(message.topic)
      if (seen.length === 1) await fill(log, 1, 1, 'p-two')
      if (seen.length === 2) break
    }
    expect(seen).toEqual(['p-one', 'p-two'])
    await consumer.close()
  })

  test('stands beside names; from latest, what is there already is passed by and what comes is not', async () => {
    const log = await openTarget()
    await fill(log, 1, 1, 'p-one')
    await fill(log, 1)
    const consumer = log.consumer({ groupId: newGroup(), ...byBroker })
    await consumer.subscribe([{ re2: 'p-.*' }, topic])
    const seen: string[] = []
    const running = consumer.run({ eachMessage: (message) => void seen.push(`${message.topic} ${message.value}`) })
    await until(() => consumer.assignment().length === 2)
    await append(log, 1, 2)
    await append(log, 1, 2, 1, 'p-one')
    await fill(log, 1, 1, 'p-two')
    await until(() => seen.length === 3)
    expect(seen.sort()).toEqual(['p-one 1', 'p-two 0', 't 1'])
    await consumer.close()
    await running
  })

  test('that RE2 cannot read is told by the loop; a second one cannot be added', async () => {
    const log = await openTarget()
    const consumer = log.consumer({ groupId: newGroup(), ...byBroker })
    await consumer.subscribe([{ re2: '(?=look)ahead' }])
    expect(await rejection(take(consumer, 1))).toMatchObject({ code: 'INVALID_REGULAR_EXPRESSION' })
    const second = consumer.subscribe([{ re2: 'other' }])
    expect(await rejection(second)).toMatchObject({ code: 'INVALID_ARGUMENT' })
  })
})

test('the epoch of a member goes on while it reads and commits', async () => {
  const log = await openTarget()
  const group = newGroup()
  await fill(log, 10, 2)
  const first = await member(log, group, byBroker)
  const generations: number[] = []
  first.on('assigned', ({ generation }) => generations.push(generation))
  const reading = first.run({ eachMessage: () => {} })
  await until(() => first.assignment().length === 2)
  const second = await member(log, group, byBroker)
  const other = second.run({ eachMessage: () => {} })
  await until(() => String(held([first, second])) === '1,1')
  await append(log, 10, 20, 2)
  await until(() => first.assignment().every((place) => first.position(place) === 20n))
  await first.commit()
  const [own] = first.assignment()
  expect(await committedOf(log, group, own.partition)).toBe(20n)
  expect(generations.length).toBeGreaterThan(1)
  expect(generations).toEqual([...generations].sort((a, b) => a - b))
  const described = await log.admin().describeGroup(group)
  expect(described.members.map(({ assignment }) => assignment.length)).toEqual([1, 1])
  await Promise.all([first.close(), second.close(), reading, other])
})
