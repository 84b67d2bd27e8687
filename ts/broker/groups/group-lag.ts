import { readPayload } from '../../protocol/codec/payloads.js'
import {
  type ConsumerProtocolAssignment,
  consumerProtocolAssignment,
} from '../../protocol/payloads/consumer-protocol.js'
import { zeroUuid } from '../../protocol/uuid.js'
import { RecordBatchReader } from '../../records/record-batch-reader.js'
import type { BrokerState } from '../broker-state.js'
import type { Partition } from '../partition.js'
import type { AnyGroup } from './any-group.js'
import type { CommittedOffset } from './committed-offsets.js'
import { consumerProtocolType, type Group } from './group.js'
import type { Member } from './member.js'

/** How far one group is behind in one partition. What is not known is null, never 0. */
export interface PartitionLag {
  readonly topic: string
  readonly partition: number
  /** Null where the group committed nothing. */
  readonly committedOffset: bigint | null
  readonly metadata: string | null
  readonly logStartOffset: bigint
  /** What a reader may see ends here. */
  readonly endOffset: bigint
  /** Offsets between the two; records that are no longer there do not count. Null where nothing was committed. */
  readonly lag: bigint | null
  /** Age of the first unread record, 0 where there is none. Null where nothing was committed, or it has no timestamp. */
  readonly lagMs: number | null
  /** Who has the partition; null for nobody, and while the group rebalances. */
  readonly member: { readonly id: string; readonly clientId: string; readonly clientHost: string } | null
}

const readBytes = 64 * 1024

interface Place {
  readonly topic: string
  readonly topicId: string
  readonly partition: Partition
}

/**
 * The lag of a group in every partition that it committed an offset for or that a member of it has. All offsets and ends
 * are looked at in the same moment, so that a commit and the records before it are never seen apart.
 */
export async function groupLag(broker: BrokerState, group: AnyGroup): Promise<PartitionLag[]> {
  const places = await openPlaces(broker, group)
  const owners = ownersOf(broker, group)
  const now = broker.clock()
  const seen = places.map((place) => ({ place, ...positionOf(group, place) }))
  const lags = seen.map(async ({ place, committed, start, end, from }): Promise<PartitionLag> => {
    const { topic, partition } = place.partition.log
    const owner = owners.get(keyOf(topic, partition))
    return {
      topic,
      partition,
      committedOffset: committed?.offset ?? null,
      metadata: committed?.metadata ?? null,
      logStartOffset: BigInt(start),
      endOffset: BigInt(end),
      lag: from === null ? null : BigInt(end - from),
      lagMs: from === null ? null : await ageAt(place.partition, from, end, now),
      member: owner === undefined ? null : { id: owner.id, clientId: owner.clientId, clientHost: owner.clientHost },
    }
  })
  return Promise.all(lags)
}

/** In order of topic and partition; without those that do not exist any more. */
async function openPlaces(broker: BrokerState, group: AnyGroup): Promise<Place[]> {
  const asked = new Map<string, Set<number>>()
  const add = (topic: string, partition: number) => {
    const partitions = asked.get(topic) ?? new Set()
    asked.set(topic, partitions.add(partition))
  }
  for (const [topic, partitions] of group.offsets.topics) for (const index of partitions.keys()) add(topic, index)
  for (const { topic, partition } of assigned(broker, group)) add(topic, partition)
  const places: Place[] = []
  for (const name of [...asked.keys()].sort()) {
    const topic = broker.topics.byName(name)
    if (topic === undefined) continue
    const { id: topicId, partitions } = topic.record
    for (const index of [...asked.get(name)!].sort((a, b) => a - b)) {
      if (index >= partitions) continue
      places.push({ topic: name, topicId, partition: await broker.topics.partition(topic, index) })
    }
  }
  return places
}

function positionOf(group: AnyGroup, { topic, topicId, partition }: Place) {
  const { logStartOffset: start } = partition.log
  const end = partition.highWatermark
  const committed = current(group.offsets.get(topic, partition.log.partition), topicId)
  // A commit may lie above an end that was lost, or below what retention left.
  const from = committed === null ? null : Math.min(Math.max(Number(committed.offset), start), end)
  return { committed, start, end, from }
}

function current(committed: CommittedOffset | undefined, topicId: string): CommittedOffset | null {
  if (committed === undefined) return null
  return committed.topicId === zeroUuid || committed.topicId === topicId ? committed : null
}

/** How long the first record from `offset` on has been there; 0 if there is none below `end`. */
async function ageAt({ log }: Partition, offset: number, end: number, now: number): Promise<number | null> {
  for (let from = Math.max(offset, log.logStartOffset); from < end; ) {
    const { batches, nextOffset } = await log.read(from, readBytes, end)
    for (const batch of new RecordBatchReader(batches)) {
      if (batch.header.isControl || batch.header.lastOffset < offset) continue
      const cursor = (await batch.inflate()).cursor()
      while (cursor.next()) {
        if (cursor.offset < offset) continue
        return cursor.timestamp < 0 ? null : Math.max(0, now - cursor.timestamp)
      }
    }
    if (nextOffset <= from) break
    from = nextOffset
  }
  return 0
}

type Owner = NonNullable<PartitionLag['member']>

/** Members by what they have. */
function ownersOf(broker: BrokerState, group: AnyGroup): Map<string, Owner> {
  const owners = new Map<string, Owner>()
  for (const { topic, partition, member } of assigned(broker, group)) owners.set(keyOf(topic, partition), member)
  return owners
}

function* assigned(
  broker: BrokerState,
  group: AnyGroup,
): IterableIterator<{ topic: string; partition: number; member: Owner }> {
  if (group.type === 'classic') {
    for (const member of group.members.values()) {
      for (const { topic, partitions } of assignmentOf(group, member)) {
        for (const partition of partitions) yield { topic, partition, member }
      }
    }
    return
  }
  for (const member of group.members.values()) {
    for (const [topicId, partitions] of member.assigned) {
      const topic = broker.topics.find(null, topicId)?.name
      if (topic !== undefined) for (const partition of partitions.keys()) yield { topic, partition, member }
    }
  }
}

function keyOf(topic: string, partition: number): string {
  return `${topic}/${partition}`
}

function assignmentOf(group: Group, { assignment }: Member): ConsumerProtocolAssignment['assignedPartitions'] {
  if (group.protocolType !== consumerProtocolType || !group.isIn('Stable') || assignment.length === 0) return []
  try {
    return readPayload(consumerProtocolAssignment, assignment, 'read as the newest').assignedPartitions
  } catch {
    // What the leader sent is its own affair.
    return []
  }
}
