import type { Admin } from '../client/admin.js'
import { SeglogError } from '../errors/seglog-error.js'
import type { Start } from './arguments.js'

/** A partition, where to begin in it, and where it ended when we looked. */
export interface Place {
  readonly partition: number
  readonly offset: bigint
  readonly end: bigint
}

/** Where to begin in every partition of the topic, or in one. */
export async function firstPlaces(admin: Admin, topic: string, from: Start, partition?: number): Promise<Place[]> {
  const partitions = partition === undefined ? undefined : [partition]
  const known = await admin.listOffsets({ topic, partitions })
  const found = from.at === 'time' ? await admin.listOffsets({ topic, partitions, timestamp: from.timestamp }) : []
  const atTime = new Map(found.map((one) => [one.partition, one.offset]))
  return known.map(({ partition, earliest, latest }) => {
    const offset = offsetOf(from, earliest, latest, atTime.get(partition) ?? null)
    return { partition, offset, end: latest }
  })
}

/**
 * Where to go on, and where the partitions end by now. A new partition is read from its start; what retention has taken
 * is left out. OFFSET_OUT_OF_RANGE if the log has become shorter than what was read.
 */
export async function nextPlaces(
  admin: Admin,
  topic: string,
  positions: ReadonlyMap<number, bigint>,
  partition?: number,
): Promise<Place[]> {
  const partitions = partition === undefined ? undefined : [partition]
  const known = await admin.listOffsets({ topic, partitions })
  return known.map(({ partition, earliest, latest }) => {
    const position = positions.get(partition) ?? earliest
    if (position > latest) {
      const message = `${topic}-${partition} ends at ${latest}, and was read up to ${position}: its records were lost`
      throw new SeglogError('OFFSET_OUT_OF_RANGE', message, { topic, partition, offset: position })
    }
    const isGone = position < earliest
    return { partition, offset: isGone ? earliest : position, end: latest }
  })
}

function offsetOf(from: Start, earliest: bigint, latest: bigint, atTime: bigint | null): bigint {
  switch (from.at) {
    case 'earliest':
      return earliest
    case 'latest':
      return latest
    case 'offset':
      return from.offset
    case 'last':
      return latest - from.records > earliest ? latest - from.records : earliest
    case 'time':
      return atTime ?? latest
  }
}
