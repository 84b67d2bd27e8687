import { readPayload, writePayload } from '../../../protocol/codec/payloads.js'
import {
  type ConsumerGroupCurrentMemberAssignmentValue,
  type ConsumerGroupMemberMetadataValue,
  type ConsumerGroupMetadataValue,
  type ConsumerGroupRegularExpressionValue,
  type ConsumerGroupTargetAssignmentMemberValue,
  type ConsumerGroupTargetAssignmentMetadataValue,
  consumerGroupCurrentMemberAssignmentKey,
  consumerGroupCurrentMemberAssignmentValue,
  consumerGroupMemberMetadataKey,
  consumerGroupMemberMetadataValue,
  consumerGroupMetadataKey,
  consumerGroupMetadataValue,
  consumerGroupPartitionMetadataKey,
  consumerGroupPartitionMetadataValue,
  consumerGroupRegularExpressionKey,
  consumerGroupRegularExpressionValue,
  consumerGroupTargetAssignmentMemberKey,
  consumerGroupTargetAssignmentMemberValue,
  consumerGroupTargetAssignmentMetadataKey,
  consumerGroupTargetAssignmentMetadataValue,
} from '../../../protocol/payloads/consumer-group.js'
import type { LogRecordBytes } from '../group-records.js'
import { type Assignment, type Held, toTopicPartitions } from './assignment.js'
import type { ConsumerMember, MemberState } from './consumer-member.js'

/** What a record of a consumer group says; a null value removes. Kinds are Kafka's, by the number in front of their keys. */
export type ConsumerGroupRecord =
  | { kind: 'epoch'; group: string; value: ConsumerGroupMetadataValue | null }
  | { kind: 'partitions'; group: string; value: object | null }
  | { kind: 'member'; group: string; member: string; value: ConsumerGroupMemberMetadataValue | null }
  | { kind: 'target epoch'; group: string; value: ConsumerGroupTargetAssignmentMetadataValue | null }
  | { kind: 'target'; group: string; member: string; value: ConsumerGroupTargetAssignmentMemberValue | null }
  | { kind: 'current'; group: string; member: string; value: ConsumerGroupCurrentMemberAssignmentValue | null }
  | { kind: 'regex'; group: string; regex: string; value: ConsumerGroupRegularExpressionValue | null }

const keyKind = { epoch: 3, partitions: 4, member: 5, targetEpoch: 6, target: 7, current: 8, regex: 16 } as const
const valueVersion = 0

/** Kafka's numbers of the states. */
const stateNumber: Readonly<Record<MemberState, number>> = { stable: 0, unrevoked: 1, unreleased: 2, unknown: 127 }

export function stateOf(number: number): MemberState {
  if (number === stateNumber.stable) return 'stable'
  if (number === stateNumber.unrevoked) return 'unrevoked'
  return number === stateNumber.unreleased ? 'unreleased' : 'unknown'
}

/** Reads a record by the kind of its key; null for another kind. Throws as `readGroupRecord`. */
export function readConsumerGroupRecord(
  kind: number,
  key: Uint8Array,
  value: Uint8Array | null,
): ConsumerGroupRecord | null {
  switch (kind) {
    case keyKind.epoch: {
      const { groupId: group } = readPayload(consumerGroupMetadataKey, key)
      return { kind: 'epoch', group, value: value && readPayload(consumerGroupMetadataValue, value) }
    }
    case keyKind.partitions: {
      const { groupId: group } = readPayload(consumerGroupPartitionMetadataKey, key)
      return { kind: 'partitions', group, value: value && readPayload(consumerGroupPartitionMetadataValue, value) }
    }
    case keyKind.member: {
      const { groupId: group, memberId: member } = readPayload(consumerGroupMemberMetadataKey, key)
      return { kind: 'member', group, member, value: value && readPayload(consumerGroupMemberMetadataValue, value) }
    }
    case keyKind.targetEpoch: {
      const { groupId: group } = readPayload(consumerGroupTargetAssignmentMetadataKey, key)
      const read = value && readPayload(consumerGroupTargetAssignmentMetadataValue, value)
      return { kind: 'target epoch', group, value: read }
    }
    case keyKind.target: {
      const { groupId: group, memberId: member } = readPayload(consumerGroupTargetAssignmentMemberKey, key)
      const read = value && readPayload(consumerGroupTargetAssignmentMemberValue, value)
      return { kind: 'target', group, member, value: read }
    }
    case keyKind.current: {
      const { groupId: group, memberId: member } = readPayload(consumerGroupCurrentMemberAssignmentKey, key)
      const read = value && readPayload(consumerGroupCurrentMemberAssignmentValue, value)
      return { kind: 'current', group, member, value: read }
    }
    case keyKind.regex: {
      const { groupId: group, regularExpression: regex } = readPayload(consumerGroupRegularExpressionKey, key)
      return { kind: 'regex', group, regex, value: value && readPayload(consumerGroupRegularExpressionValue, value) }
    }
    default:
      return null
  }
}

