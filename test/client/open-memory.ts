import { onTestFinished } from 'vitest'
import { type ConsumerMessage, type OpenOptions, open, type SeglogLog } from '../../ts/index.js'

/** A log in memory that is closed when the test ends. */
export async function openMemory(options?: OpenOptions): Promise<SeglogLog> {
  const log = await open('memory:', options)
  onTestFinished(() => log.close())
  return log
}

/** All records of a topic as of now, partition by partition. */
export async function readAll(log: SeglogLog, topic: string): Promise<ConsumerMessage[]> {
  const messages: ConsumerMessage[] = []
  for (const { partition, earliest, latest } of await log.admin().listOffsets({ topic })) {
    if (earliest === latest) continue
    const consumer = log.consumer()
    await consumer.assign([{ topic, partition, offset: earliest }])
    for await (const message of consumer) {
      messages.push(message)
      if (message.offset + 1n >= latest) break
    }
    await consumer.close()
  }
  return messages
}

/** What a promise rejects with; fails if it does not. */
export async function rejection(promise: Promise<unknown>): Promise<Record<string, unknown>> {
  try {
    await promise
  } catch (error) {
    return error as Record<string, unknown>
  }
  throw new Error('it was expected to reject')
}
