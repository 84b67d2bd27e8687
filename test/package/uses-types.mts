import { type ConsumerMessage, open, SeglogError, type ServedLog, serve } from 'seglog'

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

export async function lagOf(group: string): Promise<bigint> {
  const served: ServedLog = await serve('memory:', { port: 0, listeners: undefined })
  try {
    return (await served.log.admin().lag(group)).reduce((sum, { lag }) => sum + (lag ?? 0n), 0n)
  } finally {
    await served.close()
  }
}