/** The bytes of a record, as Kafka 4.3 writes them. The old record of the topics is only ever removed. */
export function consumerGroupRecordBytes(record: ConsumerGroupRecord): LogRecordBytes {
  const { group: groupId } = record
  switch (record.kind) {
    case 'epoch': {
      const key = writePayload(consumerGroupMetadataKey, keyKind.epoch, { groupId })
      return { key, value: record.value && writePayload(consumerGroupMetadataValue, valueVersion, record.value) }
    }
    case 'partitions':
      return { key: writePayload(consumerGroupPartitionMetadataKey, keyKind.partitions, { groupId }), value: null }
    case 'member': {
      const key = writePayload(consumerGroupMemberMetadataKey, keyKind.member, { groupId, memberId: record.member })
      return { key, value: record.value && writePayload(consumerGroupMemberMetadataValue, valueVersion, record.value) }
    }
    case 'target epoch': {
      const key = writePayload(consumerGroupTargetAssignmentMetadataKey, keyKind.targetEpoch, { groupId })
      const table = consumerGroupTargetAssignmentMetadataValue
      return { key, value: record.value && writePayload(table, valueVersion, record.value) }
    }
    case 'target': {
      const named = { groupId, memberId: record.member }
      const key = writePayload(consumerGroupTargetAssignmentMemberKey, keyKind.target, named)
      const table = consumerGroupTargetAssignmentMemberValue
      return { key, value: record.value && writePayload(table, valueVersion, record.value) }
    }
    case 'current': {
      const named = { groupId, memberId: record.member }
      const key = writePayload(consumerGroupCurrentMemberAssignmentKey, keyKind.current, named)
      const table = consumerGroupCurrentMemberAssignmentValue
      return { key, value: record.value && writePayload(table, valueVersion, record.value) }
    }
    case 'regex': {
      const named = { groupId, regularExpression: record.regex }
      const key = writePayload(consumerGroupRegularExpressionKey, keyKind.regex, named)
      return {
        key,
        value: record.value && writePayload(consumerGroupRegularExpressionValue, valueVersion, record.value),
      }
    }
  }
}

export function epochRecord(group: string, epoch: number, metadataHash: bigint): ConsumerGroupRecord {
  return { kind: 'epoch', group, value: { epoch, metadataHash } }
}

export function memberRecord(group: string, member: ConsumerMember): ConsumerGroupRecord {
  const { classic } = member
  const value: ConsumerGroupMemberMetadataValue = {
    instanceId: member.instanceId,
    rackId: member.rackId,
    clientId: member.clientId,
    clientHost: member.clientHost,
    subscribedTopicNames: member.topics,
    // Kafka reads null and the empty text alike, and writes this.
    subscribedTopicRegex: member.regex ?? '',
    rebalanceTimeoutMs: member.rebalanceTimeoutMs,
    serverAssignor: member.serverAssignor,
  }
  if (classic !== null) {
    value.classicMemberMetadata = { sessionTimeoutMs: classic.sessionTimeoutMs, supportedProtocols: classic.protocols }
  }
  return { kind: 'member', group, member: member.id, value }
}

export function targetRecord(group: string, member: string, target: Assignment): ConsumerGroupRecord {
  return { kind: 'target', group, member, value: { topicPartitions: toTopicPartitions(target) } }
}

export function targetEpochRecord(group: string, epoch: number, now: number): ConsumerGroupRecord {
  const value = { assignmentEpoch: epoch, assignmentTimestamp: BigInt(now) }
  return { kind: 'target epoch', group, value }
}

export function currentRecord(group: string, member: ConsumerMember): ConsumerGroupRecord {
  const value = {
    memberEpoch: member.epoch,
    previousMemberEpoch: member.previousEpoch,
    state: stateNumber[member.state],
    assignedPartitions: heldPartitions(member.assigned),
    partitionsPendingRevocation: heldPartitions(member.revoking),
  }
  return { kind: 'current', group, member: member.id, value }
}

export function regexRecord(
  group: string,
  regex: string,
  topics: readonly string[],
  version: number,
  now: number,
): ConsumerGroupRecord {
  return { kind: 'regex', group, regex, value: { topics, version: BigInt(version), timestamp: BigInt(now) } }
}

/** In the order that takes a member apart. */
export function memberTombstones(group: string, member: string): ConsumerGroupRecord[] {
  return [
    { kind: 'current', group, member, value: null },
    { kind: 'target', group, member, value: null },
    { kind: 'member', group, member, value: null },
  ]
}

function heldPartitions(held: Held): ConsumerGroupCurrentMemberAssignmentValue['assignedPartitions'] {
  return toTopicPartitions(held).map(({ topicId, partitions }) => ({
    topicId,
    partitions,
    assignmentEpochs: partitions.map((partition) => held.get(topicId)!.get(partition)!),
  }))
}
