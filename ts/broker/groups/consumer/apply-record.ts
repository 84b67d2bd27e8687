import type {
  ConsumerGroupCurrentMemberAssignmentValue,
  ConsumerGroupMemberMetadataValue,
} from '../../../protocol/payloads/consumer-group.js'
import { type Held, hold, nothingHeld, toAssignment } from './assignment.js'
import type { ConsumerGroup } from './consumer-group.js'
import { type ConsumerMember, newConsumerMember } from './consumer-member.js'
import { type ConsumerGroupRecord, stateOf } from './consumer-records.js'

/**
 * Makes what a record says true of its group: when it was written, and when it is loaded. Of a log that is compacted any
 * record that a later one replaces may be missing, so nothing is taken for impossible.
 */
export function applyRecord(group: ConsumerGroup, record: ConsumerGroupRecord): void {
  switch (record.kind) {
    case 'epoch':
      group.epoch = record.value?.epoch ?? 0
      group.metadataHash = record.value?.metadataHash ?? 0n
      break
    case 'partitions':
      group.hasPartitionMetadata = record.value !== null
      break
    case 'member':
      if (record.value === null) group.removeMember(record.member)
      else group.setMember(describedBy(memberOf(group, record.member), record.value))
      break
    case 'target epoch':
      group.assignmentEpoch = record.value?.assignmentEpoch ?? 0
      break
    case 'target':
      if (record.value === null) group.targets.delete(record.member)
      else group.targets.set(record.member, toAssignment(record.value.topicPartitions))
      break
    case 'current':
      applyCurrent(group, record.member, record.value)
      break
    case 'regex':
      group.setRegex(record.regex, record.value?.topics ?? null)
      break
  }
}

function memberOf(group: ConsumerGroup, id: string): ConsumerMember {
  return group.members.get(id) ?? newConsumerMember(id)
}

export function describedBy(member: ConsumerMember, value: ConsumerGroupMemberMetadataValue): ConsumerMember {
  const classic = value.classicMemberMetadata ?? null
  return {
    ...member,
    instanceId: value.instanceId,
    rackId: value.rackId,
    clientId: value.clientId,
    clientHost: value.clientHost,
    topics: value.subscribedTopicNames,
    regex: value.subscribedTopicRegex === '' ? null : value.subscribedTopicRegex,
    rebalanceTimeoutMs: value.rebalanceTimeoutMs,
    serverAssignor: value.serverAssignor,
    classic: classic && { sessionTimeoutMs: classic.sessionTimeoutMs, protocols: classic.supportedProtocols },
  }
}

function applyCurrent(group: ConsumerGroup, id: string, value: ConsumerGroupCurrentMemberAssignmentValue | null): void {
  if (value === null) {
    const member = group.members.get(id)
    if (member === undefined) return
    const nothing = { state: 'stable', assigned: nothingHeld, revoking: nothingHeld } as const
    group.setMember({ ...member, epoch: 0, previousEpoch: -1, ...nothing })
    return
  }
  const { memberEpoch: epoch, previousMemberEpoch: previousEpoch } = value
  group.setMember({
    ...memberOf(group, id),
    epoch,
    previousEpoch,
    state: stateOf(value.state),
    assigned: heldBy(value.assignedPartitions, epoch),
    revoking: heldBy(value.partitionsPendingRevocation, epoch),
  })
}

/** Older brokers did not write the epochs: it had them in its own at the latest. */
function heldBy(topics: ConsumerGroupCurrentMemberAssignmentValue['assignedPartitions'], epoch: number): Held {
  const held = new Map<string, Map<number, number>>()
  for (const { topicId, partitions, assignmentEpochs } of topics) {
    for (const [i, partition] of partitions.entries()) {
      hold(held, topicId, partition, assignmentEpochs?.[i] ?? epoch)
    }
  }
  return held
}
