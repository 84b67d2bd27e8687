import type { SeglogError } from '../../errors/seglog-error.js'
import { readMessage } from '../../protocol/codec/message-codec.js'
import { readPayload, writePayload } from '../../protocol/codec/payloads.js'
import { Reader } from '../../protocol/codec/reader.js'
import { consumerProtocolAssignment, consumerProtocolSubscription } from '../../protocol/payloads/consumer-protocol.js'
import type { Infer, Payload } from '../../protocol/schema.js'
import type { Claim } from '../assignors/assignor.js'
import type { TopicPartition } from '../consumer-options.js'
import { placesOf, topicsOf } from '../partition-lists.js'

/** What a member tells the leader of its group. */
export interface Subscription {
  readonly topics: readonly string[]
  readonly claim: Claim
  readonly userData: Uint8Array | null
  readonly rackId: string | null
}

const newest = 3
const versionBytes = 2

export function encodeSubscription({ topics, claim, userData, rackId }: Subscription): Uint8Array {
  return writePayload(consumerProtocolSubscription, newest, {
    topics: [...topics].sort(),
    userData,
    ownedPartitions: topicsOf(claim.owned),
    generationId: claim.generation,
    rackId,
  })
}

/** Throws MALFORMED_MESSAGE. */
export function decodeSubscription(bytes: Uint8Array): Subscription {
  const read = readTolerantly(consumerProtocolSubscription, bytes)
  const { topics, userData, ownedPartitions, generationId, rackId } = read
  return { topics, userData, rackId, claim: { owned: placesOf(ownedPartitions), generation: generationId } }
}

export function encodeAssignment(places: readonly TopicPartition[]): Uint8Array {
  return writePayload(consumerProtocolAssignment, newest, { assignedPartitions: topicsOf(places), userData: null })
}

/** No bytes are no partitions. Throws MALFORMED_MESSAGE. */
export function decodeAssignment(bytes: Uint8Array): TopicPartition[] {
  if (bytes.length === 0) return []
  return placesOf(readTolerantly(consumerProtocolAssignment, bytes).assignedPartitions)
}

/**
 * Each version only adds fields at the end: a later one than the newest known is read as that, and one that lacks what
 * its version promises (some clients write a 1 there and stop at what 0 has) as the oldest.
 */
function readTolerantly<P extends Payload>(table: P, bytes: Uint8Array): Infer<P> {
  try {
    return readPayload(table, bytes, 'read as the newest')
  } catch (error) {
    if ((error as SeglogError).code !== 'MALFORMED_MESSAGE' || bytes.length < versionBytes) throw error
    return readMessage(table, 0, new Reader(bytes.subarray(versionBytes)))
  }
}
