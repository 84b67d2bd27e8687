import { payloadVersion, readPayload, writePayload } from '../../protocol/codec/payloads.js'
import {
  type GroupMetadataValue,
  groupMetadataKey,
  groupMetadataValue,
} from '../../protocol/payloads/group-metadata.js'
import { type OffsetCommitValue, offsetCommitKey, offsetCommitValue } from '../../protocol/payloads/offset-commit.js'
import type { CommittedOffset } from './committed-offsets.js'
import { type ConsumerGroupRecord, readConsumerGroupRecord } from './consumer/consumer-records.js'
import type { Group } from './group.js'
import { noAssignment } from './member.js'

/**
 * Records of `__consumer_offsets`, byte for byte Kafka 4.3's: offsets as version 4 with the topic's id (version 1 where
 * the client chose a retention), groups as version 3. Every version that Kafka ever wrote is read.
 */
export interface LogRecordBytes {
  readonly key: Uint8Array
  /** Null removes what the key names. */
  readonly value: Uint8Array | null
}

/** What a record of the log says; a null value removes. */
export type GroupRecord =
  | { kind: 'offset'; group: string; topic: string; partition: number; value: OffsetCommitValue | null }
  | { kind: 'group'; group: string; value: GroupMetadataValue | null }
  | ConsumerGroupRecord

const keyVersion = { offsetFirst: 0, offset: 1, group: 2 } as const
const offsetVersion = 4
const offsetVersionWithExpiry = 1
const groupVersion = 3

export function offsetRecord(group: string, topic: string, partition: number, o: CommittedOffset): LogRecordBytes {
  const version = o.expireTimestamp < 0 ? offsetVersion : offsetVersionWithExpiry
  const value = writePayload(offsetCommitValue, version, {
    offset: o.offset,
    leaderEpoch: o.leaderEpoch,
    metadata: o.metadata,
    commitTimestamp: BigInt(o.commitTimestamp),
    expireTimestamp: BigInt(o.expireTimestamp),
    topicId: o.topicId,
  })
  return { key: offsetKey(group, topic, partition), value }
}

export function offsetTombstone(group: string, topic: string, partition: number): LogRecordBytes {
  return { key: offsetKey(group, topic, partition), value: null }
}

export function groupRecord(group: Group, assignments: ReadonlyMap<string, Uint8Array>): LogRecordBytes {
  const members = Array.from(group.members.values(), (member) => ({
    memberId: member.id,
    groupInstanceId: member.instanceId,
    clientId: member.clientId,
    clientHost: member.clientHost,
    rebalanceTimeout: member.rebalanceTimeoutMs,
    sessionTimeout: member.sessionTimeoutMs,
    subscription: member.metadata(group.protocolName),
    assignment: assignments.get(member.id) ?? noAssignment,
  }))
  const value = writePayload(groupMetadataValue, groupVersion, {
    protocolType: group.protocolType ?? '',
    generation: group.generation,
    protocol: group.protocolName,
    leader: group.leaderId,
    currentStateTimestamp: BigInt(group.stateSince),
    members,
  })
  return { key: groupKey(group.id), value }
}

export function groupTombstone(group: string): LogRecordBytes {
  return { key: groupKey(group), value: null }
}

/**
 * Reads one record; null for a kind of key that is of neither protocol (share groups, streams groups). Throws
 * MALFORMED_MESSAGE or UNSUPPORTED_VERSION for a value that cannot be read.
 */
export function readGroupRecord(key: Uint8Array, value: Uint8Array | null): GroupRecord | null {
  const kind = payloadVersion(key)
  switch (kind) {
    case keyVersion.offsetFirst:
    case keyVersion.offset: {
      const { group, topic, partition } = readPayload(offsetCommitKey, key)
      const read = value === null ? null : readPayload(offsetCommitValue, value)
      return { kind: 'offset', group, topic, partition, value: read }
    }
    case keyVersion.group: {
      const { group } = readPayload(groupMetadataKey, key)
      return { kind: 'group', group, value: value === null ? null : readPayload(groupMetadataValue, value) }
    }
    default:
      return readConsumerGroupRecord(kind, key, value)
  }
}

function offsetKey(group: string, topic: string, partition: number): Uint8Array {
  return writePayload(offsetCommitKey, keyVersion.offset, { group, topic, partition })
}

function groupKey(group: string): Uint8Array {
  return writePayload(groupMetadataKey, keyVersion.group, { group })
}
