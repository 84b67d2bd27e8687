import { SeglogError } from '../errors/seglog-error.js'

/** A key as the producer was given it; text counts as its UTF-8 bytes. */
export type PartitionKey = Buffer | Uint8Array | string

const seed = 0x9747b28c
const multiplier = 0x5bd1e995
const mixShift = 24

/**
 * The murmur2 of Apache Kafka's Java client (`org.apache.kafka.common.utils.Utils.murmur2`), as a signed int32: the
 * same key lands on the same partition whichever client writes it.
 */
export function murmur2(bytes: Uint8Array): number {
  const { length } = bytes
  let hash = seed ^ length
  let at = 0
  for (const end = length & ~3; at < end; at += 4) {
    const word = bytes[at]! | (bytes[at + 1]! << 8) | (bytes[at + 2]! << 16) | (bytes[at + 3]! << 24)
    hash = Math.imul(hash, multiplier) ^ mix(word)
  }
  if (at < length) {
    for (let shift = 0, index = at; index < length; index++, shift += 8) hash ^= bytes[index]! << shift
    hash = Math.imul(hash, multiplier)
  }
  hash ^= hash >>> 13
  hash = Math.imul(hash, multiplier)
  return hash ^ (hash >>> 15)
}

function mix(word: number): number {
  const mixed = Math.imul(word, multiplier)
  return Math.imul(mixed ^ (mixed >>> mixShift), multiplier)
}

/** The partition of a key among `partitionCount`, as Kafka's default partitioner chooses it. */
export function partitionForKey(key: PartitionKey, partitionCount: number): number {
  return (murmur2(typeof key === 'string' ? Buffer.from(key) : key) & 0x7fffffff) % partitionCount
}

/**
 * Checks a partition that the caller named. Throws SeglogError INVALID_ARGUMENT unless it is one of the topic's.
 */
export function explicitPartition(partition: number, topic: string, partitionCount: number): number {
  if (Number.isInteger(partition) && partition >= 0 && partition < partitionCount) return partition
  throw new SeglogError(
    'INVALID_ARGUMENT',
    `partition ${partition} of topic ${topic} does not exist: it has ${partitionCount}, counted from 0`,
    { topic, partition, key: 'partition' },
  )
}

/**
 * Chooses for records without a key, per topic: all go to one partition until its batch leaves, then to another, so
 * that batches fill. The producer calls `moveOn` when it closes a batch.
 */
export class StickyPartitioner {
  private readonly random: () => number
  private readonly current = new Map<string, number>()

  /** `random` gives numbers in [0, 1). */
  constructor(random: () => number = Math.random) {
    this.random = random
  }

  /** The partition that records of this topic without a key go to now. */
  partition(topic: string, partitionCount: number): number {
    const current = this.current.get(topic)
    if (current !== undefined && current < partitionCount) return current
    return this.choose(topic, partitionCount, -1)
  }

  /** The batch of `partition` left: records without a key go elsewhere from now on. Others' batches change nothing. */
  moveOn(topic: string, partition: number, partitionCount: number): void {
    if (this.current.get(topic) === partition) this.choose(topic, partitionCount, partition)
  }

  /** Lets go of a topic that is no longer written. */
  forget(topic: string): void {
    this.current.delete(topic)
  }

  private choose(topic: string, partitionCount: number, avoided: number): number {
    const isAvoiding = avoided >= 0 && avoided < partitionCount && partitionCount > 1
    let chosen = Math.floor(this.random() * (isAvoiding ? partitionCount - 1 : partitionCount))
    if (isAvoiding && chosen >= avoided) chosen++
    this.current.set(topic, chosen)
    return chosen
  }
}
