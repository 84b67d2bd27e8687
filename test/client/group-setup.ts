import { randomUUID } from 'node:crypto'
import { onTestFinished } from 'vitest'
import type { Consumer, ConsumerMessage, ConsumerOptions, SeglogLog } from '../../ts/index.js'

export const topic = 't'

/** Heartbeats of the consumer protocol that do not keep a test waiting: there the broker says how often. */
export const quickHeartbeats = {
  'group.consumer.min.heartbeat.interval.ms': 50,
  'group.consumer.heartbeat.interval.ms': 50,
}

let protocol: NonNullable<ConsumerOptions['groupProtocol']> = 'classic'

/** What members of tests go by from here on, unless they say otherwise. */
export function useProtocol(next: typeof protocol): void {
  protocol = next
}

/** Options of a member by the protocol in use: what is only for members of the classic one is left out by the other. */
export function memberOptions(options: ConsumerOptions): ConsumerOptions {
  const { groupProtocol = protocol, partitionAssigners, sessionTimeout, heartbeatInterval, ...rest } = options
  const classic = { partitionAssigners, sessionTimeout, heartbeatInterval }
  return { ...rest, groupProtocol, ...(groupProtocol === 'classic' ? classic : {}) }
}

export function isClassic(): boolean {
  return protocol === 'classic'
}

/** A topic with values '0', '1', ... in each partition. */
export async function fill(log: SeglogLog, count: number, partitions = 1, name = topic): Promise<void> {
  await log.admin().createTopic({ topic: name, partitions })
  await append(log, 0, count, partitions, name)
}

export async function append(log: SeglogLog, from: number, to: number, partitions = 1, name = topic): Promise<void> {
  const producer = log.producer({ acks: 1 })
  const messages = Array.from({ length: (to - from) * partitions }, (_, n) => {
    return { value: String(from + Math.floor(n / partitions)), partition: n % partitions }
  })
  if (messages.length > 0) await producer.send({ topic: name, messages })
  await producer.close()
}

/** A group of its own: tests of one cluster must not meet. */
export function newGroup(): string {
  return `g-${randomUUID()}`
}

/** A member of a group, not yet joined: its loop does that. Closed when the test ends. */
export async function member(log: SeglogLog, groupId: string, options: ConsumerOptions = {}): Promise<Consumer> {
  const timing = { sessionTimeout: 6_000, heartbeatInterval: 50, maxWaitTimeInMs: 1_000 }
  const consumer = log.consumer(memberOptions({ groupId, from: 'earliest', ...timing, ...options }))
  onTestFinished(() => consumer.close({ timeout: 0 }))
  await consumer.subscribe([topic])
  return consumer
}

/** The next messages, then the loop is left. */
export async function take(consumer: Consumer, count: number): Promise<ConsumerMessage[]> {
  const messages: ConsumerMessage[] = []
  for await (const message of consumer) {
    messages.push(message)
    if (messages.length === count) break
  }
  return messages
}

export const values = (messages: readonly ConsumerMessage[]) => messages.map(({ value }) => Number(value))
export const range = (from: number, to: number) => Array.from({ length: to - from }, (_, n) => from + n)
export const sleep = (ms: number) => new Promise<void>((resolve) => setTimeout(resolve, ms))

/** Resolves when it holds; the test's own time limit is the only one. */
export async function until(holds: () => boolean | Promise<boolean>): Promise<void> {
  while (!(await holds())) await sleep(5)
}

/** The offset that the group has committed of a partition. */
export async function committedOf(log: SeglogLog, groupId: string, partition = 0): Promise<bigint | null> {
  const consumer = log.consumer({ groupId })
  const [{ offset }] = await consumer.committed([{ topic, partitions: [partition] }])
  await consumer.close()
  return offset
}
