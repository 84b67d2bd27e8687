import type { Consumer } from '../client/consumer.js'
import type { From } from '../client/consumer-options.js'
import type { SeglogLog } from '../client/log.js'
import { SeglogError } from '../errors/seglog-error.js'
import type { Start } from './arguments.js'
import type { ConsumeOutput } from './consume-output.js'
import { say } from './terminal.js'

/** How `seglog consume --group` reads. */
export interface GroupReading {
  groupId: string
  /** For partitions of which the group has committed nothing. */
  from: Start
  count: number
  exitAtEnd: boolean
  output: ConsumeOutput
  signal: AbortSignal
}

/**
 * Reads a topic as a member of a group. What was written out is committed: all of it when this returns, and by and by
 * before, so that after a crash records may come again and none is left out.
 */
export async function consumeAsMember(log: SeglogLog, topic: string, reading: GroupReading): Promise<void> {
  const { groupId, count, exitAtEnd, output, signal } = reading
  if (count === 0) return
  const end = new AbortController()
  const consumer = log.consumer({
    groupId,
    from: fromOf(reading.from),
    // Batches are consumed whole but for the last one of a count.
    autoCommit: count === Number.POSITIVE_INFINITY,
    signal: AbortSignal.any([signal, end.signal]),
  })
  const isAtEnd = exitAtEnd ? await endWatch(log, topic, consumer) : () => false
  consumer.on('assigned', ({ assignment }) => {
    say(`group ${groupId}: reads ${assignment.map(({ partition }) => partition).join(', ') || 'nothing'} of ${topic}`)
    if (isAtEnd()) end.abort()
  })
  try {
    await consumer.subscribe([topic])
    await readBatches(consumer, count, output, isAtEnd)
  } catch (error) {
    if (!end.signal.aborted || (error as SeglogError).code !== 'ABORTED') throw error
  } finally {
    await consumer.close()
  }
}

type EndWatch = (partition?: number, position?: bigint) => boolean

/** Tells whether all partitions of this member were read up to where they ended when it was made. */
async function endWatch(log: SeglogLog, topic: string, consumer: Consumer): Promise<EndWatch> {
  const ends = new Map((await log.admin().listOffsets({ topic })).map(({ partition, latest }) => [partition, latest]))
  const read = new Map<number, bigint>()
  return (partition, position) => {
    if (partition !== undefined && position !== undefined) read.set(partition, position)
    return consumer.assignment().every((place) => {
      const end = ends.get(place.partition) ?? 0n
      return (read.get(place.partition) ?? 0n) >= end || consumer.position(place) >= end
    })
  }
}

async function readBatches(consumer: Consumer, count: number, output: ConsumeOutput, isAtEnd: EndWatch): Promise<void> {
  const isCounted = count !== Number.POSITIVE_INFINITY
  for await (const batch of consumer.batches()) {
    const { topic, partition } = batch
    let next = batch.lastOffset + 1n
    for (const message of batch) {
      await output.add(message)
      if (output.records < count) continue
      next = message.offset + 1n
      break
    }
    await output.flush()
    if (isCounted) await consumer.commit([{ topic, partition, offset: next }])
    if (output.records >= count) return
    if (!isAtEnd(partition, next)) continue
    // Leaving the loop would leave this batch unconsumed.
    await consumer.commit()
    return
  }
}

function fromOf(start: Start): From {
  if (start.at === 'earliest' || start.at === 'latest') return start.at
  if (start.at === 'time') return { timestamp: start.timestamp }
  const message = '--from with --group is start, end or @TIMESTAMP; `seglog group reset-offsets` sets offsets'
  throw new SeglogError('INVALID_OPTION', message, { key: 'from' })
}
