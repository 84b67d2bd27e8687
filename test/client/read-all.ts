import type { ConsumerMessage, SeglogLog } from '../../ts/index.js'

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
