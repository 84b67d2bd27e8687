import { type ConsumerMessage, open, SeglogError } from 'seglog'

export async function offsets(folder: string): Promise<bigint[]> {
  const log = await open(folder, { readOnly: true })
  const seen: bigint[] = []
  const consumer = log.consumer({ from: 'earliest' })
  await consumer.subscribe(['orders'])
  for await (const message of consumer) {
    const { offset, value }: ConsumerMessage = message
    if (value !== null && Buffer.isBuffer(value)) seen.push(offset)
  }
  return seen
}

export const isOurs = (error: unknown): boolean => error instanceof SeglogError && error.code === 'ABORTED'
